internal import Foundation
internal import MailAuth
internal import MailCrypto
internal import TestKit

/// A hundred thousand domains, each with a key: signet-dkim with KeyDirectory, and OpenDKIM with as many lines of tables.
enum DomainExperiments {
    static let all: Experiments = ["many": { try run(domains: 100_000) }]

    /// How many domains sign for the first time after the start.
    private static let some = 2000

    private static func run(domains: Int) throws {
        let tree = try DomainTree(domains)
        let first = "Canonicalization relaxed/simple\nOversignHeaders From\n"
        var start = 0.0
        try Report.table([
            "\(domains) domains", "start, ms", "PSS, MiB", "first signature, ms", "the next, ms",
            "CPU of \(some) first ones, µs each", "PSS then, MiB", "CPU of a reload, ms",
        ]) {
            start = try measure(
                "signet-dkim, KeyDirectory",
                try ManyDomainsProgram(
                    "signet-dkim", first + "SyslogSuccess no\nKeyDirectory \(tree.keys)\n", SIGHUP),
                domains)
            _ = try measure(
                "OpenDKIM, tables",
                try ManyDomainsProgram(
                    Bench.opendkim, first + "Mode s\nRequireSafeKeys no\nSyslog no\n\(tree.tables)",
                    SIGUSR1), domains)
        }
        Report.limit("signet-dkim, KeyDirectory: ms to start", start, atMost: 200)
    }

    /// Measures one program; gives how long it takes to start, in milliseconds.
    private static func measure(
        _ name: String, _ program: ManyDomainsProgram, _ domains: Int
    ) throws -> Double {
        let meter = ProcessMeter(pid: program.process.pid)
        let size = Double(try meter.pss) / 1024
        // One in the middle of the tables.
        let cold = try program.sign(domains * 7 / 9)
        let warm = try program.sign(domains * 7 / 9)
        let before = try meter.cpuMicroseconds
        for number in 0..<some { _ = try program.sign(number * (domains / some)) }
        let cost = (try meter.cpuMicroseconds - before) / Double(some)
        let later = Double(try meter.pss) / 1024
        let reload = try program.reload(meter) / 1000
        Report.row(name, program.start, size, cold, warm, cost, later, reload)
        return program.start
    }
}

/// The keys of many domains, in a KeyDirectory and in tables.
private struct DomainTree {
    let keys: String
    let tables: String
    private let directory: TemporaryDirectory

    init(_ count: Int) throws {
        directory = try TemporaryDirectory("signet-domains")
        keys = try directory.makeDirectory("keys", mode: 0o700)
        let key = try Keys().rsa.key
        let pem = key.withPEM { text in text.indices.map { text[$0] } }
        var lines = (keys: "", signing: "")
        var file = ""
        let manager = FileManager.default
        for number in 0..<count {
            // A file system may have no more than 65,000 links to a file.
            if number % 10_000 == 0 {
                file = try directory.write(pem, to: "key-\(number)", mode: 0o600)
            }
            let domain = ManyDomainsProgram.domain(number)
            try manager.createDirectory(
                atPath: "\(keys)/\(domain)", withIntermediateDirectories: false)
            guard unsafe link(file, "\(keys)/\(domain)/mail.private") == 0 else {
                throw TestKitError("link: errno \(errno)")
            }
            lines.keys += "k\(number) \(domain):mail:\(file)\n"
            lines.signing += "\(domain) k\(number)\n"
        }
        let keyTable = try directory.write(lines.keys, to: "KeyTable")
        let signingTable = try directory.write(lines.signing, to: "SigningTable")
        tables = "KeyTable file:\(keyTable)\nSigningTable file:\(signingTable)\n"
    }
}

/// A signer of many domains that has just been started.
private final class ManyDomainsProgram {
    let process: ChildProcess
    /// From the start to the first connection that it takes, in milliseconds.
    let start: Double
    private let directory: TemporaryDirectory
    private let socket: String
    private let reloadSignal: Int32

    init(_ name: String, _ directives: String, _ reloadSignal: Int32) throws {
        self.reloadSignal = reloadSignal
        directory = try TemporaryDirectory("signet-many")
        socket = directory.file("socket")
        let configuration = try directory.write(
            directives + "Socket local:\(socket)\n", to: "conf")
        let program = name.hasPrefix("/") ? name : try DaemonProcess.path(of: name)
        let arguments = (name.hasPrefix("/") ? ["-f"] : []) + ["-x", configuration]
        let begin = wallMicroseconds()
        process = try ChildProcess(program, arguments)
        let path = socket
        let ready = try wait(for: "\(name) to listen", seconds: 120) { () -> LoopbackSocket? in
            try? LoopbackSocket.connect(path: path)
        }
        start = (wallMicroseconds() - begin) / 1000
        ready.shut()
    }

    static func domain(_ number: Int) -> String { "d\(number).example" }

    /// Has a message of a domain signed; gives the milliseconds from its beginning to its end.
    func sign(_ number: Int) throws -> Double {
        let domain = Self.domain(number)
        var message = Mail.ordinary
        for index in message.fields.indices where message.fields[index].name == "From" {
            message.fields[index].value = Array(" Ann <ann@\(domain)>".utf8)
        }
        let line = try MilterLine(
            socket,
            Transcript.Mail(
                clientName: "localhost", clientAddress: "127.0.0.1", message: message))
        defer { line.quit() }
        let begin = wallMicroseconds()
        try line.deliver()
        let end = wallMicroseconds()
        let text = String(decoding: line.answer, as: UTF8.self)
        guard text.contains("d=\(domain);") else {
            throw TestKitError("\(domain) is not signed: \(text.debugDescription)")
        }
        return (end - begin) / 1000
    }

    /// Reloads; gives the CPU time until it has come to rest, in microseconds.
    func reload(_ meter: ProcessMeter) throws -> Double {
        let before = try meter.cpuMicroseconds
        process.send(reloadSignal)
        var last = before
        var rest = 0
        // OpenDKIM reads its configuration with the next message.
        _ = try sign(1)
        while rest < 10 {
            usleep(50_000)
            let now = try meter.cpuMicroseconds
            rest = now - last < 200 ? rest + 1 : 0
            last = now
        }
        return last - before
    }
}

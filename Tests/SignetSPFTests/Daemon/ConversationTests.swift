import ConnectionServer
import Glibc
import MailDNS
import MailSyntax
import TestKit
import Testing

@testable import signet_spf

/// The daemon as its clients see it, well behaved or not.
@Suite(.serialized)
struct ConversationTests {
    @Test func `questions are answered in order, one message after the other`() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        #expect(try client.ask(from: "a@pass.example")?.hasPrefix("PREPEND Received-SPF") == true)
        #expect(try client.ask(from: "a@pass.example") == "DUNNO")
        let senders = ["fail", "pass", "softfail", "fail"]
        let questions = senders.enumerated().map {
            PolicyClient.question(from: "a@\($1).example", instance: "p\($0)")
        }
        try client.send(questions.joined())
        let answers = try senders.map { _ in try client.answer() ?? "" }
        #expect(answers.map { $0.prefix(3) } == ["550", "PRE", "PRE", "550"])
    }

    @Test(arguments: ["", "FlightRecord none\n"])
    func `in the shadow of another service every answer is DUNNO`(_ more: String) throws {
        let daemon = try RunningDaemon("Shadow yes\n\(more)")
        let client = try daemon.connect()
        for sender in ["pass", "fail", "softfail"] {
            #expect(try client.ask(from: "a@\(sender).example") == "DUNNO")
        }
        #expect(daemon.log.contains("shadow: "), "\(daemon.log)")
    }

    @Test(arguments: [
        ("nonsense\n\n", "a line is not name=value"), ("\n", "it is empty"),
        ("sender=a\0b\n\n", "NUL"), ("request=other\n\n", "not of the kind"),
    ])
    func `what makes no sense is answered and logged`(_ text: String, _ line: String) throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        try client.send(text)
        #expect(try client.answer() == "DUNNO")
        #expect(try client.ask(from: "a@fail.example")?.hasPrefix("550") == true)
        #expect(daemon.log.contains(line), "\(daemon.log)")
    }

    /// A milter's client would wait for ever: no empty line ends its command.
    @Test func `a milter's client is answered in its protocol, and logged once`() throws {
        let daemon = try RunningDaemon()
        let negotiation: [UInt8] =
            [0, 0, 0, 13, UInt8(ascii: "O"), 0, 0, 0, 6, 0, 0, 1, 0xFF, 0, 0x1F, 0xFF, 0xFF]
        for _ in 0..<3 {
            let client = try daemon.connect()
            try client.socket.write(negotiation)
            #expect(try client.socket.read() == [0, 0, 0, 1, UInt8(ascii: "t")])
            #expect(try client.socket.read().isEmpty)
        }
        let line = "write it in check_policy_service, not smtpd_milters"
        let logged = daemon.log.split(separator: "\n").count { $0.contains(line) }
        #expect(logged == 1, "\(daemon.log)")
    }

    @Test func `CRLF, attributes twice, and one octet at a time`() throws {
        let client = try RunningDaemon().keeping { try $0.connect() }
        let question = PolicyClient.question(from: "a@fail.example")
        try client.value.send(
            question.split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n")
        #expect(try client.value.answer()?.hasPrefix("550") == true)
        try client.value.send("sender=a@pass.example\n" + question)
        #expect(try client.value.answer()?.hasPrefix("550") == true)
        for character in question { try client.value.send(String(character)) }
        #expect(try client.value.answer()?.hasPrefix("550") == true)
    }

    @Test func `ten megabytes are read to their end, and cost no memory`() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        _ = try client.ask(from: "a@pass.example")
        let before = try Memory(of: daemon.process.pid).resident
        let filler = String(repeating: "x", count: 1 << 20)
        for _ in 0..<10 { try client.send("x=\(filler)\n") }
        try client.send("\n")
        #expect(try client.answer() == "DUNNO")
        #expect(try client.ask(from: "a@fail.example")?.hasPrefix("550") == true)
        #expect(try Memory(of: daemon.process.pid).resident - before < 1_024)
    }

    @Test func `a client that stops in the middle keeps nobody waiting`() throws {
        let daemon = try RunningDaemon()
        let slow = try daemon.connect()
        try slow.send("sender=a@pass.example\nhelo_name=")
        #expect(try daemon.connect().ask(from: "a@fail.example")?.hasPrefix("550") == true)
        slow.socket.shut()
        #expect(try daemon.connect().ask(from: "a@fail.example")?.hasPrefix("550") == true)
        #expect(daemon.process.end == nil)
    }

    @Test func `a client that never reads keeps nobody waiting`() throws {
        let daemon = try RunningDaemon("debugLevel 0")
        let deaf = try daemon.connect(seconds: 1)
        // Until the daemon, whose answers nobody takes, takes no more questions.
        let questions = (0..<50).map {
            PolicyClient.question(from: "a@pass.example", instance: "\($0)")
        }.joined()
        for _ in 0..<200 {
            do { try deaf.send(questions) } catch { break }
        }
        #expect(try daemon.connect().ask(from: "a@fail.example")?.hasPrefix("550") == true)
        _ = try wait(for: "the deaf client to be let go", seconds: 45) {
            daemon.log.contains("did not take its answer") ? true : nil
        }
    }

    @Test func `a thousand idle connections are kept, and cost little`() throws {
        let daemon = try RunningDaemon("debugLevel 0")
        let clients = try (0..<1_000).map { _ in try daemon.connect() }
        for client in clients { _ = try client.ask(from: "a@pass.example") }
        // Threads go when nothing comes for a moment, memory when nothing comes for a second.
        let memory = try wait(for: "the connections to be idle") {
            let memory = try Memory(of: daemon.process.pid)
            return memory.threads < 16 && memory.proportional < 24 << 10 ? memory : nil
        }
        #expect(memory.threads > 1)
        for client in [clients[0], clients[999]] {
            #expect(try client.ask(from: "a@fail.example", instance: "2")?.hasPrefix("550") == true)
        }
    }

    /// Whoever connects beyond the limit waits, and is served when another leaves.
    @Test(.enabled(if: canOpen(descriptors: 5_000)))
    func `at its limit of connections it goes on watching the socket`() throws {
        let daemon = try RunningDaemon("debugLevel 0")
        let limit = ConnectionLimits.policy.connections
        var clients = try (0...limit).map { _ in try daemon.connect() }
        let last = clients.removeLast()
        try last.send(PolicyClient.question(from: "a@pass.example", client: "127.0.0.1"))
        _ = try wait(for: "the limit to be logged") {
            daemon.log.contains("there are \(limit) connections, the limit") ? true : nil
        }
        let before = try daemon.cpuTicks
        sleep(1)
        #expect(try daemon.cpuTicks - before < 25)
        clients.removeFirst()
        #expect(try last.answer()?.hasPrefix("PREPEND X-Comment: ") == true)
    }

    /// Whoever connects while there is no descriptor waits for one; the others are served.
    @Test func `without descriptors it serves who is connected, and then the others`() throws {
        let daemon = try RunningDaemon(descriptors: 48)
        // Local clients are answered without the DNS, which has no descriptors either.
        let question = PolicyClient.question(from: "a@pass.example", client: "127.0.0.1")
        var clients = try (0..<100).map { _ in try daemon.connect() }
        _ = try wait(for: "the lack to be logged") {
            daemon.log.contains("no connection can be accepted") ? true : nil
        }
        let before = try daemon.cpuTicks
        sleep(1)
        // Of a hundred ticks, which a server that tries again at once would use.
        #expect(try daemon.cpuTicks - before < 25)
        for _ in 0..<2 {
            try clients[0].send(question)
            #expect(try clients[0].answer()?.isEmpty == false)
        }
        let last = clients.removeLast()
        try last.send(question)
        clients = []
        #expect(try last.answer()?.hasPrefix("PREPEND X-Comment: ") == true)
        let lines = daemon.log.split(separator: "\n")
        #expect(lines.count { $0.contains("no connection can be accepted") } == 1)
    }

    @Test func `a slow or dead DNS costs Lookup_Time, and only its own client`() throws {
        var zone = try World.resolver()
        let slow = try DomainName("slow.example")
        zone.add(ZoneRecord(slow, .txt, .text([Array("v=spf1 +all".utf8)])))
        let daemon = try RunningDaemon("Lookup_Time 1\nTempError_Defer yes", zone: zone)
        daemon.dns.set(.drop, for: slow)
        let waiting = try daemon.connect()
        try waiting.send(PolicyClient.question(from: "a@slow.example"))
        #expect(try daemon.connect().ask(from: "a@fail.example")?.hasPrefix("550") == true)
        #expect(try waiting.answer()?.hasPrefix("defer_if_permit 4.7.24") == true)
    }

    @Test(.timeLimit(.minutes(5)), arguments: HostileRecord.all)
    func `hostile records have a verdict in bounded time`(_ record: HostileRecord) throws {
        let daemon = try RunningDaemon(zone: record.zone())
        let answer = try daemon.connect().ask(from: "a@hostile.example")
        #expect(
            answer?.hasPrefix("PREPEND Received-SPF: \(record.result)") == true, "\(answer ?? "")")
        #expect(daemon.dns.queries.count <= record.mostQueries, "\(daemon.dns.queries.count)")
    }
}

/// Whether this process may have so many descriptors open, after it has raised its limit.
private func canOpen(descriptors: rlim_t) -> Bool {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_max >= descriptors else {
        return false
    }
    limit.rlim_cur = max(limit.rlim_cur, descriptors)
    return unsafe setrlimit(resource, &limit) == 0
}

/// Memory and threads of a process, from /proc.
struct Memory: CustomStringConvertible {
    /// KB in memory.
    let resident: Int
    /// KB, shared pages divided among those who share them.
    let proportional: Int
    let threads: Int

    init(of pid: pid_t) throws {
        resident = try Self.value("VmRSS:", in: "/proc/\(pid)/status")
        threads = try Self.value("Threads:", in: "/proc/\(pid)/status")
        proportional = try Self.value("Pss:", in: "/proc/\(pid)/smaps_rollup")
    }

    private static func value(_ name: String, in file: String) throws -> Int {
        let text = try Command.require("/bin/cat", [file])
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }
            .flatMap { Int($0) } ?? 0
    }

    var description: String { "RSS \(resident) KB, PSS \(proportional) KB, \(threads) threads" }
}

extension RunningDaemon {
    /// The processor time that it has used, in hundredths of a second (proc_pid_stat(5)).
    var cpuTicks: Int {
        get throws {
            let stat = try Command.require("/bin/cat", ["/proc/\(process.pid)/stat"])
            let words = stat.split(separator: " ")
            return [13, 14].map { Int(words[$0]) ?? 0 }.reduce(0, +)
        }
    }

    /// A value that is of use only while the daemon lives, with the daemon.
    func keeping<Value>(
        _ make: (RunningDaemon) throws -> Value
    ) rethrows -> (daemon: RunningDaemon, value: Value) {
        (self, try make(self))
    }
}

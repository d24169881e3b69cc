import Foundation
import Glibc
import MailSyntax
import TestKit
import Testing

@testable import signet_spf

/// Starting, stopping, reloading, and standard input and output.
@Suite(.serialized)
struct ServiceTests {
    private static var program: String { ServerProcess.products.path + "/signet-spf" }

    @Test func `a stopping daemon finishes what is under way and lets the idle go`() throws {
        let daemon = try RunningDaemon("Lookup_Time 3")
        let idle = try daemon.connect()
        #expect(try idle.ask(from: "a@pass.example")?.hasPrefix("PREPEND") == true)
        daemon.dns.set(.delay(1), for: try .init("softfail.example"))
        let busy = try daemon.connect()
        try busy.send(PolicyClient.question(from: "a@softfail.example"))
        usleep(200_000)
        daemon.process.send(SIGTERM)
        #expect(try idle.answer() == nil)
        #expect(try busy.answer()?.hasPrefix("PREPEND Received-SPF: Softfail") == true)
        #expect(try busy.answer() == nil)
        #expect(try daemon.process.waitForEnd() == .exited(0))
        #expect(throws: TestKitError.self) { try daemon.connect() }
    }

    @Test func `a reload holds for new messages on old connections`() throws {
        let daemon = try RunningDaemon()
        let client = try daemon.connect()
        #expect(try client.ask(from: "a@softfail.example")?.hasPrefix("PREPEND") == true)
        let settings = "Nameservers \(daemon.dns.nameserver)\nMail_From_reject Softfail\n"
        try daemon.directory.write(settings, to: "spf.conf")
        daemon.process.send(SIGHUP)
        _ = try wait(for: "the reload") { daemon.log.contains("is reloaded") ? true : nil }
        // The message that was begun keeps its rules.
        #expect(try client.ask(from: "a@softfail.example") == "DUNNO")
        #expect(try client.ask(from: "a@softfail.example", instance: "2")?.hasPrefix("550") == true)
        try daemon.directory.write("Prospective perhaps\n", to: "spf.conf")
        daemon.process.send(SIGUSR1)
        _ = try wait(for: "the refusal") { daemon.log.contains("the old one stays") ? true : nil }
        #expect(try client.ask(from: "a@softfail.example", instance: "3")?.hasPrefix("550") == true)
    }

    @Test func `a stale socket is replaced, a live one is left alone`() throws {
        let first = try RunningDaemon()
        let second = try Command.run(
            Self.program, ["-x", first.directory.file("spf.conf"), "-p", "unix:\(first.socket)"])
        #expect(second.end == .exited(75))
        #expect(second.errors.contains("another program listens on"))
        #expect(try first.connect().ask(from: "a@fail.example")?.hasPrefix("550") == true)
        first.process.send(SIGKILL)
        try first.process.waitForEnd()
        let third = try RunningDaemon(in: first.directory)
        #expect(try third.connect().ask(from: "a@fail.example")?.hasPrefix("550") == true)
    }

    @Test func `it speaks on a pipe, answers all, and ends with its input`() throws {
        let questions = PolicyClient.question(from: "a@pass.example", client: "127.0.0.1")
        for arguments in [["--stdio"], []] {
            let result = try Command.require(
                "/bin/sh",
                ["-c", "cat | \(Self.program) \(arguments.joined()) 2>/dev/null | cat"],
                input: Array((questions + questions + "junk\n\n").utf8))
            let answers = result.split(separator: "\n")
            #expect(answers.count == 3)
            #expect(answers.first?.hasPrefix("action=PREPEND X-Comment: ") == true)
            #expect(answers.dropFirst().allSatisfy { $0 == "action=DUNNO" })
        }
    }

    @Test func `standard error that is the client gets no line of the log`() throws {
        var ends: [Int32] = [0, 0]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let client = PolicyClient(LoopbackSocket(taking: ends[0]))
        let process = try ChildProcess(
            Self.program, [],
            descriptors: [.init(ends[1], as: 0), .init(ends[1], as: 1), .init(ends[1], as: 2)])
        close(ends[1])
        // Logged as a warning, and answered: the answer must be all that comes.
        try client.send(
            "junk\n\n" + PolicyClient.question(from: "a@x.example", client: "127.0.0.1"))
        #expect(try client.answer() == "DUNNO")
        #expect(try client.answer()?.hasPrefix("PREPEND X-Comment: ") == true)
        client.socket.shut()
        #expect(try process.waitForEnd() == .exited(0))
    }

    @Test func `TCP is served too`() throws {
        let port = try LoopbackPort.free()
        let directory = try TemporaryDirectory()
        let path = try directory.write("debugLevel 0\n", to: "spf.conf")
        let process = try ChildProcess(Self.program, ["-p", "inet:\(port)@127.0.0.1", path])
        defer { process.kill() }
        let socket = try wait(for: "the port") { try? LoopbackSocket.connect(port: port) }
        let client = PolicyClient(socket)
        try client.send(PolicyClient.question(from: "a@x.example", client: "127.0.0.1"))
        #expect(try client.answer()?.hasPrefix("PREPEND X-Comment: ") == true)
    }

    @Test func `requests in files are answered on standard output`() throws {
        let directory = try TemporaryDirectory()
        let question = PolicyClient.question(from: "a@x.example", client: "127.0.0.1")
        // Its empty line may be missing, and even the last line's end.
        for missing in 0...2 {
            let path = try directory.write(String(question.dropLast(missing)), to: "request")
            let output = try Command.require(Self.program, ["-t", path])
            #expect(output.hasPrefix("action=PREPEND X-Comment: "))
            #expect(output.split(separator: "\n").count == 1)
        }
        #expect(try Command.run(Self.program, ["-t", "/nonexistent"]).end == .exited(66))
    }

    @Test func `a configuration is checked, with file and line`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("TestOnly = 1\nPer_User = nowhere\n", to: "spf.conf")
        let result = try Command.run(Self.program, ["-n", path])
        #expect(result.end == .exited(78))
        #expect(result.errors.contains("\(path):2:1: error: Per_User:"))
        // What policyd-spf starts with starts here too.
        let odd = try directory.write(
            "TestOnly = 1\nHELO_reject = Sometimes\nColour = red\n", to: "odd.conf")
        let warned = try Command.run(Self.program, ["-n", odd])
        #expect(warned.end == .exited(0))
        #expect(warned.errors.contains("\(odd):2:1: warning: HELO_reject:"))
        #expect(warned.errors.contains("\(odd):3:1: warning: Colour:"))
    }
}

import Foundation
import Glibc
import TestKit
import Testing

/// The process around the mail: its configuration, reloads, and files on the command line.
@Suite(.serialized) struct ServiceTests {
    private func run(_ arguments: String...) throws -> Command.Result {
        try Command.run(try DaemonProcess.path(of: "signet-dmarc"), arguments)
    }

    @Test func `the socket and the pid file are as the configuration says`() throws {
        let directory = try TemporaryDirectory()
        let daemon = try RunningDaemon("UMask 017\nPidFile \(directory.file("pid"))")
        var status = stat()
        #expect(unsafe lstat(daemon.directory.file("s"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        let pid = try String(contentsOfFile: directory.file("pid"), encoding: .utf8)
        #expect(pid == "\(daemon.process.pid)\n")
        #expect(try daemon.process.stop() == .exited(0))
        #expect(unsafe lstat(daemon.directory.file("s"), &status) != 0)
    }

    @Test func `a reload takes effect for connections to come, and a faulty one not at all`()
        throws
    {
        let forged = MailMessage.from("ceo@victim.example")
        let daemon = try RunningDaemon()
        let old = try daemon.mta.connect()
        #expect(RunningDaemon.dmarc(try old.deliver(forged, daemon.envelope)) == "fail")
        try daemon.reload("RejectFailures yes", until: "is reloaded")
        #expect(try daemon.mta.deliver(forged, daemon.envelope).refusal == "550 5.7.26")
        // Who was there before keeps what held then.
        #expect(RunningDaemon.dmarc(try old.deliver(forged, daemon.envelope)) == "fail")
        old.quit()
        try daemon.reload("RejectFailures perhaps", until: "the old one stays")
        #expect(try daemon.mta.deliver(forged, daemon.envelope).refusal == "550 5.7.26")
    }

    @Test func `one run of -n reports everything with its place`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            """
            RejectFailurs yes
            RejectString no
            IgnoreHosts file:/none
            ChangeRootDirectory /var
            ReportStore reports.db
            """, to: "dmarc.conf")
        for flag in ["-x", "-c"] {
            let result = try run("-n", flag, path)
            #expect(result.end == .exited(78))
            for words in [
                "\(path):1:1: error: RejectFailurs: unknown directive; did you mean RejectFailures?",
                "\(path):2:1: error: RejectString: must have %s once",
                "\(path):3:1: error: IgnoreHosts: /none ",
                "\(path):4:1: error: ChangeRootDirectory: ",
                "\(path):5:1: error: ReportStore: ",
            ] {
                #expect(result.errors.contains(words), "\(words) in \(result.errors)")
            }
        }
    }

    @Test func `-t evaluates messages from files`() throws {
        let daemon = try RunningDaemon()
        let configuration = daemon.directory.file("signet-dmarc.conf")
        let directory = try TemporaryDirectory()
        let forged = try directory.write(
            MailMessage.from("ceo@victim.example").description, to: "forged")
        let plain = try directory.write(
            MailMessage.from("x@nowhere.example").description, to: "plain")
        let result = try run("-x", configuration, "-t", forged, plain)
        #expect(result.end == .exited(0), "\(result.errors)")
        #expect(result.output.contains("\(forged): Authentication-Results:"))
        #expect(result.output.contains("(p=reject dis=quarantine; "))
        #expect(result.output.contains("dmarc=none"))
        #expect(try run("-x", configuration, "-t", "/none").end == .exited(66))
        daemon.dns.setSilent(true)
        #expect(try run("-x", configuration, "-t", forged).end == .exited(75))
    }

    @Test(.timeLimit(.minutes(5)))
    func `a store that cannot be written delays no mail, and the log says so`() throws {
        let directory = try TemporaryDirectory()
        let daemon = try RunningDaemon(
            "ReportStore \(directory.file("missing/reports.db"))\nHistoryFile /dev/full")
        for _ in 0..<20 {
            #expect(try daemon.dmarc(.from("ceo@victim.example")) == "fail")
        }
        try daemon.process.waitForLogLine("ReportStore: evaluations cannot be recorded: ")
        try daemon.process.waitForLogLine("HistoryFile: evaluations cannot be recorded: ")
        #expect(daemon.log("cannot be recorded") == 2)
    }
}

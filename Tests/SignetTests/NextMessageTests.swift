import Foundation
import Glibc
import TestKit
import Testing

/// `signet check --next`.
@Suite struct NextMessageTests {
    private static let zone = "example.org. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"

    private static let message = """
        Return-Path: <ann@example.org>
        Received: from mail.example.org (mail.example.org [192.0.2.1])
        \tby mx.example.net (Postfix) with ESMTP id 1; Sat, 21 Nov 2026 08:00:00 +0000
        From: ann@example.org
        Subject: next

        Good morning.

        """

    /// Starts the command, and gives what it prints once `deliver` has done its part.
    private static func check(
        _ next: String, _ folder: TemporaryDirectory, environment: [String: String]? = nil,
        seconds: Int = 60, deliver: () throws -> Void
    ) throws -> (end: ChildProcess.End, output: String, errors: String) {
        let zone = try folder.write(zone, to: "zone")
        let process = try ChildProcess(
            DaemonProcess.path(of: "signet"),
            ["check", "--next", next, "--timeout", "\(seconds)", "--zone", zone],
            environment: environment.map { own in
                ProcessInfo.processInfo.environment.merging(own) { $1 }
            },
            descriptors: [
                .file(folder.file("output"), as: 1), .file(folder.file("errors"), as: 2),
            ])
        func text(_ name: String) -> String {
            (try? String(contentsOfFile: folder.file(name), encoding: .utf8)) ?? ""
        }
        _ = try wait(for: "the command to wait: \(text("errors"))") {
            text("errors").contains("waiting for mail in ") ? true : nil
        }
        try deliver()
        let end = try process.waitForEnd(seconds: 60)
        return (end, text("output"), text("errors"))
    }

    @Test func `the next message of a Maildir is checked, and none that is there`() throws {
        let folder = try TemporaryDirectory("signet-next")
        for name in ["Maildir/new", "Maildir/cur", "Maildir/tmp"] { try folder.makeDirectory(name) }
        try folder.write("From: old@example.com\n\nold\n", to: "Maildir/new/1.old.mx")
        try folder.write("From: read@example.com\n\nread\n", to: "Maildir/cur/2.read.mx:2,S")
        let result = try Self.check(folder.file("Maildir/"), folder) {
            // A flag is no new message.
            try FileManager.default.moveItem(
                atPath: folder.file("Maildir/new/1.old.mx"),
                toPath: folder.file("Maildir/cur/1.old.mx:2,S"))
            try folder.write(Self.message, to: "Maildir/tmp/3.next.mx")
            try FileManager.default.moveItem(
                atPath: folder.file("Maildir/tmp/3.next.mx"),
                toPath: folder.file("Maildir/new/3.next.mx"))
        }
        #expect(result.end == .exited(0), "\(result.errors)")
        // The envelope is that of the trace.
        #expect(result.output.contains("SPF pass"), "\(result.output)")
        #expect(result.output.contains("example.org"))
    }

    @Test func `the message that is added to the mbox of a user is checked`() throws {
        let folder = try TemporaryDirectory("signet-next")
        try folder.makeDirectory("etc")
        try folder.write("From old\nFrom: old@example.com\n\nold\n\n", to: "nobody")
        try folder.write(
            "mail_spool_directory = \(folder.path)\nhome_mailbox =\n", to: "etc/main.cf")
        let result = try Self.check(
            "nobody", folder, environment: ["MAIL_CONFIG": folder.file("etc")]
        ) {
            let file = try FileHandle(
                forWritingTo: URL(filePath: folder.file("nobody")))
            try file.seekToEnd()
            try file.write(
                contentsOf: Data("From ann Sat Nov 21 08:00:00 2026\n\(Self.message)\n".utf8))
            try file.close()
        }
        #expect(result.errors.contains(folder.file("nobody")), "\(result.errors)")
        #expect(result.end == .exited(0) && result.output.contains("SPF pass"), "\(result.output)")
    }

    /// What is left when mail is taken out of a mbox was there before.
    @Test func `a mbox that becomes shorter has no new message`() throws {
        let folder = try TemporaryDirectory("signet-next")
        let one = "From old\nFrom: old@example.com\n\nold\n\n"
        try folder.write(one + one, to: "mbox")
        let result = try Self.check(folder.file("mbox"), folder) {
            try folder.write(one, to: "mbox")
            usleep(600_000)
            let file = try FileHandle(forWritingTo: URL(filePath: folder.file("mbox")))
            try file.seekToEnd()
            try file.write(
                contentsOf: Data("From ann Sat Nov 21 08:00:00 2026\n\(Self.message)\n".utf8))
            try file.close()
        }
        #expect(result.output.contains("SPF pass"), "\(result.output)\(result.errors)")
        #expect(!result.output.contains("example.com"))
    }

    @Test func `who waits in vain, for nobody, or for files is told`() throws {
        let folder = try TemporaryDirectory("signet-next")
        let late = try Self.check("\(folder.path)/", folder, seconds: 1) {}
        #expect(late.end == .exited(75) && late.errors.contains("within 1 seconds"))
        #expect(try SignetCommand.run(["check", "--next", "no-such-user"]).status == 66)
        #expect(try SignetCommand.run(["check", "--next", "x/", "file"]).status == 64)
        #expect(try SignetCommand.run(["check"]).status == 64)
        #expect(try SignetCommand.run(["check", "--next", "x/", "--timeout", "0"]).status == 64)
    }
}

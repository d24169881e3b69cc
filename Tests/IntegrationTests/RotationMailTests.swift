import Foundation
import TestKit
import Testing

/// Mail that flows through a private Postfix while `signet key rotate` replaces its keys, at real authoritative servers.
@Suite(
    .serialized, .enabled(if: PrivateServers.areInstalled, "knot, nsd or nsupdate is not installed")
)
struct RotationMailTests {
    /// The signer over a KeyDirectory, and the command over the same.
    private struct Host {
        let servers: PrivateServers
        let signing: SigningHost
        let directory: TemporaryDirectory
        let daemon: DaemonProcess
        let configuration: String
        let rotation: String

        init() throws {
            servers = try PrivateServers()
            signing = try SigningHost()
            directory = try TemporaryDirectory("signet-rotate")
            let keys = try directory.makeDirectory("keys", mode: 0o700)
            let text = "KeyDirectory \(keys)\nSocket unix:\(signing.postfix.socketPath("dkim"))\n"
            configuration = try directory.write(text, to: "dkim.conf")
            rotation = try directory.write(
                """
                Method nsupdate
                UpdateKey \(servers.keyFile)
                UpdateServer \(servers.primary)
                UpdateZone example.org
                AuthoritativeServers \(servers.primary), \(servers.secondary)
                RecordTTL 2s
                QueueLifetime 3s
                RetireMargin 1s

                """, to: "rotate.conf")
            daemon = try DaemonProcess("signet-dkim", configuration: text)
        }

        func arguments(_ words: [String]) -> [String] {
            ["key"] + words + ["-x", configuration]
                + (words[0] == "list" ? [] : ["--rotation-config", rotation])
        }

        /// Runs the command to its end.
        func signet(_ words: String...) throws -> Command.Result {
            try Command.run(try DaemonProcess.path(of: "signet"), arguments(words))
        }

        /// Starts the command and kills it after a time.
        func signetKilled(_ words: String..., after microseconds: UInt32) throws {
            let process = try ChildProcess(
                try DaemonProcess.path(of: "signet"), arguments(words),
                descriptors: [.null(as: 1), .null(as: 2)])
            usleep(microseconds)
            process.kill()
        }

        /// The selectors that sign.
        func signers() throws -> [String] {
            let text = try String(
                contentsOfFile: directory.file("keys/example.org/signing"), encoding: .utf8)
            return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        }

        /// Sends a message, and has a receiver that asks the slowest server verify it.
        func expectVerified(_ name: String) throws {
            let client = try signing.postfix.connect()
            try client.ehlo()
            _ = try client.deliver(
                from: "ann@example.org", to: ["bob@example.com"], SigningHost.message(name))
            let message = try signing.sink.waitForMessage(containing: "\(name)@example.org")
            let path = try directory.write(message.bytes, to: "message")
            let result = try Command.run(
                try DaemonProcess.path(of: "signet"),
                ["check", path, "--nameserver", "\(servers.secondary)", "--json"])
            let signatures = message.values(of: "DKIM-Signature").count
            let passes = result.output.components(separatedBy: "\"result\" : \"pass\"").count - 1
            #expect(signatures > 0 && passes >= signatures, "\(name): \(result.output)")
            try client.quit()
        }
    }

    @Test func `every message verifies on arrival while keys rotate and the command is killed`()
        throws
    {
        let host = try Host()
        var count = 0
        func send() throws {
            count += 1
            try host.expectVerified("rotate-\(count)")
        }
        let first = try host.signet("rotate", "example.org", "--type", "both", "--wait")
        #expect(first.succeeded, "\(first.output)\(first.errors)")
        for round in 0..<3 {
            let before = Set(try host.signers())
            #expect(before.count == 2)
            // Killed at the beginning of each step or in its middle, from the first on.
            try host.signetKilled("rotate", "example.org", after: 30_000 + UInt32(round) * 40_000)
            try send()
            _ = try host.signet("rotate", "example.org")
            for step in 0..<12 {
                try host.signetKilled("rotate", after: UInt32(step) * 17_000)
                try send()
            }
            let last = try host.signet("rotate", "example.org", "--wait")
            #expect(last.succeeded, "\(last.output)\(last.errors)")
            try send()
            #expect(before.isDisjoint(with: try host.signers()))
            // What was there before is withdrawn before the next round.
            _ = try wait(for: "the keys before to go", seconds: 60) { () -> Bool? in
                _ = try host.signet("rotate")
                try send()
                let files = try FileManager.default.contentsOfDirectory(
                    atPath: host.directory.file("keys/example.org"))
                return files.count { $0.hasSuffix(".private") } == 2 ? true : nil
            }
        }
        let list = try host.signet("list", "--nameserver", "\(host.servers.secondary)", "--json")
        #expect(list.succeeded, "\(list.output)\(list.errors)")
        #expect(list.output.components(separatedBy: "\"dns\" : \"matches\"").count == 3)
        #expect(try host.daemon.stop() == .exited(0))
    }
}

import Foundation
import MailDNS
import TestKit
import Testing

/// What can go wrong in the middle of a rotation: mail goes on signed with a key that verifies, and the command says what is wrong
/// and what mends it.
@Suite(.enabled(if: PrivateServers.areInstalled, "knot, nsd or nsupdate is not installed"))
struct RotationMisfortuneTests {
    private let setting: RotationMethodSetting
    private var host: RotatingHost { setting.host }
    private var servers: PrivateServers { setting.servers }
    private let good: String

    init() throws {
        setting = try RotationMethodSetting(.hook, RotationPace())
        let result = try setting.host.signet(
            "rotate", "example.org", "--type", "ed25519", "--wait")
        try #require(result.succeeded, "\(result.output)\(result.errors)")
        good = try String(contentsOfFile: setting.host.directory.file("hook"), encoding: .utf8)
    }

    /// Begins to replace the key, and goes on until the command says something.
    private func expect(
        _ words: String, _ mend: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try host.signers()
        var output = ""
        _ = try host.signet("rotate", "example.org")
        _ = try wait(for: "\"\(words)\"", seconds: 60) { () -> Bool? in
            output = try host.signet("rotate").output
            return output.contains(words) ? true : nil
        }
        #expect(output.contains("mend: "), sourceLocation: sourceLocation)
        #expect(output.contains(mend), "\(output)", sourceLocation: sourceLocation)
        #expect(try host.signers() == before, sourceLocation: sourceLocation)
        let status = try host.signet("status")
        #expect(status.output.contains(words), sourceLocation: sourceLocation)
        try host.expectVerified("mail", at: servers)
    }

    /// After it is mended the rotation comes to its end.
    private func expectEnd() throws {
        let before = try host.signers()
        _ = try wait(for: "the rotation to end", seconds: 90) { () -> Bool? in
            _ = try host.signet("rotate")
            try host.expectVerified("mended", at: servers)
            return try Set(before).isDisjoint(with: host.signers()) ? true : nil
        }
    }

    private func hook(_ text: String) throws {
        try host.directory.write("#!/bin/sh\n\(text)\n", to: "hook", mode: 0o755)
    }

    @Test func `a hook fails, hangs, is missing, lies`() throws {
        let mend = "mend what Method in rotate.conf uses"
        try hook("echo the token has expired >&2; exit 3")
        try expect("ended with status 3: the token has expired", mend)
        try hook("head -c 200000000 /dev/zero; exec sleep 600")
        try host.append("ProgramTimeout 1s\n")
        try expect("did not end within 1 seconds", mend)
        try FileManager.default.removeItem(atPath: host.directory.file("hook"))
        try expect("cannot be run: No such file or directory", mend)
        #expect(try host.signet("status").end == .exited(1))
        try hook("exit 0")
        try expect("does not show it", "have every server show the TXT record s")
        // Whoever lied is not asked again: a person publishes what was asked for, at the servers.
        try host.directory.write(good, to: "hook", mode: 0o755)
        let selector = try #require(try host.selectors().subtracting(host.signers()).first)
        let shown = try Command.require(
            try DaemonProcess.path(of: "signet"),
            ["key", "show", "\(host.keys)/example.org/\(selector).private"])
        let key = try #require(shown.firstMatch(of: /p=([A-Za-z0-9+\/=]+)/)?.1)
        try servers.update([
            "zone example.org",
            "update add \(selector)._domainkey.example.org. 2 TXT \"v=DKIM1; k=ed25519; p=\(key)\"",
        ])
        try expectEnd()
    }

    @Test func `a server is dead`() throws {
        servers.stopSecondary()
        let before = try host.signers()
        _ = try host.signet("rotate", "example.org")
        let result = try host.signet("rotate")
        #expect(result.output.contains("127.0.0.1@\(servers.secondary.port)"))
        #expect(result.output.contains("mend: have every server show"))
        #expect(try host.signers() == before)
    }

    @Test func `the record of the key that signs is edited by hand`() throws {
        let old = try host.signers()
        _ = try host.signet("rotate", "example.org")
        try expectEnd()
        let new = try #require(try host.signers().first)
        try servers.update([
            "zone example.org", "update delete \(new)._domainkey.example.org. TXT",
            "update add \(new)._domainkey.example.org. 2 TXT \"v=DKIM1; k=ed25519; p=\"",
        ])
        // The key before is still in the DNS, for exactly this.
        let result = try host.signet("rotate")
        #expect(try host.signers() == old, "\(result.output)")
        #expect(result.output.contains("the key has been revoked"))
        #expect(result.output.contains("have every server show the TXT record \(new)"))
        try host.expectVerified("edited", at: servers)
    }

    @Test(.enabled(if: getuid() == 0, "only root can mount a small disk"))
    func `the disk is full`() throws {
        let before = try host.signers()
        // The keys move to a disk of their own, and a file fills it.
        let disk = try host.directory.makeDirectory("disk", mode: 0o700)
        try Command.require("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "none", disk])
        defer { _ = try? Command.run("umount", ["--lazy", disk]) }
        try Command.require("cp", ["-a", "\(host.keys)/example.org", disk])
        try FileManager.default.moveItem(
            atPath: "\(host.keys)/example.org", toPath: "\(host.keys)/.before")
        try Command.require("mount", ["--bind", disk, host.keys])
        defer { _ = try? Command.run("umount", ["--lazy", host.keys]) }
        _ = try Command.run("dd", ["if=/dev/zero", "of=\(host.keys)/filler", "bs=1k"])
        for _ in 0..<3 {
            let result = try host.signet("rotate", "example.org")
            #expect(result.end == .exited(75))
            #expect(result.errors.contains("No space left on device"), "\(result.errors)")
            #expect(try host.signers() == before)
            try host.expectVerified("full", at: servers)
        }
        try FileManager.default.removeItem(atPath: "\(host.keys)/filler")
        _ = try host.signet("rotate", "example.org")
        try expectEnd()
    }
}

/// Keys that the configuration names elsewhere, and names that lead elsewhere.
@Suite struct RotationRefusalTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("signet-refusal")
        try directory.makeDirectory("keys/example.org", mode: 0o700)
        try directory.write("Method show\n", to: "rotate.conf")
        try Command.require(
            try DaemonProcess.path(of: "signet"),
            [
                "key", "new", "-s", "mail", "-d", "example.org", "-D",
                directory.file("keys/example.org"),
            ])
    }

    private func rotate(_ configuration: String, _ domain: String...) throws -> Command.Result {
        let path = try directory.write(
            "KeyDirectory \(directory.file("keys"))\n\(configuration)\n", to: "dkim.conf")
        return try Command.run(
            try DaemonProcess.path(of: "signet"),
            ["key", "rotate", "-x", path, "--rotation-config", directory.file("rotate.conf")]
                + domain)
    }

    @Test func `a domain whose key is named elsewhere does not rotate`() throws {
        let key = directory.file("keys/example.org/mail.private")
        let table = try directory.write("one example.org:mail:\(key)\n", to: "table")
        let other = try directory.write("one example.net:mail:\(key)\n", to: "other")
        let pattern = try directory.write("one %:mail:/etc/none/%.private\n", to: "pattern")
        for configuration in [
            "KeyFile \(key)\nSelector mail\nDomain example.org", "KeyFile \(key)\nSelector mail",
            "KeyTable \(table)\nSigningTable csl:example.org=one",
            "KeyTable \(other)\nSigningTable csl:example.net=one",
            "KeyTable \(pattern)\nSigningTable csl:*@example.net=one",
            "KeyFile \(key)\nSelector mail\nDomain org\nSubDomains yes",
        ] {
            let result = try rotate(configuration, "example.org")
            #expect(result.end == .exited(75), "\(configuration)")
            #expect(result.errors.contains("goes before KeyDirectory"), "\(result.errors)")
        }
        let files = try FileManager.default.contentsOfDirectory(
            atPath: directory.file("keys/example.org"))
        #expect(!files.contains("rotation") && !files.contains("signing"))
    }

    @Test(arguments: ["../x", "a/b", "/etc", "-x.example", "a..b", "example.org/../../x", ".", ""])
    func `a name that is no domain makes nothing`(_ name: String) throws {
        let result = try rotate("", "--", name)
        #expect(!result.succeeded, "\(result.output)")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.file("keys"))
        #expect(files == ["example.org"])
    }

    @Test func `a folder that is a link, and a state that is edited, are told and left`() throws {
        try directory.makeDirectory("elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("keys/example.net"),
            withDestinationPath: directory.file("elsewhere"))
        var result = try rotate("", "example.net")
        #expect(result.end == .exited(75), "\(result.output)\(result.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.file("elsewhere")) == [])
        for text in [
            "key ../../x rsa signing made=1 since=1 group=1\n",
            "key mail rsa signing made=1 since=1 group=1\nkey mail rsa made made=1 since=1 group=1\n",
            String(repeating: "x", count: 100_000), "\0\0\0",
        ] {
            try directory.write(text, to: "keys/example.org/rotation")
            result = try rotate("", "example.org")
            #expect(result.end == .exited(75), "\(text.prefix(60)): \(result.output)")
            #expect(result.errors.contains("rotation"), "\(result.errors)")
            #expect(
                try String(
                    contentsOfFile: directory.file("keys/example.org/rotation"), encoding: .utf8)
                    == text)
        }
    }
}

import Foundation
import Glibc
import TestKit
import Testing

/// The configurations that guides and Debian's packages hand out load as they stand.
///
/// The files themselves are looked for beside the project; what they say is repeated here in our own words for when they are absent.
@Suite(.serialized) struct FixtureTests {
    private func check(_ path: String) throws -> Command.Result {
        try Command.run(try DaemonProcess.path(of: "signet-dkim"), ["-n", "-x", path])
    }

    /// The lines of a configuration without those that this machine cannot have: a user or a file that only a package makes.
    private func adapted(_ text: String) -> String {
        text.split(separator: "\n").filter { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1 else { return true }
            switch words[0] {
            case "UserID":
                return words[1].split(separator: ":").allSatisfy { isUser(String($0)) }
            case "TrustAnchorFile": return unsafe access(String(words[1]), R_OK) == 0
            default: return true
            }
        }.map { $0 + "\n" }.joined()
    }

    private func isUser(_ name: String) -> Bool { unsafe getpwnam(name) != nil }

    /// What Debian's packages install, but for comments.
    static let defaults = [
        """
        Syslog yes
        SyslogSuccess yes
        Canonicalization relaxed/simple
        OversignHeaders From
        UMask 007
        Socket local:/run/opendkim/opendkim.sock
        PidFile /run/opendkim/opendkim.pid
        """,
        """
        Syslog yes
        UMask 007
        PidFile /run/dkimpy-milter/dkimpy-milter.pid
        """,
    ]

    @Test(arguments: 0..<defaults.count)
    func `what Debian's packages say`(_ index: Int) throws {
        let directory = try TemporaryDirectory()
        let result = try check(try directory.write(Self.defaults[index] + "\n", to: "dkim.conf"))
        #expect(result.end == .exited(0), "\(result.errors)")
    }

    @Test(
        .enabled(if: Shared.folder != nil, "the fixtures are not at hand"),
        arguments: ["opendkim.conf", "dkimpy-milter.conf"])
    func `Debian's own files`(_ name: String) throws {
        let text = try Shared.text("fixtures/debian-defaults/\(name)")
        let directory = try TemporaryDirectory()
        let path =
            adapted(text).split(separator: "\n").count
                == text.split(separator: "\n").count
            ? try #require(Shared.folder) + "/fixtures/debian-defaults/\(name)"
            : try directory.write(adapted(text), to: name)
        let result = try check(path)
        #expect(result.end == .exited(0), "\(result.errors)")
    }

    /// A guide to OpenDKIM: the directives, and the three tables.
    static let guide: [String: String] = [
        "opendkim.conf": """
        Syslog yes
        UMask 002
        Canonicalization relaxed/simple
        Mode sv
        SignatureAlgorithm rsa-sha256
        AutoRestart yes
        AutoRestartRate 10/1h
        Socket inet:12145@localhost
        ExternalIgnoreList refile:/etc/opendkim/TrustedHosts
        InternalHosts refile:/etc/opendkim/TrustedHosts
        KeyTable refile:/etc/opendkim/KeyTable
        SigningTable refile:/etc/opendkim/SigningTable
        """,
        "TrustedHosts": "127.0.0.1\nlocalhost\n192.168.0.1/24\n*.yourdomain.com\n",
        "KeyTable":
            "mail._domainkey.yourdomain.com yourdomain.com:mail:/etc/opendkim/keys/yourdomain.com/mail.private\n",
        "SigningTable": "*@yourdomain.com mail._domainkey.yourdomain.com\n",
    ]

    @Test(arguments: [false, true])
    func `a guide's configuration signs over inet and protocol 2`(_ own: Bool) throws {
        if own, Shared.folder == nil { return }
        let directory = try TemporaryDirectory("signet-guide")
        let port = try LoopbackPort.free()
        for (name, text) in Self.guide {
            var text = own ? try Shared.text("fixtures/tutorial-opendkim/\(name)") : text
            text = text.replacing("/etc/opendkim/keys/yourdomain.com/", with: "\(directory.path)/")
                .replacing("/etc/opendkim/", with: "\(directory.path)/")
                .replacing("/var/run/opendkim/", with: "\(directory.path)/")
                .replacing("inet:12145", with: "inet:\(port)")
            // The user that a package makes could not read a key in this directory.
            text = text.split(separator: "\n").filter { !$0.hasPrefix("UserID") }
                .map { $0 + "\n" }.joined()
            try directory.write(text, to: name)
        }
        try directory.write(Keys.pem(Keys.shared.get().rsa), to: "mail.private", mode: 0o600)
        let path = directory.file("opendkim.conf")
        let checked = try check(path)
        #expect(checked.end == .exited(0), "\(checked.errors)")
        #expect(checked.errors.contains("192.168.0"))
        #expect(checked.errors.contains("notice: AutoRestart: "))
        let configuration = try String(contentsOfFile: path, encoding: .utf8)
        // Not to syslog, which belongs to the machine.
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: configuration.replacing("Syslog\tyes", with: "")
                .replacing("Syslog yes", with: ""),
            directory: directory)
        var envelope = Envelope()
        envelope.clientAddress = "192.168.0.77"
        let message = MailMessage.plain.with(("From", "me@yourdomain.com"))
        let outcome = try FakeMTA.version2(.tcp(port)).deliver(message, envelope)
        #expect(outcome.signatureCount == 1, "\(daemon.log)")
        #expect(
            outcome.message.values("DKIM-Signature")[0].contains("c=relaxed/simple"))
    }
}

import Foundation
import Glibc
import MailCrypto
import TestKit
import Testing

/// The process around the mail: its configuration, reloads, keys that change under it, and files on the command line.
@Suite(.serialized) struct ServiceTests {
    private let keys: Keys

    init() throws {
        keys = try Keys.shared.get()
    }

    private func run(_ arguments: String...) throws -> Command.Result {
        try Command.run(try DaemonProcess.path(of: "signet-dkim"), arguments)
    }

    @Test func `the socket and the pid file are as the configuration says`() throws {
        let directory = try TemporaryDirectory()
        let daemon = try RunningDaemon(
            "UMask 017\nPidFile \(directory.file("pid"))\n" + keys.single)
        var status = stat()
        #expect(unsafe lstat(daemon.directory.file("s"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        let pid = try String(contentsOfFile: directory.file("pid"), encoding: .utf8)
        #expect(pid == "\(daemon.process.pid)\n")
        #expect(try daemon.process.stop() == .exited(0))
        #expect(unsafe lstat(daemon.directory.file("s"), &status) != 0)
    }

    @Test func `a reload changes what is asked of the MTA`() throws {
        let daemon = try RunningDaemon(ours(keys.single))
        var envelope = Envelope()
        envelope.recipients = [["<list@example.net>"]]
        let old = try daemon.mta.connect()
        #expect(try daemon.mta.deliver(.plain, envelope).signatureCount == 1)
        try daemon.reload(
            "MacroList {client_ptr}=x\nDontSignMailTo list@example.net\n" + ours(keys.single),
            until: "is reloaded")
        #expect(try daemon.mta.deliver(.plain, envelope).signatureCount == 0)
        let fresh = try daemon.mta.connect()
        #expect(fresh.agreement.macroLists[2]?.contains("{client_ptr}") == true)
        fresh.quit()
        // Who was there before keeps what held then.
        #expect(try old.deliver(.plain, envelope).signatureCount == 1)
        old.quit()
    }

    /// What may befall a key file while the daemon runs, and the words that say so.
    static let mishaps: [(String, words: String, @Sendable (String) throws -> Void)] = [
        ("emptied", "is empty", { try Data().write(to: URL(fileURLWithPath: $0)) }),
        ("readable for all", "is open to others (mode 0644)", { _ = unsafe chmod($0, 0o644) }),
        ("gone", "cannot be read", { _ = unsafe unlink($0) }),
        (
            "another kind of file", "not a key",
            { try Data("hello".utf8).write(to: URL(fileURLWithPath: $0)) }
        ),
    ]

    @Test(arguments: 0..<mishaps.count)
    func `a key that turns bad keeps the old one in use`(_ index: Int) throws {
        let (what, words, befall) = Self.mishaps[index]
        let directory = try TemporaryDirectory()
        let path = try directory.write(Keys.pem(keys.rsa), to: "k", mode: 0o600)
        let text = ours(keys.single.replacing(keys.rsaPath, with: path))
        let daemon = try RunningDaemon(text)
        try befall(path)
        #expect(try daemon.mta.deliver(.plain).signatureCount == 1, "\(what)")
        try daemon.reload(text, until: "the old one stays")
        #expect(daemon.log(words) > 0, "\(what): \(daemon.process.log)")
        #expect(try daemon.mta.deliver(.plain).signatureCount == 1, "\(what)")
        // Repaired, it is read again.
        try directory.write(Keys.pem(keys.rsa), to: "k", mode: 0o600)
        try daemon.reload(text, until: "is reloaded")
        #expect(try daemon.mta.deliver(.plain).signatureCount == 1)
    }

    @Test func `a key that is swapped signs after the reload and not before`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Keys.pem(keys.rsa), to: "k", mode: 0o600)
        let text = ours(keys.single.replacing(keys.rsaPath, with: path))
        let daemon = try RunningDaemon(text)
        try directory.write(Keys.pem(keys.ed25519), to: "k", mode: 0o600)
        func algorithm() throws -> String {
            try daemon.mta.deliver(.plain).message.values("DKIM-Signature")[0]
        }
        #expect(try algorithm().contains("a=rsa-sha256"))
        try daemon.reload(text, until: "is reloaded")
        #expect(try algorithm().contains("a=ed25519-sha256"))
    }

    @Test func `one run of -n reports everything with its place`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            """
            Domian example.org
            KeyFile /none
            MaximumHeaders many
            SigningTable file:/none
            LDAPTimeout 3
            """, to: "dkim.conf")
        let result = try run("-n", "-x", path)
        #expect(result.end == .exited(78))
        for words in [
            "\(path):1:1: error: Domian: unknown directive; did you mean Domain?",
            "\(path):3:1: error: MaximumHeaders: \"many\" is not a whole number",
            "\(path):4:1: error: SigningTable: /none ",
            "\(path):5:1: notice: LDAPTimeout: ",
        ] {
            #expect(result.errors.contains(words), "\(words) in \(result.errors)")
        }
    }

    @Test func `-t judges messages from files`() throws {
        let directory = try TemporaryDirectory()
        let record = Keys.record(keys.rsa)
        let records = try directory.write("mail._domainkey.example.org \(record)\n", to: "records")
        let path = try directory.write("TestPublicKeys \(records)\n", to: "dkim.conf")
        let message = try MailMessage.plain.signed()
        let good = try directory.write(message.description, to: "good")
        let bad = try directory.write(message.description + "more\n", to: "bad")
        let result = try run("-x", path, "-t", good, bad)
        #expect(result.output.contains("\(good): dkim=pass"))
        #expect(result.output.contains("\(bad): dkim=fail"))
        // As mail programs save it (RFC 4155).
        let first = "From ann@example.org Fri Nov 20 10:00:00 2026\n"
        let saved = try directory.write(first + message.description, to: "saved")
        #expect(try run("-x", path, "-t", saved).output.contains("\(saved): dkim=pass"))
        #expect(result.end == .exited(0))
        // It serves nobody, so that who runs it is nothing to speak of.
        #expect(result.errors.isEmpty)
        let absent = try run("-x", path, "-t", "/none")
        #expect(absent.end == .exited(66))
        #expect(absent.errors == "/none cannot be read: No such file or directory\n")
    }
}

import Configuration
import DaemonKit
import Foundation
import MailSyntax
import Milter
import SessionTestKit
import TestKit
import Testing

@testable import signet_dkim

/// A KeyDirectory of a test's own.
struct KeyDirectoryFixture {
    let directory: TemporaryDirectory
    let keys: Keys

    init() throws {
        directory = try TemporaryDirectory("signet-keydir")
        keys = try Keys.shared.get()
    }

    var directive: String { "KeyDirectory \(directory.path)\n" }

    /// Puts a key into a domain's folder.
    func add(_ selector: String, of domain: String, ed25519: Bool = false) throws {
        try directory.makeDirectory(domain, mode: 0o700)
        let key = ed25519 ? keys.ed25519 : keys.rsa
        try directory.write(
            Keys.pem(key), to: "\(domain)/\(selector).private", mode: 0o600)
    }

    /// The selectors of the signatures that a message of example.org gets.
    func signers(_ more: String = "", of message: MailMessage = .plain) throws -> [String] {
        try pass(ours(more + directive), message).signatures.compactMap { $0["s"] }
    }

    /// The log of a message that gets no signature.
    func log(_ message: MailMessage = .plain) throws -> String {
        let passage = try pass(ours(directive), message)
        #expect(passage.signatures.isEmpty)
        return passage.log.joined(separator: "\n")
    }
}

/// What KeyDirectory does.
enum KeyDirectoryCases {
    static func check() throws {
        let fixture = try KeyDirectoryFixture()
        #expect(try fixture.log().contains("no folder example.org in"))
        try fixture.add("mail", of: "example.org")
        #expect(try fixture.signers() == ["mail"])
        try fixture.add("ed", of: "example.org", ed25519: true)
        #expect(try fixture.signers() == ["ed", "mail"])
        // The tables go before it, and it stands in where they have no line.
        #expect(try fixture.signers(fixture.keys.single) == ["mail"])
        let others = "SigningTable csl:example.net=k\nKeyTable csl:k=%:t:\(fixture.keys.rsaPath)\n"
        #expect(try fixture.signers(others) == ["ed", "mail"])
        // Subdomains only where SubDomains says so.
        let message = MailMessage.plain.with(("From", "<a@news.example.org>"))
        #expect(try fixture.signers(of: message).isEmpty)
        #expect(try fixture.signers("SubDomains yes\n", of: message) == ["ed", "mail"])
        let path = fixture.directory.path
        #expect(!errors("KeyDirectory \(path)/none\n").isEmpty)
        #expect(!errors("KeyDirectory \(path)/example.org/mail.private\n").isEmpty)
    }
}

/// Keys that change under one configuration, and names and files that a folder should not have.
@Suite struct KeyDirectoryTests {
    @Test func `keys rotate under a running daemon`() throws {
        let fixture = try KeyDirectoryFixture()
        let directory = fixture.directory
        try fixture.add("old", of: "example.org")
        try directory.write("old\n", to: "example.org/signing")
        var exchange = try Exchange(ours(fixture.directive))
        exchange.queueID = nil
        let lines = Lines()
        let session = try exchange.session(lines)
        exchange.connect(session)
        // One session, one configuration: what changes is the folder alone.
        func signers() -> [String] {
            let verdict = exchange.deliver(.plain, session)
            return Passage(verdict, .plain, log: []).signatures.compactMap { $0["s"] }
        }
        #expect(signers() == ["old"])
        try fixture.add("new", of: "example.org", ed25519: true)
        #expect(signers() == ["old"])
        try directory.write("new  # since today\nold\n", to: "example.org/signing")
        #expect(signers() == ["new", "old"])
        try directory.write("new\n", to: "example.org/signing")
        #expect(signers() == ["new"])
        try directory.write("# nothing signs\n", to: "example.org/signing")
        #expect(signers().isEmpty)
        try FileManager.default.removeItem(atPath: directory.file("example.org"))
        #expect(signers().isEmpty)
        try fixture.add("again", of: "example.org")
        #expect(signers() == ["again"])
        session.close()
    }

    @Test(arguments: ["two words\n", "../mail\n", "a/b\n", "\u{0}\n", "-\n", "none\n", ""])
    func `a list that cannot be used is a fault, not a choice`(_ text: String) throws {
        let fixture = try KeyDirectoryFixture()
        try fixture.add("mail", of: "example.org")
        try fixture.directory.write(text, to: "example.org/signing")
        let passage = try pass(ours(fixture.directive))
        #expect(passage.signatures.isEmpty)
        // On-SignatureError: mail that should be signed and cannot be is refused.
        #expect(passage.refusal != nil)
    }

    @Test func `a folder that cannot be looked at is a fault, not a domain without a key`() throws {
        let fixture = try KeyDirectoryFixture()
        // Links that lead to each other: what stat(2) says is not that there is nothing.
        try FileManager.default.createSymbolicLink(
            atPath: fixture.directory.file("example.org"), withDestinationPath: "example.org")
        let passage = try pass(ours(fixture.directive))
        #expect(passage.signatures.isEmpty)
        #expect(passage.refusal != nil)
        // Without a folder, and without a name that could be one, nothing is meant to sign.
        try FileManager.default.removeItem(atPath: fixture.directory.file("example.org"))
        #expect(try pass(ours(fixture.directive)).refusal == nil)
    }

    @Test func `files that others may change are not used`() throws {
        let fixture = try KeyDirectoryFixture()
        try fixture.add("mail", of: "example.org")
        setMode(fixture.directory.file("example.org/mail.private"), 0o644)
        #expect(try pass(ours(fixture.directive)).refusal != nil)
        setMode(fixture.directory.file("example.org/mail.private"), 0o600)
        #expect(try fixture.signers() == ["mail"])
    }

    @Test func `links out of the directory are not followed`() throws {
        let fixture = try KeyDirectoryFixture()
        let manager = FileManager.default
        try fixture.directory.makeDirectory("example.org", mode: 0o700)
        try manager.createSymbolicLink(
            atPath: fixture.directory.file("example.org/mail.private"),
            withDestinationPath: fixture.keys.rsaPath)
        #expect(try pass(ours(fixture.directive)).refusal != nil)
        try manager.removeItem(atPath: fixture.directory.file("example.org"))
        try manager.createSymbolicLink(
            atPath: fixture.directory.file("example.org"),
            withDestinationPath: fixture.keys.directory.path)
        #expect(try pass(ours(fixture.directive)).refusal != nil)
        // One domain's folder may stand for another's.
        try manager.removeItem(atPath: fixture.directory.file("example.org"))
        try fixture.add("mail", of: "example.com")
        try manager.createSymbolicLink(
            atPath: fixture.directory.file("example.org"), withDestinationPath: "example.com")
        #expect(try fixture.signers() == ["mail"])
    }

    @Test(arguments: [
        "a@..", "a@../etc", "a@-x.org", "a@x_y.org", "a@[192.0.2.1]", "a@.",
        "a@%2e%2e", "a@\u{0}.org", "a@a..b",
    ])
    func `a hostile domain never becomes a path`(_ address: String) throws {
        let fixture = try KeyDirectoryFixture()
        try fixture.add("mail", of: "example.org")
        let message = MailMessage.plain.with(("From", "<\(address)>"))
        #expect(try fixture.signers(of: message).isEmpty)
    }

    @Test func `-n looks at every folder`() throws {
        let fixture = try KeyDirectoryFixture()
        let directory = fixture.directory
        try fixture.add("mail", of: "good.example")
        try fixture.add("mail", of: "bad.example")
        try directory.write("gone\n", to: "bad.example/signing")
        try fixture.add("mail", of: "broken.example")
        try directory.write("no key\n", to: "broken.example/mail.private", mode: 0o600)
        try directory.write("", to: "README")
        let reader = ConfigurationReader(
            schema: SignetDKIM.description.schema, text: fixture.directive, named: "dkim.conf")
        let settings = DKIMConfiguration(reading: reader)
        // A start looks at none of it.
        #expect(reader.problems.isEmpty)
        SignetDKIM.check(settings, reader)
        let found = reader.problems.map(\.description)
        #expect(found.count == 3, "\(found)")
        #expect(found.contains { $0.contains("bad.example/gone.private is not there") })
        #expect(found.contains { $0.contains("broken.example/mail.private") })
        #expect(found.contains { $0.contains("README is not the folder of a domain") })
        #expect(SignetDKIM.summary(of: settings).contains("signing the domains of "))
    }
}

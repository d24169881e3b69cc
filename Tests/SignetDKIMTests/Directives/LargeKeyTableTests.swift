import Configuration
import DaemonKit
import Foundation
import MailCrypto
import MailSyntax
import SessionTestKit
import TestKit
import Testing
import Threads

@testable import signet_dkim

/// Key tables of many lines: what a start reads is bounded, whatever their number.
@Suite struct LargeKeyTableTests {
    private let directory: TemporaryDirectory
    private let keys: Keys

    init() throws {
        directory = try TemporaryDirectory("signet-large-table")
        keys = try Keys.shared.get()
    }

    /// A table of so many lines; the key of a line is in the file with its number, or in one for all.
    private func configuration(_ lines: Int, sharing path: String? = nil) throws -> String {
        let names = (0..<lines).map { "d\($0).example" } + ["example.org"]
        let table = names.enumerated().map { index, name in
            "\(name) \(name):mail:\(path ?? directory.file("\(index).private"))\n"
        }
        try directory.write(table.joined(), to: "KeyTable")
        try directory.write(names.map { "*@\($0) \($0)\n" }.joined(), to: "SigningTable")
        return ours(
            "KeyTable file:\(directory.file("KeyTable"))\n"
                + "SigningTable refile:\(directory.file("SigningTable"))\n")
    }

    private func sources(_ text: String) throws -> [KeySource] {
        guard case .tables(_, let keys) = read(text).configuration.keys.plan else { return [] }
        return keys.values.joined().map(\.source)
    }

    @Test func `a file that all lines name is read once`() throws {
        let text = try configuration(3 * TableKeyFiles.mostRead, sharing: keys.ed25519Path)
        let read = try sources(text).compactMap { source in
            if case .loaded(let key) = source { ObjectIdentifier(key) } else { nil }
        }
        #expect(read.count == 3 * TableKeyFiles.mostRead + 1)
        #expect(Set(read).count == 1)
    }

    @Test func `of very many files none is read before it signs`() throws {
        let count = TableKeyFiles.mostRead
        let pem = Keys.pem(keys.ed25519)
        for index in 0...count {
            try directory.write(pem, to: "\(index).private", mode: 0o600)
        }
        let text = try configuration(count)
        let deferred = try sources(text).count { if case .deferred = $0 { true } else { false } }
        #expect(deferred == count + 1)
        #expect(read(text).problems.map(\.severity) == [.notice])
        #expect(try pass(text).signatures.map { $0["d"] } == ["example.org"])
        // With the same care as at start.
        let own = directory.file("\(count).private")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: own)
        let unsafe = try pass(text)
        #expect(unsafe.signatures.isEmpty)
        #expect(unsafe.log.contains { $0.contains("is open to others") }, "\(unsafe.log)")
        // One that is not there is told at start, as of any table.
        try FileManager.default.removeItem(atPath: own)
        #expect(errors(text).count == 1)
    }

    /// A file may be looked at in the middle of being written, or be given to the daemon's user later.
    @Test func `a file that was of no use is read again`() throws {
        let key = keys.ed25519
        let vault = KeyVault { path in
            let octets = FileManager.default.contents(atPath: path) ?? Data()
            return octets.isEmpty ? .fault(reason: "it is empty") : .key(key)
        }
        let path = try directory.write("", to: "late.private", mode: 0o600)
        let domain = try DomainName("example.org")
        func isLoaded() -> Bool {
            if case .key = vault.load(.deferred(path: path), for: domain) { true } else { false }
        }
        #expect(!isLoaded())
        try directory.write(Keys.pem(keys.ed25519), to: "late.private", mode: 0o600)
        #expect(isLoaded())
        // Of a key that was read the file is not read again.
        try directory.write("", to: "late.private", mode: 0o600)
        #expect(isLoaded())
    }

    /// A busy domain's key is not read again whenever many others have signed.
    @Test func `keys that sign stay, and the others are forgotten`() throws {
        let key = keys.ed25519
        let reads = Locked<[String: Int]>([:])
        let vault = KeyVault { path in
            reads.withLock { $0[path, default: 0] += 1 }
            return .key(key)
        }
        let domain = try DomainName("example.org")
        func use(_ path: String) { _ = vault.load(.deferred(path: path), for: domain) }
        let others = 5 * KeyVault.generationLimit
        for index in 0..<others {
            use("busy")
            use("\(index)")
        }
        #expect(reads.withLock { $0["busy"] } == 1)
        // Half of what is kept is there at any time.
        for index in (others - KeyVault.generationLimit + 1)..<others { use("\(index)") }
        #expect(reads.withLock { $0.count } == others + 1)
        #expect(reads.withLock { $0.values.max() } == 1)
        use("0")
        #expect(reads.withLock { $0["0"] } == 2)
    }

    /// OpenDKIM's fourth field, of a key that is not read with the table.
    @Test(arguments: [("rsa-sha256", false), ("ed25519-sha256", true), ("ED25519-SHA256", true)])
    func `the algorithm of a key that is read later is compared then`(
        _ algorithm: String, _ fits: Bool
    ) throws {
        try keys.write(keys.ed25519, to: "example.org.later")
        let line = "one %:s:\(keys.directory.path)/%.later:\(algorithm)"
        let table = try directory.write(line + "\n", to: "KeyTable")
        let passage = try pass(
            ours("KeyTable file:\(table)\nSigningTable csl:example.org=one\n"))
        #expect(passage.signatures.count == (fits ? 1 : 0))
        let words = "the key for s._domainkey.example.org makes ed25519-sha256, not rsa-sha256"
        #expect(passage.logs(words) == !fits, "\(passage.log)")
    }

    @Test func `a fourth field that is no algorithm is told at start`() throws {
        let table = try directory.write("one %:s:/keys/%.key:rsa-sha512\n", to: "KeyTable")
        let found = errors("KeyTable file:\(table)\nSigningTable csl:example.org=one\n")
        #expect(found.count == 1)
        #expect("\(found)".contains("rsa-sha512"))
    }

    @Test func `what was found in very many files is looked through once`() throws {
        // Every key is warned of: the mode is too open, and nothing asks for better.
        let path = try keys.write(keys.ed25519, to: "open.private", mode: 0o644)
        let reader = ConfigurationReader(
            schema: SignetDKIM.description.schema, text: "", named: "dkim.conf")
        for line in 1...50 {
            _ = reader.keyFile(
                path, requireSafe: false, directive: "KeyTable",
                at: SourceLocation(file: "KeyTable", line: line))
        }
        #expect(reader.problems.count == 50)
        #expect(reader.faulty.isEmpty)
        reader.report(.error, "UserID", "is nobody")
        #expect(reader.faulty == ["UserID"])
        #expect(
            reader.keyFile(
                path, requireSafe: true, directive: "KeyTable", at: SourceLocation(file: "x"))
                != nil)
    }
}

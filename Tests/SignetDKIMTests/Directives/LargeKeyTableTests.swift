import Configuration
import DaemonKit
import Foundation
import MailCrypto
import MailSyntax
import SessionTestKit
import TestKit
import Testing

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

import Foundation
import Glibc
import TestKit
import Testing

@testable import Configuration

@Suite struct KeyFileTests {
    /// What is done to a good key file in a good directory, and what must be said.
    @Test(arguments: [
        (0o600, 0o755, nil), (0o400, 0o700, nil), (0o640, 0o755, nil),
        (0o644, 0o755, "is open to others (mode 0644)"), (0o620, 0o755, "is open to others"),
        (0o602, 0o755, "is open to others"), (0o600, 0o777, "others can put another file"),
        (0o600, 0o1777, nil),
    ])
    func `an unsafe file is refused`(_ file: UInt32, _ directory: UInt32, _ message: String?) throws
    {
        let folder = try Folder(["k": "secret"])
        setMode(folder.file("k"), file)
        setMode(folder.path, directory)
        let reader = reader("KeyFile \(folder.file("k"))\n")
        let place = try #require(reader.location(of: "KeyFile"))
        let strict = reader.keyFile(
            folder.file("k"), requireSafe: true, directive: "KeyFile", at: place)
        #expect((strict == nil) == (message != nil))
        #expect(reader.problems.count == (message == nil ? 0 : 1))
        if let message, let problem = reader.problems.first {
            #expect(problem.severity == .error)
            #expect(problem.description.contains(message))
            #expect(problem.location.line == 1)
        }
        let lax = reader.keyFile(
            folder.file("k"), requireSafe: false, directive: "KeyFile", at: place)
        #expect(lax == Array("secret".utf8))
        #expect(reader.problems.last?.severity != .error || reader.problems.isEmpty)
    }

    @Test func `a file that gives no key is an error in any case`() throws {
        let folder = try Folder(["empty": "", "big": String(repeating: "x", count: 70_000)])
        let reader = reader("")
        let place = SourceLocation(file: "KeyTable", line: 7)
        for path in [
            folder.file("gone"), folder.file("empty"), folder.file("big"), folder.path, "k",
        ] {
            #expect(
                reader.keyFile(path, requireSafe: false, directive: "KeyTable", at: place) == nil)
        }
        let messages = reader.problems.filter { $0.severity == .error }.map(\.description)
        #expect(messages.count == 5)
        #expect(messages.allSatisfy { $0.hasPrefix("KeyTable:7: error: KeyTable: the key file") })
    }

    @Test func `a foreign owner is not trusted`() {
        var status = stat()
        status.st_mode = S_IFREG | 0o600
        status.st_uid = 4242
        let safety = KeyFileSafety(user: 1000, groups: [1000])
        #expect(safety.findings(path: "/", status: status).count == 1)
        status.st_uid = 1000
        #expect(safety.findings(path: "/", status: status).isEmpty)
        status.st_mode = S_IFREG | 0o640
        status.st_gid = 1000
        #expect(safety.findings(path: "/", status: status).isEmpty)
        status.st_gid = 8
        #expect(safety.findings(path: "/", status: status).count == 1)
    }

    /// Its mode is no fault: it is the wrong file.
    @Test(arguments: [
        "mail._domainkey\tIN\tTXT\t( \"v=DKIM1; k=rsa; \" \"p=MIG\" )\n",
        "-----BEGIN PUBLIC KEY-----\nMIG\n-----END PUBLIC KEY-----\n",
    ]) func `a key record is no key file`(_ contents: String) throws {
        let folder = try Folder(["mail.txt": contents])
        setMode(folder.file("mail.txt"), 0o644)
        let reader = reader("KeyFile \(folder.file("mail.txt"))\n")
        let place = try #require(reader.location(of: "KeyFile"))
        _ = reader.keyFile(
            folder.file("mail.txt"), requireSafe: true, directive: "KeyFile", at: place)
        #expect(reader.problems.map(\.severity) == [.error])
        let suggestion = try #require(reader.problems.first?.suggestion)
        #expect(suggestion == "name the private key, such as \(folder.file("mail.private"))")
    }

    /// Who may read the file is a question about the user that is missing.
    @Test func `an unknown user is the only fault`() throws {
        let folder = try Folder(["k": "secret"])
        setMode(folder.file("k"), 0o640)
        setMode(folder.path, 0o777)
        let reader = reader("KeyFile \(folder.file("k"))\n")
        reader.report(.error, "UserID", "there is no such user")
        let place = try #require(reader.location(of: "KeyFile"))
        let bytes = reader.keyFile(
            folder.file("k"), requireSafe: true, directive: "KeyFile", at: place)
        #expect(bytes != nil && reader.problems.count == 1)
    }
}

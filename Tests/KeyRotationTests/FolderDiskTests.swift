import DomainKeys
import Foundation
import MailSyntax
import TestKit
import Testing

@testable import KeyRotation

@Suite struct FolderDiskTests {
    private let directory: TemporaryDirectory
    private let disk: FolderDisk
    private let domain = DomainName.example

    init() throws {
        directory = try TemporaryDirectory("signet-disk")
        try directory.makeDirectory("keys", mode: 0o700)
        try directory.makeDirectory("revealed")
        disk = FolderDisk(
            KeyTree(directory.file("keys")), revealDirectory: directory.file("revealed"))
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(
            atPath: directory.file("keys/\(name)"))[.posixPermissions] as? Int
    }

    @Test func `files are written whole, closed to others where they are keys`() throws {
        let selector = try DomainName("s1")
        #expect(try disk.state(of: domain) == nil && disk.signing(domain) == nil)
        try disk.writeSigning([selector], of: domain)
        try disk.makeKey(selector, .ed25519, bits: 2048, of: domain)
        let key = try disk.publicKey(selector, of: domain)
        // What is there is kept.
        try disk.makeKey(selector, .rsa, bits: 2048, of: domain)
        #expect(try disk.publicKey(selector, of: domain) == key)
        #expect(try disk.signing(domain) == [selector])
        #expect(try mode("example.org") == 0o700)
        #expect(try mode("example.org/s1.private") == 0o600)
        #expect(try mode("example.org/signing") == 0o644)
        #expect(try disk.keys(of: domain).map(\.kind) == [.ed25519])
        try disk.writeState("# x\n", of: domain)
        #expect(try disk.state(of: domain) == Array("# x\n".utf8))
        let names = try FileManager.default.contentsOfDirectory(
            atPath: directory.file("keys/example.org"))
        #expect(names.sorted() == ["rotation", "s1.private", "signing"])
        try disk.destroyKey(selector, of: domain)
        try disk.destroyKey(selector, of: domain)
        #expect(throws: DiskFailure.self) { try disk.publicKey(selector, of: domain) }
    }

    @Test func `a revealed key moves, also when that is done twice`() throws {
        let selector = try DomainName("s1")
        try disk.makeKey(selector, .ed25519, bits: 2048, of: domain)
        try disk.revealKey(selector, of: domain)
        try disk.revealKey(selector, of: domain)
        #expect(try disk.keys(of: domain).isEmpty)
        let path = directory.file("revealed/example.org/s1.private")
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("PRIVATE KEY"))
    }

    @Test func `links are not written through`() throws {
        let victim = try directory.write("precious", to: "victim")
        try directory.makeDirectory("keys/example.org", mode: 0o700)
        for name in ["signing", ".signing.new"] {
            try FileManager.default.createSymbolicLink(
                atPath: directory.file("keys/example.org/\(name)"), withDestinationPath: victim)
        }
        try disk.writeSigning([], of: domain)
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
        try FileManager.default.removeItem(atPath: directory.file("keys/example.org"))
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("keys/example.org"), withDestinationPath: directory.path)
        #expect(throws: DiskFailure.self) { try disk.writeSigning([], of: domain) }
        #expect(throws: DiskFailure.self) { try disk.signing(domain) }
    }

    @Test func `a link in the place of a key is neither read nor revealed`() throws {
        let other = try DomainName("other.example")
        let (mine, theirs) = (try DomainName("mine"), try DomainName("theirs"))
        try disk.makeKey(mine, .ed25519, bits: 2048, of: domain)
        try disk.makeKey(theirs, .ed25519, bits: 2048, of: other)
        let link = directory.file("keys/example.org/theirs.private")
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: directory.file("keys/other.example/theirs.private"))
        #expect(throws: DiskFailure.self) { try disk.publicKey(theirs, of: domain) }
        #expect(throws: DiskFailure.self) { try disk.revealKey(theirs, of: domain) }
        #expect(try disk.keys(of: domain).map(\.selector) == [mine])
        #expect(!FileManager.default.fileExists(atPath: directory.file("revealed/example.org")))
    }

    @Test func `hosts get keys first, then lists, and lose what is gone`() throws {
        let selector = try DomainName("s1")
        try disk.makeKey(selector, .ed25519, bits: 2048, of: domain)
        try disk.writeSigning([selector], of: domain)
        try disk.writeState("# x\n", of: domain)
        let other = try directory.makeDirectory("other", mode: 0o700)
        try directory.makeDirectory("other/mine.example", mode: 0o700)
        try directory.write("k", to: "other/mine.example/k.private")
        let sync = HostSync(disk.tree, directories: [other], seconds: 20)
        try sync.distributeKeys(of: [domain])
        let manager = FileManager.default
        // Without a list every key there would sign.
        let list = other + "/example.org/signing"
        #expect(
            try manager.contentsOfDirectory(atPath: other + "/example.org").sorted()
                == ["rotation", "s1.private", "signing"])
        let first = try String(contentsOfFile: list, encoding: .utf8)
        let next = try DomainName("s2")
        try disk.makeKey(next, .ed25519, bits: 2048, of: domain)
        try disk.writeSigning([next], of: domain)
        try sync.distributeKeys(of: [domain])
        #expect(manager.fileExists(atPath: other + "/example.org/s2.private"))
        #expect(try String(contentsOfFile: list, encoding: .utf8) == first)
        try sync.distributeLists(of: [domain])
        #expect(try String(contentsOfFile: list, encoding: .utf8) != first)
        try disk.destroyKey(next, of: domain)
        try disk.destroyKey(selector, of: domain)
        try sync.run()
        #expect(
            try manager.contentsOfDirectory(atPath: other + "/example.org").sorted()
                == ["rotation", "signing"])
        // A domain of the other host's own stays.
        #expect(manager.fileExists(atPath: other + "/mine.example/k.private"))
        #expect(throws: MethodFailure.self) {
            try HostSync(disk.tree, directories: ["/proc/none"], seconds: 20).run()
        }
        // Where one host is away no other has a key that must not sign yet without the list that says so.
        let third = try directory.makeDirectory("third", mode: 0o700)
        #expect(throws: MethodFailure.self) {
            try HostSync(disk.tree, directories: [third, "/proc/none"], seconds: 20).run()
        }
        #expect(
            try manager.contentsOfDirectory(atPath: third + "/example.org").sorted().last
                == "signing")
    }

    /// A list whose keys are missing fails mail, and so would a folder whose own key goes on signing beside a list without it.
    @Test(arguments: [false, true])
    func `no host has a list before the keys that it names`(_ isSecondAway: Bool) throws {
        let (selector, next) = (try DomainName("s1"), try DomainName("s2"))
        for key in [selector, next] { try disk.makeKey(key, .ed25519, bits: 2048, of: domain) }
        try disk.writeSigning([selector], of: domain)
        let first = try directory.makeDirectory("first", mode: 0o700)
        try directory.makeDirectory("first/example.org", mode: 0o700)
        try directory.write("own", to: "first/example.org/old.private", mode: 0o600)
        let second = isSecondAway ? "/proc/none" : try directory.makeDirectory("second")
        // Stands before rsync, and looks at the folder after each run.
        let place = directory.file("first/example.org")
        let program = try directory.write(
            """
            #!/bin/sh
            /usr/bin/rsync "$@"
            status=$?
            if [ -e "\(place)/signing" ]; then
                [ -e "\(place)/s1.private" ] || echo missing >>"\(directory.file("faults"))"
            elif [ -e "\(place)/s2.private" ]; then
                echo early >>"\(directory.file("faults"))"
            fi
            exit $status

            """, to: "rsync", mode: 0o755)
        let sync = HostSync(
            disk.tree, directories: [first, second], seconds: 20, program: program)
        if isSecondAway {
            #expect(throws: MethodFailure.self) { try sync.distributeKeys(of: [domain]) }
            #expect(throws: MethodFailure.self) { try sync.run() }
        } else {
            try sync.distributeKeys(of: [domain])
            try sync.run()
        }
        #expect(!FileManager.default.fileExists(atPath: directory.file("faults")))
        let names = try FileManager.default.contentsOfDirectory(atPath: place)
        #expect(Set(names).isSuperset(of: ["s1.private", "signing"]), "\(names)")
        #expect(names.contains("s2.private") == !isSecondAway)
    }
}

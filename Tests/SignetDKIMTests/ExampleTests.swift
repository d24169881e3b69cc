import Foundation
import MailCrypto
import TestKit
import Testing

@testable import signet_dkim

/// The files of packaging/examples/dkim, as they stand but for the directory that they are in.
@Suite struct ExampleTests {
    private static let examples = URL(fileURLWithPath: #filePath)
        .appendingPathComponent("../../../packaging/examples/dkim").standardized

    @Test func `the examples sign for their domains, with each key of a domain`() throws {
        let folder = try TemporaryDirectory("signet-example")
        func text(_ name: String) throws -> String {
            try String(contentsOf: Self.examples.appendingPathComponent(name), encoding: .utf8)
                .replacing("/etc/signet", with: folder.path)
        }
        for name in ["SigningTable", "KeyTable"] { try folder.write(text(name), to: name) }
        for directory in ["keys", "keys/example.com", "keys/example.net"] {
            try folder.makeDirectory(directory)
        }
        let keys = try Keys.shared.get()
        for (path, key) in [
            ("example.com/mail", keys.rsa), ("example.com/mail-ed25519", keys.ed25519),
            ("example.net/mail", keys.rsa),
        ] {
            try folder.write(Keys.pem(key), to: "keys/\(path).private", mode: 0o600)
        }
        let configuration = ours(try text("dkim.conf"))
        #expect(read(configuration).problems.isEmpty, "\(read(configuration).problems)")
        let two = try pass(configuration, .plain.with(("From", "a@example.com")))
        #expect(two.signatures.compactMap { $0["s"] } == ["mail", "mail-ed25519"])
        let one = try pass(configuration, .plain.with(("From", "a@example.net")))
        #expect(one.signatures.compactMap { $0["d"] } == ["example.net"])
        #expect(
            read(configuration).configuration.keys.summary
                == "example.com (mail, mail-ed25519), example.net (mail)")
    }

    @Test func `what is signed is told in a few words`() throws {
        let keys = try Keys.shared.get()
        func summary(_ text: String) -> String { SignetDKIM.summary(of: read(text).configuration) }
        #expect(summary(keys.twins) == "signing example.org (mail, ed); verifying")
        #expect(summary(keys.single + "Mode s\n") == "signing example.org (mail)")
        #expect(summary("") == "signing nothing; verifying")
        #expect(summary("Mode v\n") == "verifying")
        let many = "Domain a.example,b.example,c.example,d.example,e.example,f.example\n"
        let text = many + "Selector mail\nKeyFile \(keys.rsaPath)\n"
        #expect(summary(text).contains("e.example (mail) and 1 more domains; "))
    }
}

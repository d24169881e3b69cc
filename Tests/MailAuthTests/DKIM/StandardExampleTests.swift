import Foundation
import MailAuth
import MailCrypto
import MailSyntax
import Testing

/// The signed messages of the standards, where they are found: they are not a part of this project.
///
/// Searched in the directory that SIGNET_VECTORS names, then in Debian's python3-dkim.
enum StandardExamples {
    static func read(_ name: String) -> [UInt8]? {
        let environment = ProcessInfo.processInfo.environment["SIGNET_VECTORS"]
        let places =
            (environment.map { ["\($0)/dkim", $0] } ?? [])
            + ["/usr/lib/python3/dist-packages/dkim/tests/data"]
        for place in places {
            if let data = FileManager.default.contents(atPath: "\(place)/\(name)") {
                return [UInt8](data)
            }
        }
        return nil
    }

    static let arePresent = read("rfc6376.signed.msg") != nil
}

@Suite(.enabled(if: StandardExamples.arePresent, "the standards' examples were not found"))
struct StandardExampleTests {
    /// The keys of RFC 8463, appendix A.2: facts of the standard.
    static let zone: [String: [[UInt8]]] = [
        "brisbane._domainkey.football.example.com": [
            Array("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".utf8)
        ],
        "test._domainkey.football.example.com": [
            Array(
                ("v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk"
                    + "08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6"
                    + "lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB").utf8)
        ],
    ]

    /// RFC 8463, appendix A.3: one message, signed with both algorithms.
    @Test func rfc8463() throws {
        let text = try #require(StandardExamples.read("rfc6376.signed.msg"))
        let outcome = verify(
            try TestMessage(text, "RFC 8463"), Self.zone, now: 1_528_637_909,
            authors: [try DomainName("football.example.com")])
        #expect(outcome.results.map(\.reason) == [.valid, .valid])
        #expect(Set(outcome.results.map(\.algorithm)) == [.ed25519SHA256, .rsaSHA256])
        #expect(outcome.results.allSatisfy { $0.identity == "@football.example.com" })
    }

    /// The message of RFC 6376, appendix A, signed in simple form by another implementation.
    @Test func rfc6376Message() throws {
        let text = try #require(StandardExamples.read("rfc6376.signed.rsa.msg"))
        let outcome = verify(try TestMessage(text, "RFC 6376"), Self.zone, now: 1_528_637_909)
        #expect(outcome.results.map(\.reason) == [.valid])
    }

    /// RFC 8463, appendix A.1 and A.3: Ed25519 is deterministic, so that signing the same octets
    /// with the standard's key gives the standard's public key and verifies with its record.
    @Test func rfc8463Key() throws {
        let file = try #require(StandardExamples.read("rfc8032_7_1.key"))
        let key = try PrivateKey(file)
        let text = try #require(StandardExamples.read("rfc6376.msg"))
        let message = try TestMessage(text, "RFC 6376")
        #expect(
            Base64.encode(key.publicKey.recordOctets)
                == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        let field = try #require(try sign(message, [key], SigningRecipe()).first)
        #expect(verify(try message.adding(field), record: key.record).status == .pass)
    }
}

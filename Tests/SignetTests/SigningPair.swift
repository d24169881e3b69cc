import MailCrypto
import MailSyntax

/// A key with the zone that has its record.
struct SigningPair: Sendable {
    let text: String
    let zone: String

    init(_ make: () throws -> PrivateKey) throws {
        let key = try make()
        text = key.withPEM { pem in
            String(decoding: pem.indices.map { pem[$0] }, as: UTF8.self)
        }
        let kind = key.algorithm == .ed25519 ? "ed25519" : "rsa"
        let octets = Array(Base64.encode(key.publicKey.recordOctets))
        let strings = stride(from: 0, to: octets.count, by: 200).map { start in
            "\"\(String(octets[start..<min(start + 200, octets.count)]))\""
        }
        zone =
            "s._domainkey.example.org. TXT \"v=DKIM1; k=\(kind); p=\" "
            + strings.joined(separator: " ") + "\n"
    }

    /// Signs a message.
    func sign(_ message: String, _ more: [String] = []) throws -> SignetCommand.Result {
        try SignetCommand.run(
            ["sign", "s", "example.org", "key"] + more, files: ["key": text], input: message)
    }

    /// Verifies a message.
    func verify(_ message: String, _ more: [String] = []) throws -> SignetCommand.Result {
        try SignetCommand.run(
            ["verify", "--zone", "zone"] + more, files: ["zone": zone], input: message)
    }
}

internal import MailCrypto
internal import TestKit

/// A message of one megabyte that costs a verifier the most: each of its signatures covers nearly all of it, and is made with
/// an RSA key as long as verifiers take them, with the costliest exponent.
///
/// Fields stand in their relaxed form already (RFC 6376, section 3.4.2), so that what is hashed is what is sent.
struct WorstMessage {
    private static let domain = "worst.example"
    private static let selector = "s"
    /// A line that relaxed canonicalization changes, and what it becomes (RFC 6376, section 3.4.4).
    private static let line = (sent: "a \tb  c d\r\n", hashed: "a b c d\r\n")

    private let directory: TemporaryDirectory
    private let bodyHash: String
    private let signedNames: String
    private let fields: [MailMessage.Field]
    private let body: [UInt8]

    /// Prepares keys, and what all signatures cover.
    ///
    /// - Parameters:
    ///   - signatures: how many there will be, whose room is taken from the fields.
    ///   - header: octets of the header section.
    ///   - fieldCount: how many fields it has; verifiers read a thousand names of `h=`.
    ///   - body: octets of the body.
    /// - Throws: where openssl(1) makes no keys.
    init(signatures: Int, header: Int, fieldCount: Int, body: Int) throws {
        directory = try TemporaryDirectory("signet-worst")
        for name in ["true", "other"] {
            // Several primes make no difference to a verifier, and are found sooner.
            try Command.require(
                "openssl",
                [
                    "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:8192",
                    "-pkeyopt", "rsa_keygen_primes:5", "-pkeyopt", "rsa_keygen_pubexp:131071",
                    "-out", directory.file(name),
                ], seconds: 600)
        }
        let lines = max(1, body / Self.line.sent.utf8.count)
        self.body = Array(String(repeating: Self.line.sent, count: lines).utf8)
        let hashed = Array(String(repeating: Self.line.hashed, count: lines).utf8)
        bodyHash = Base64.encode(SHA256.hash(hashed.span))
        signedNames = "from" + String(repeating: ":a", count: fieldCount)
        let room = header - signatures * (signedNames.utf8.count + 1800)
        let value = String(repeating: "x", count: max(1, room / fieldCount - 4))
        fields =
            [.init("from", "ann@\(Self.domain)")]
            + Array(repeating: .init("a", value), count: fieldCount)
    }

    /// The records of the key and of another at one name: verifiers try both.
    func zone() throws -> String {
        try ["true", "other"].map { name in
            let key = try Command.require(
                "sh",
                [
                    "-c", "openssl pkey -in \"$0\" -pubout -outform DER | openssl base64 -A",
                    directory.file(name),
                ])
            let text = "v=DKIM1; k=rsa; p=\(key)"
            let strings = stride(from: 0, to: text.utf8.count, by: 255)
                .map { "\"\(text.dropFirst($0).prefix(255))\"" }.joined(separator: " ")
            return "\(Self.selector)._domainkey.\(Self.domain). IN TXT \(strings)\n"
        }.joined()
    }

    /// The message with signatures that no key fits, and a chain of `sets` on top.
    func message(signatures: Int, sets: Int) throws -> MailMessage {
        var message = MailMessage(fields: fields, body: body)
        let noSignature = Base64.encode([UInt8](repeating: 0x5a, count: 1024))
        for _ in 0..<signatures {
            message.fields.insert(.init("dkim-signature", "v=1; " + tags + noSignature), at: 0)
        }
        // What seals sign: all sets so far, each field as it is.
        var chain: [UInt8] = []
        for instance in 1...max(1, sets) where sets > 0 {
            let results = MailMessage.Field(
                "arc-authentication-results", "i=\(instance); mx.\(Self.domain); none")
            let covered = [fields[0]] + fields.dropFirst().reversed()
            let unsigned = "i=\(instance); " + tags
            let signature = MailMessage.Field(
                "arc-message-signature",
                unsigned
                    + (try sign(
                        covered.flatMap { $0.octets + [13, 10] }
                            + Array("arc-message-signature:\(unsigned)".utf8))))
            chain += results.octets + [13, 10] + signature.octets + [13, 10]
            let status = instance == 1 ? "none" : "pass"
            let bare =
                "i=\(instance); a=rsa-sha256; cv=\(status); d=\(Self.domain); s=\(Self.selector); b="
            let seal = MailMessage.Field(
                "arc-seal", bare + (try sign(chain + Array("arc-seal:\(bare)".utf8))))
            chain += seal.octets + [13, 10]
            message.fields.insert(contentsOf: [seal, signature, results], at: 0)
        }
        return message
    }

    private var tags: String {
        "a=rsa-sha256; c=relaxed/relaxed; d=\(Self.domain); s=\(Self.selector); "
            + "h=\(signedNames); bh=\(bodyHash); b="
    }

    private func sign(_ octets: [UInt8]) throws -> String {
        try Command.require(
            "sh",
            [
                "-c", "openssl dgst -sha256 -sign \"$0\" | openssl base64 -A",
                directory.file("true"),
            ],
            input: octets)
    }
}

extension MailMessage.Field {
    fileprivate var octets: [UInt8] { Array("\(name):".utf8) + value }
}

import MailCrypto
import MailSyntax

@testable import MailAuth

/// Makes signatures with any tags, right or wrong, whose `bh=` and `b=` fit.
struct Forge {
    var message: TestMessage
    var tags: [(name: String, value: String)] = [
        ("v", "1"), ("a", "rsa-sha256"), ("c", "relaxed/relaxed"), ("d", "example.org"),
        ("s", "test"), ("t", "1700000000"), ("h", "From:Subject"), ("bh", "fit"),
    ]

    init(_ message: TestMessage) {
        self.message = message
    }

    /// Replaces or adds tags; a name for the second time is added again.
    mutating func set(_ changes: [(name: String, value: String)]) {
        var seen: Set<String> = []
        for (name, value) in changes {
            if seen.insert(name).inserted { tags.removeAll { $0.name == name } }
            if value != "absent" { tags.append((name, value)) }
        }
    }

    private func value(_ name: String) -> String? { tags.first { $0.name == name }?.value }

    /// The message with the signature above it.
    func signed(with key: PrivateKey) throws -> TestMessage {
        let pair = CanonicalizationPair((value("c") ?? "").utf8) ?? CanonicalizationPair()
        var hasher = BodyHasher()
        let ticket = hasher.request(pair.body, limit: value("l").flatMap { UInt64($0) })
        hasher.update(message.body.span)
        hasher.finish()
        let text = tags.map { name, value in
            let isFit = name == "bh" && value == "fit"
            return "\(name)=\(isFit ? Base64.encode(ticket.digest.hash) : value)"
        }.joined(separator: ";\r\n\t")

        var canonical: [UInt8] = []
        var selector = FieldSelector(message.header)
        for name in (value("h") ?? "").split(separator: ":") {
            let octets = Array(name.utf8).trimmingFoldingSpace().asciiLowercased
            guard let position = selector.take(octets.span) else { continue }
            HeaderCanonicalizer.append(
                message.header.fields[position], of: message.header.bytes.span, pair.header,
                to: &canonical)
        }
        let name = Array("DKIM-Signature".utf8)
        let unsigned = Array(" \(text); b=".utf8)
        HeaderCanonicalizer.append(
            name: name.span, value: unsigned.span, pair.header, to: &canonical)
        let hash = SHA256.hash(canonical.span)
        let signature = try key.sign(hash.span)
        let field = name + [0x3A] + unsigned + Array(Base64.encode(signature).utf8) + [13, 10]
        return try TestMessage(field + message.bytes, message.testDescription)
    }
}

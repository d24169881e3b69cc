import MailCrypto
import MailSyntax

@testable import MailAuth

/// Seals messages, in order or with tags that are not; written apart from the validator's own way.
struct ARCForge {
    /// The tags of one field, in order; "absent" as a value leaves a tag out.
    typealias Tags = [(name: String, value: String)]

    var domain = "sealer.test"
    var selector = "arc"
    var key: PrivateKey
    var results =
        "mx.sealer.test; spf=pass smtp.mailfrom=author.test; dmarc=pass header.from=author.test"
    var signatureChanges: Tags = []
    var sealChanges: Tags = []

    /// The message with one more set above it.
    func seal(_ message: TestMessage, _ instance: Int, cv: String? = nil) throws -> TestMessage {
        let before = (try? ARCChain(message.header))?.sets ?? []
        let assessment = "ARC-Authentication-Results: i=\(instance); \(results)\r\n"
        let algorithm = SignatureAlgorithm(key.algorithm).rawValue
        let signature = try messageSignature(message, instance, algorithm)
        var covered: [UInt8] = []
        for set in before {
            for position in [set.authenticationResults, set.messageSignature, set.seal] {
                covered += Self.relaxed(Array(message.header.whole(of: position))) + [13, 10]
            }
        }
        covered += Self.relaxed(Array(assessment.utf8)) + [13, 10]
        covered += Self.relaxed(Array(signature.utf8)) + [13, 10]
        let tags = Self.text(
            [
                ("i", "\(instance)"), ("a", algorithm), ("t", "1700000000"),
                ("cv", cv ?? (instance == 1 ? "none" : "pass")), ("d", domain), ("s", selector),
            ], sealChanges)
        let seal = "ARC-Seal: \(tags); b="
        covered += Self.relaxed(Array(seal.utf8))
        let field = seal + Base64.encode(try key.sign(SHA256.hash(covered.span).span)) + "\r\n"
        return try TestMessage(
            Array((field + signature + assessment).utf8) + message.bytes, message.testDescription)
    }

    private func messageSignature(
        _ message: TestMessage, _ instance: Int, _ algorithm: String
    ) throws -> String {
        var hasher = BodyHasher()
        let limit = signatureChanges.first { $0.name == "l" }.flatMap { UInt64($0.value) }
        let ticket = hasher.request(.relaxed, limit: limit)
        hasher.update(message.body.span)
        hasher.finish()
        let tags = Self.text(
            [
                ("i", "\(instance)"), ("a", algorithm), ("c", "relaxed/relaxed"),
                ("d", domain), ("s", selector), ("t", "1700000000"), ("h", "From:To:Subject"),
                ("bh", Base64.encode(ticket.digest.hash)),
            ], signatureChanges)
        var covered: [UInt8] = []
        for name in ["from", "to", "subject"] {
            guard let position = message.header.lastIndex(named: Array(name.utf8).span) else {
                continue
            }
            covered += Self.relaxed(Array(message.header.whole(of: position))) + [13, 10]
        }
        let field = "ARC-Message-Signature: \(tags); b="
        covered += Self.relaxed(Array(field.utf8))
        return field + Base64.encode(try key.sign(SHA256.hash(covered.span).span)) + "\r\n"
    }

    private static func text(_ tags: Tags, _ changes: Tags) -> String {
        var tags = tags
        for change in changes {
            tags.removeAll { $0.name == change.name }
            if change.value != "absent" { tags.append(change) }
        }
        return tags.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    /// The relaxed form of RFC 6376, section 3.4.2, the slow way, without the last line end.
    private static func relaxed(_ field: [UInt8]) -> [UInt8] {
        let text = String(decoding: field, as: UTF8.self)
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let words = parts[1].unicodeScalars
            .split { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" }
            .map { String(String.UnicodeScalarView($0)) }
        return Array("\(parts[0].lowercased()):\(words.joined(separator: " "))".utf8)
    }
}

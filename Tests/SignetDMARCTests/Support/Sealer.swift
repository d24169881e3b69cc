import MailCrypto
import MailSyntax
import TestKit

/// A forwarder that signs and seals messages with a key of its own; written apart from our signers and validators.
struct Sealer {
    let domain: String
    private let key: PrivateKey
    /// Further tags of the key's record.
    private let recordTags: String

    private let algorithm: String

    init(_ domain: String, _ key: PrivateKey? = nil, recordTags: String = "") throws {
        self.domain = domain
        self.recordTags = recordTags
        self.key = try key ?? PrivateKey.generateEd25519()
        algorithm = key == nil ? "ed25519" : "rsa"
    }

    /// The line of a zone file with the key.
    var record: String {
        let octets = Base64.encode(key.publicKey.recordOctets)
        // RFC 1035, section 3.3: a character string holds at most 255 octets.
        return
            "s._domainkey.\(domain). TXT \"v=DKIM1; k=\(algorithm); \(recordTags) p=\" "
            + "\"\(octets.prefix(200))\" \"\(octets.dropFirst(200))\"\n"
    }

    /// The message with a signature (RFC 6376).
    func sign(_ message: MailMessage) throws -> MailMessage {
        let tags = "v=1; a=\(algorithm)-sha256; c=relaxed/simple; d=\(domain); s=s; h=From:Subject;"
        return try added("DKIM-Signature", " \(tags) bh=\(Self.bodyHash(message)); b=", message)
    }

    /// The message with one more ARC Set (RFC 8617, section 5.1).
    ///
    /// - Parameters:
    ///   - message: the message as it came to the forwarder.
    ///   - results: what it found, without the authserv-id.
    ///   - edit: what it changes before it seals.
    /// - Returns: the sealed message.
    /// - Throws: what the key throws.
    func seal(
        _ message: MailMessage, finding results: String,
        edit: (inout MailMessage) -> Void = { _ in }
    ) throws -> MailMessage {
        var message = message
        edit(&message)
        let before = message.values("ARC-Seal").count
        let instance = before + 1
        let common = "i=\(instance); a=\(algorithm)-sha256; d=\(domain); s=s;"
        let old = (0..<before).reversed().flatMap { index in
            ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"].map {
                Self.relaxed($0, message.values($0)[index])
            }
        }
        message.fields.insert(
            .init("ARC-Authentication-Results", " i=\(instance); mx.\(domain); \(results)"), at: 0)
        message = try added(
            "ARC-Message-Signature",
            " \(common) c=relaxed/simple; h=From:Subject; bh=\(Self.bodyHash(message)); b=",
            message)
        let fresh = message.fields.prefix(2).reversed().map { Self.relaxed($0.name, $0.text) }
        let value = " \(common) t=1700000000; cv=\(before == 0 ? "none" : "pass"); b="
        let covered = (old + fresh + [Self.relaxed("ARC-Seal", value)]).joined(separator: "\r\n")
        message.fields.insert(.init("ARC-Seal", value + (try signature(covered))), at: 0)
        return message
    }

    /// The message with a signature of its From and Subject, the body's hash being in the value.
    private func added(
        _ name: String, _ value: String, _ message: MailMessage
    ) throws -> MailMessage {
        let covered = ["From", "Subject"].compactMap { name in
            message.values(name).last.map { Self.relaxed(name, $0) }
        }
        let text = (covered + [Self.relaxed(name, value)]).joined(separator: "\r\n")
        var message = message
        message.fields.insert(.init(name, value + (try signature(text))), at: 0)
        return message
    }

    private func signature(_ text: String) throws -> String {
        Base64.encode(try key.sign(SHA256.hash(Array(text.utf8).span).span))
    }

    /// The hash of a body that ends with one line end.
    private static func bodyHash(_ message: MailMessage) -> String {
        Base64.encode(SHA256.hash(message.body.span))
    }

    /// RFC 6376, section 3.4.2, without the line end.
    private static func relaxed(_ name: String, _ value: String) -> String {
        "\(name.lowercased()):"
            + value.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}

import KeyRotation
import MailCrypto
import MailSyntax

/// The TXT record that publishes a key (RFC 6376, section 3.6.1), in the forms that people paste.
struct KeyRecordText {
    /// The key.
    let key: PublicKey
    /// The label under `_domainkey`.
    let selector: String
    /// The domain that the key signs for.
    let domain: DomainName
    /// The tags that restrict the key, each with its semicolon and a space: `s=email; t=y; `.
    var restrictions = ""

    /// The record's value on one line.
    var line: String { Self.line(for: key, restrictions: restrictions) }

    /// The record's value on one line: what a provider's form wants.
    static func line(for key: PublicKey, restrictions: String = "") -> String {
        key.keyRecord(restrictions: restrictions)
    }

    /// The record for a zone file, as opendkim-genkey lays it out.
    ///
    /// A character string has at most 255 octets (RFC 1035, section 3.3), so p= is cut.
    var zoneText: String {
        let head = Self.isRSA(key) ? "v=DKIM1; h=sha256; k=rsa; " : "v=DKIM1; k=ed25519; "
        var strings = ["\"\(head)\(restrictions)\""]
        var rest = "p=\(Base64.encode(key.recordOctets))"[...]
        while !rest.isEmpty {
            strings.append("\"\(rest.prefix(250))\"")
            rest = rest.dropFirst(250)
        }
        let body = strings.joined(separator: "\n\t  ")
        return "\(selector)._domainkey\tIN\tTXT\t( \(body) )"
            + "  ; ----- DKIM key \(selector) for \(domain.ascii)\n"
    }

    private static func isRSA(_ key: PublicKey) -> Bool {
        if case .rsa = key.algorithm { true } else { false }
    }
}

extension KeyAlgorithm {
    /// The algorithm in words: `RSA, 2048 bits`.
    var plainName: String {
        switch self {
        case .rsa(let bits): "RSA, \(bits) bits"
        case .ed25519: "Ed25519"
        }
    }
}

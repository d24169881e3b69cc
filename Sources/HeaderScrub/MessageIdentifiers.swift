internal import Configuration
internal import MailSyntax

/// Rewrites message identifiers whose right-hand side names an internal host: `<x@laptop.lan>` becomes `<x@mx.example.org>`.
///
/// Threads survive for every recipient, because the new identifier is a function of the old one alone, and In-Reply-To and
/// References are rewritten by the same function as Message-ID: whoever answers, quotes or continues, all fields that leave this
/// host agree. The left-hand side stays: it makes the identifier unique (RFC 5322, section 3.6.4).
///
/// Trust: hostile bytes; time is linear in their number, and what is no identifier stays.
struct MessageIdentifiers: Sendable {
    /// Domains that are internal although their names do not show it.
    let internalDomains: DomainSet

    /// The fields that hold identifiers (RFC 5322, sections 3.6.4 and 3.6.6).
    static let fields: Set<FieldName> = [
        .messageID, "In-Reply-To", "References", "Resent-Message-ID",
    ]

    /// A field's value with its internal identifiers rewritten; nil where there are none.
    ///
    /// - Parameters:
    ///   - value: the value, with folds.
    ///   - host: the name that replaces internal ones.
    /// - Returns: the new value.
    func rewritten(_ value: ArraySlice<UInt8>, host: String) -> [UInt8]? {
        var result: [UInt8] = []
        var copied = value.startIndex
        var open: Int?
        var at: Int?
        for position in value.indices {
            switch value[position] {
            case UInt8(ascii: "<"):
                (open, at) = (position, nil)
            case UInt8(ascii: "@") where open != nil:
                at = position
            case UInt8(ascii: ">"):
                if let at, isInternal(value[(at + 1)..<position]) {
                    result += value[copied...at]
                    result += host.utf8
                    copied = position
                }
                (open, at) = (nil, nil)
            case let octet where octet.isFoldingSpace:
                // No identifier has white space in it.
                (open, at) = (nil, nil)
            default: break
            }
        }
        guard copied > value.startIndex else { return nil }
        return result + value[copied...]
    }

    private func isInternal(_ side: ArraySlice<UInt8>) -> Bool {
        guard !side.isEmpty else { return false }
        // An address literal, or a bare address.
        if side.first == UInt8(ascii: "[") { return true }
        let text = String(decoding: side, as: UTF8.self)
        if IPAddress(text) != nil { return true }
        guard let name = try? DomainName(text) else { return false }
        if name.labelCount < 2 { return true }
        if Self.internalSuffixes.contains(where: name.isEqualOrSubdomain) { return true }
        return internalDomains.contains(name)
    }

    /// Names that the public DNS does not have: RFC 6761, RFC 6762 (local and its appendix G), RFC 8375, and `internal`, which
    /// ICANN keeps for private use.
    private static let internalSuffixes: [DomainName] = [
        "local", "localhost", "localdomain", "internal", "intranet", "private", "corp", "home",
        "lan", "home.arpa", "test", "invalid", "in-addr.arpa", "ip6.arpa",
    ].compactMap { try? DomainName($0) }
}

internal import MailSyntax

/// Makes text from outside fit for a line of the policy protocol and for a header field.
///
/// Nearly every text is short and plain ASCII: one look then, and no copy.
package enum PrintableText {
    /// The octets with everything but printable ASCII as "?"; of a longer text, its end is kept
    /// after "...", so that the domain of an address is never cut to look like another.
    package static func of(_ octets: some BidirectionalCollection<UInt8>, limit: Int) -> String {
        let isCut = octets.count > limit
        let kept = octets.suffix(isCut ? limit - 3 : limit).map { 0x20...0x7E ~= $0 ? $0 : 0x3F }
        return (isCut ? "..." : "") + String(decoding: kept, as: UTF8.self)
    }

    /// The octets as UTF-8 with everything that a line cannot show as "?" (RFC 6532); of a longer
    /// text, its end is kept.
    package static func visible(_ octets: [UInt8], limit: Int) -> String {
        if octets.count <= limit, octets.span.isPrintableASCII {
            return String(decoding: octets, as: UTF8.self)
        }
        var kept = String.UnicodeScalarView()
        var length = 0
        let scalars = VisibleText.scalars(octets)
        for scalar in scalars.reversed() {
            length += UTF8.width(scalar)
            if length > limit { break }
            kept.append(scalar)
        }
        let text = String(String.UnicodeScalarView(kept.reversed()))
        return kept.count < scalars.count ? "...\(text)" : text
    }

    /// The beginning of a text of ours in UTF-8, fit for a line, with "..." where it is cut.
    package static func visibleBeginning(of text: String, limit: Int) -> String {
        if text.utf8.count <= limit, text.utf8.span.isPrintableASCII { return text }
        var kept = String.UnicodeScalarView()
        var length = 3
        for scalar in VisibleText.scalars(Array(text.utf8)) {
            length += UTF8.width(scalar)
            guard length <= limit else { return String(kept) + "..." }
            kept.append(scalar)
        }
        return String(kept)
    }

    /// The beginning of a text of ours, made printable, with "..." where it is cut.
    package static func beginning(of text: String, limit: Int) -> String {
        let octets = text.utf8
        if octets.count <= limit, octets.span.isPrintableASCII { return text }
        let isCut = octets.count > limit
        let kept = octets.prefix(isCut ? limit - 3 : limit).map { 0x20...0x7E ~= $0 ? $0 : 0x3F }
        return String(decoding: kept, as: UTF8.self) + (isCut ? "..." : "")
    }
}

/// A DNS record to publish.
package struct PublishedRecord: Hashable, Sendable {
    /// The owner name, without the dot at its end.
    package let name: String
    /// `A`, `AAAA`, `MX`, `PTR`, `TXT`, `CNAME` or `SRV`.
    package let type: String
    /// The value on one line: of a TXT record its whole text, names with their dot at the end.
    package let value: String
    /// What it is for.
    package let purpose: String
    /// Whether it is only advised, or needs something else first, so that it stands in the zone text as a comment.
    package let isHint: Bool

    /// Describes a record.
    package init(
        _ name: String, _ type: String, _ value: String, _ purpose: String, isHint: Bool = false
    ) {
        (self.name, self.type, self.value, self.purpose) = (name, type, value, purpose)
        self.isHint = isHint
    }

    /// The record on one line, for a provider's form.
    package var line: String { "\(name)\t\(type)\t\(value)" }

    /// The record in a zone file (RFC 1035, section 5).
    ///
    /// A character string has at most 255 octets (section 3.3), so that a longer text is cut.
    package var zoneText: String {
        var data = value
        if type == "TXT" {
            var strings: [String] = []
            var rest = Array(value.utf8)[...]
            while !rest.isEmpty {
                strings.append(Self.quoted(rest.prefix(250)))
                rest = rest.dropFirst(250)
            }
            data = strings.count == 1 ? strings[0] : "( \(strings.joined(separator: "\n\t")) )"
        }
        let text = "\(name).\tIN\t\(type)\t\(data)"
        guard isHint else { return text }
        return text.split(separator: "\n").map { "; \($0)" }.joined(separator: "\n")
    }

    private static func quoted(_ octets: ArraySlice<UInt8>) -> String {
        var text = ""
        for octet in octets {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { text += "\\" }
            text.unicodeScalars.append(Unicode.Scalar(octet))
        }
        return "\"\(text)\""
    }
}

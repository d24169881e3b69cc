internal import MailSyntax

/// The name by which an authentication service signs its results (RFC 8601, section 2.5).
///
/// Two spellings are equal without regard to case, and with U-labels taken for their A-labels (RFC 8601,
/// section 5).
///
/// Trust: our own comes from the configuration or the MTA; those of fields are hostile text.
public struct AuthservID: Sendable {
    /// The identifier as it was spelled.
    public let text: String

    /// The form to compare by.
    let canonical: [UInt8]

    /// Creates an identifier.
    public init(_ text: String) {
        self.text = text
        canonical = AuthservID.canonicalForm(of: text.utf8)
    }

    /// Our identifier with the queue identifier of one message (OpenDKIM's AuthservIDWithJobID).
    ///
    /// A field that has it is claimed by the identifier without it.
    public func with(jobID: String) -> AuthservID {
        AuthservID(text + "/" + jobID)
    }

    /// Lower case, A-labels, no dot at the end; octets that are no domain name are in lower case only.
    static func canonicalForm(of octets: some Collection<UInt8>) -> [UInt8] {
        guard octets.contains(where: { $0 >= 0x80 }) else {
            let lowercased = octets.asciiLowercased
            return lowercased.count > 1 && lowercased.last == UInt8(ascii: ".")
                ? lowercased.dropLast() : lowercased
        }
        let visible = visible(octets)
        guard let domain = try? DomainName(visible) else { return visible.utf8.asciiLowercased }
        return Array(domain.ascii.utf8)
    }

    /// Whether a reader who maps characters to their compatible ones (NFKC, UTS 46) reads something else than is written: a
    /// full-width "m" is an "m" to it, and an ideographic full stop a dot.
    static func isMappable(_ visible: String) -> Bool {
        visible.unicodeScalars.contains { scalar in
            guard !scalar.isASCII else { return false }
            // Label separators are no matter of NFKC (UTS 46, section 4; RFC 3490, section 3.1).
            if scalar == "\u{3002}" { return true }
            // Two that U-labels have are exceptions (RFC 5892, section 2.6).
            guard scalar != "\u{DF}", scalar != "\u{3C2}",
                scalar.properties.changesWhenNFKCCaseFolded
            else { return false }
            return scalar.properties.lowercaseMapping.unicodeScalars
                .contains { $0.isASCII || $0.properties.changesWhenNFKCCaseFolded }
        }
    }

    /// Text without the characters that readers do not see, which must not make another identifier.
    static func visible(_ octets: some Collection<UInt8>) -> String {
        let text = String(decoding: octets, as: UTF8.self).unicodeScalars.filter {
            !$0.properties.isWhitespace && !$0.properties.isDefaultIgnorableCodePoint
        }
        return String(String.UnicodeScalarView(text))
    }
}

extension AuthservID: Hashable {
    /// Whether two identifiers name the same service.
    public static func == (a: AuthservID, b: AuthservID) -> Bool { a.canonical == b.canonical }

    /// Hashes the form to compare by.
    public func hash(into hasher: inout Hasher) { hasher.combine(canonical) }
}

extension AuthservID: CustomStringConvertible {
    /// The identifier as it was spelled.
    public var description: String { text }
}

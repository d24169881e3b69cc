public import MailSyntax

/// Where reports are to be sent: a URI of the "rua" or "ruf" tag (RFC 9989, sections 4.6 and 4.8).
///
/// Trust: whatever somebody published. That the address may be used has still to be verified
/// (RFC 9990, section 4).
public struct DMARCReportURI: Hashable, Sendable {
    /// The URI as published, without the obsolete size limit; printable ASCII.
    public let text: String
    /// The largest report that is wanted, in octets, by the obsolete size limit of RFC 7489, section 6.2; nil where there is none.
    public let sizeLimit: Int64?
    /// The URI as published, the size limit included.
    public let published: String
    /// The scheme in lower case, such as `mailto`.
    public let scheme: String
    /// The address of a `mailto` URI, decoded; nil for other schemes, which are to be ignored.
    public let mailbox: Mailbox?

    /// The longest URI that is read, in octets.
    static let maximumLength = 2048

    /// Reads one URI; nil where it is none.
    ///
    /// An obsolete size limit, `!10m`, is no part of the URI (`obs-dmarc-report-size`).
    public init?(parsing text: ArraySlice<UInt8>) {
        guard text.count <= Self.maximumLength,
            let (uri, sizeLimit) = Self.withoutSizeLimit(text),
            let colon = uri.firstIndex(of: UInt8(ascii: ":")), Self.isScheme(uri[..<colon]),
            Self.isRest(uri[(colon + 1)...])
        else { return nil }
        self.text = String(decoding: uri, as: UTF8.self)
        self.sizeLimit = sizeLimit
        published = String(decoding: text, as: UTF8.self)
        scheme = String(decoding: uri[..<colon].asciiLowercased, as: UTF8.self)
        if scheme == "mailto" {
            guard let mailbox = Self.mailbox(uri[(colon + 1)...]) else { return nil }
            self.mailbox = mailbox
        } else {
            mailbox = nil
        }
    }

    // obs-dmarc-report-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]
    private static func withoutSizeLimit(
        _ text: ArraySlice<UInt8>
    ) -> (uri: ArraySlice<UInt8>, limit: Int64?)? {
        guard let mark = text.firstIndex(of: UInt8(ascii: "!")) else { return (text, nil) }
        var digits = text[(mark + 1)...]
        var unit: Int64 = 1
        if let letter = digits.last?.asciiLowercased,
            let power = Array("kmgt".utf8).firstIndex(of: letter)
        {
            // "units are considered to be powers of two" (RFC 7489, section 6.2).
            unit = 1 << (10 * (Int64(power) + 1))
            digits = digits.dropLast()
        }
        guard !digits.isEmpty, digits.allSatisfy(\.isASCIIDigit) else { return nil }
        let number = Int64(String(decoding: digits, as: UTF8.self)) ?? .max
        let (limit, isTooLarge) = number.multipliedReportingOverflow(by: unit)
        return (text[..<mark], isTooLarge ? .max : limit)
    }

    // scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) (RFC 3986, section 3.1)
    private static func isScheme(_ text: ArraySlice<UInt8>) -> Bool {
        text.first?.isASCIILetter ?? false
            && text.allSatisfy { $0.isASCIIAlphanumeric || "+-.".utf8.contains($0) }
    }

    /// Whether all characters are such as URIs have, and each "%" begins an octet (RFC 3986, section 2).
    private static func isRest(_ text: ArraySlice<UInt8>) -> Bool {
        guard !text.isEmpty else { return false }
        for octet in text where !octet.isASCIIAlphanumeric {
            guard marks[Int(octet)] else { return false }
        }
        return decoded(text) != nil
    }

    /// By octet: whether it is one of the marks that URIs have.
    private static let marks: [Bool] = (0...255).map { octet in
        "-._~%:/?#[]@$&'()*+;=".utf8.contains { Int($0) == octet }
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.contains(UInt8(ascii: "%")) else { return text }
        var octets: [UInt8] = []
        var position = text.startIndex
        while position < text.endIndex {
            if text[position] == UInt8(ascii: "%") {
                guard text.endIndex - position > 2, let high = text[position + 1].hexDigitValue,
                    let low = text[position + 2].hexDigitValue
                else { return nil }
                octets.append(high << 4 | low)
                position += 3
            } else {
                octets.append(text[position])
                position += 1
            }
        }
        return octets[...]
    }

    // mailtoURI = "mailto:" [ to ] [ hfields ] (RFC 6068, section 2); "+" stands for itself.
    private static func mailbox(_ text: ArraySlice<UInt8>) -> Mailbox? {
        let end = text.firstIndex(of: UInt8(ascii: "?")) ?? text.endIndex
        guard let address = decoded(text[..<end]),
            let at = address.lastIndex(of: UInt8(ascii: "@")), at > address.startIndex,
            !address.contains(where: { $0.isASCIIControl }),
            String(validating: address, as: UTF8.self) != nil,
            let domain = try? DomainName(bytes: address[(at + 1)...]), domain.isHostName
        else { return nil }
        return Mailbox(localPart: Array(address[..<at]), domain: domain)
    }
}

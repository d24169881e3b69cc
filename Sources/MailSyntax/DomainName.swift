/// A domain name as the DNS has it: lower-case ASCII, Unicode labels in their A-label form.
///
/// Only "." separates labels; the full-width and ideographic stops of old IDNA mappings do not.
/// Octets that no host name has, such as "_", are kept, as the DNS knows such names and SPF macros make
/// them; controls and the space are refused. `isHostName` is the strict test.
///
/// Trust: hostile names; length is bounded before anything else is done.
public struct DomainName: Hashable, Sendable {
    /// The A-labels in lower case, without a dot at the end; empty for the root.
    public let ascii: String

    /// The root of the DNS.
    public static let root = DomainName(valid: "")

    /// The label below which a domain's DKIM keys are (RFC 6376, section 3.6.2.1).
    public static let domainKey = DomainName(valid: "_domainkey")

    /// The label below which a domain's DMARC record is (RFC 9989, section 4.1).
    public static let dmarcLabel = DomainName(valid: "_dmarc")

    /// The longest name, in octets of text without the final dot (RFC 1035, section 2.3.4, less the
    /// length octets of the first label and the root).
    public static let maximumLength = 253

    /// The longest label, in octets (RFC 1035, section 2.3.4).
    public static let maximumLabelLength = 63

    /// Reads a name; "." is the root, and one dot at the end of any other name is dropped.
    ///
    /// A label that has octets outside ASCII becomes an A-label: lower-cased, composed (NFC), tested by
    /// RFC 5891, section 5.4, and encoded. A label that is ASCII already is only lower-cased, "xn--" or
    /// not: see `isValidIDN`.
    public init(_ text: some StringProtocol) throws(DomainNameError) {
        guard text.utf8.count <= DomainName.longestText else { throw DomainNameError.nameTooLong }
        let octets = Array(text.utf8)
        try self.init(utf8: octets.span)
    }

    /// Reads a name from the octets of its text, which must be UTF-8.
    @inlinable public init(bytes: some Collection<UInt8>) throws(DomainNameError) {
        try self.init(untrusted: Array(bytes.prefix(DomainName.longestText + 1)))
    }

    @usableFromInline init(untrusted octets: [UInt8]) throws(DomainNameError) {
        try self.init(bytes: octets.span)
    }

    /// Reads a name from the octets of its text, which must be UTF-8.
    public init(bytes octets: Span<UInt8>) throws(DomainNameError) {
        guard octets.count <= DomainName.longestText else { throw DomainNameError.nameTooLong }
        guard DomainName.isASCII(octets) || (try? UTF8Span(validating: octets)) != nil else {
            throw DomainNameError.notUTF8
        }
        try self.init(utf8: octets)
    }

    /// No text is looked at that has more octets: a Unicode label takes up to four octets for each of its
    /// A-label, and more where it is decomposed.
    @usableFromInline static let longestText = maximumLength * 16

    private static func isASCII(_ octets: Span<UInt8>) -> Bool {
        var all: UInt8 = 0
        for index in octets.indices { all |= octets[index] }
        return all < 0x80
    }

    /// Reads a name from octets that are known to be UTF-8.
    private init(utf8 octets: Span<UInt8>) throws(DomainNameError) {
        guard !octets.isEmpty else { throw DomainNameError.empty }
        let endsInDot = octets[octets.count - 1] == 0x2E
        if endsInDot, octets.count == 1 {
            self = .root
            return
        }
        let name = octets.extracting(droppingLast: endsInDot ? 1 : 0)
        if DomainName.isASCII(name) {
            ascii = try DomainName.checked(name)
        } else {
            let encoded = try DomainName.withALabels(name)
            ascii = try DomainName.checked(encoded.span)
        }
    }

    private static func withALabels(_ octets: Span<UInt8>) throws(DomainNameError) -> [UInt8] {
        var encoded: [UInt8] = []
        for label in octets.copied().split(separator: 0x2E, omittingEmptySubsequences: false) {
            if label.startIndex > 0 { encoded.append(0x2E) }
            if label.contains(where: { $0 >= 0x80 }) {
                let scalars = String(decoding: label, as: UTF8.self).unicodeScalars
                guard let ascii = IDNA.toASCII(scalars) else { throw DomainNameError.notIDN }
                encoded.append(contentsOf: ascii)
            } else {
                encoded.append(contentsOf: label)
            }
        }
        return encoded
    }

    /// Makes a name to ask the DNS for from octets without a dot at the end: only ASCII, and spaces are
    /// allowed, as the macro "%_" of SPF makes them (RFC 7208, section 7.1).
    ///
    /// Such a name is for queries: it is no one's identity, and does not go into a header field.
    public init(queryOctets octets: Span<UInt8>) throws(DomainNameError) {
        guard !octets.isEmpty else { throw DomainNameError.empty }
        for index in octets.indices where octets[index] >= 0x80 {
            throw DomainNameError.forbiddenOctet(octets[index])
        }
        ascii = try DomainName.checked(octets, allowsSpaces: true)
    }

    /// Checks labels and lengths of a name in ASCII, without a dot at the end, and makes it lower-case.
    private static func checked(
        _ octets: Span<UInt8>, allowsSpaces: Bool = false
    ) throws(DomainNameError) -> String {
        var labelStart = 0
        var hasCapitals = false
        for index in octets.indices {
            let octet = octets[index]
            if octet == 0x2E {
                try DomainName.checkLabel(length: index - labelStart)
                labelStart = index + 1
            } else if octet.isASCIIControl || octet == .space && !allowsSpaces {
                throw DomainNameError.forbiddenOctet(octet)
            }
            hasCapitals = hasCapitals || octet &- 0x41 < 26
        }
        try DomainName.checkLabel(length: octets.count - labelStart)
        guard octets.count <= DomainName.maximumLength else { throw DomainNameError.nameTooLong }
        if hasCapitals { return String(decoding: octets.asciiLowercased, as: UTF8.self) }
        return unsafe octets.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    private static func checkLabel(length: Int) throws(DomainNameError) {
        guard length > 0 else { throw DomainNameError.emptyLabel }
        guard length <= maximumLabelLength else { throw DomainNameError.labelTooLong }
    }

    private init(valid ascii: String) {
        self.ascii = ascii
    }
}

/// Why a text is no domain name.
public enum DomainNameError: Error, Hashable, Sendable {
    /// There is nothing.
    case empty
    /// Two dots in a row, or one at the start.
    case emptyLabel
    /// A label of more than 63 octets.
    case labelTooLong
    /// A name of more than 253 octets.
    case nameTooLong
    /// A control character, a space, or an octet outside ASCII where none is allowed.
    case forbiddenOctet(UInt8)
    /// Octets that are not UTF-8.
    case notUTF8
    /// A label outside ASCII that IDNA2008 does not allow, or whose A-label would be too long.
    case notIDN
}

extension DomainName {
    /// The number of labels; 0 for the root.
    public var labelCount: Int {
        let octets = ascii.utf8.span
        var count = octets.isEmpty ? 0 : 1
        for index in octets.indices where octets[index] == 0x2E { count += 1 }
        return count
    }

    /// The labels, leftmost first; none for the root.
    public var labels: [Substring] { ascii.split(separator: ".") }

    /// The name without its leftmost label; nil for the root.
    public var parent: DomainName? {
        guard !ascii.isEmpty else { return nil }
        guard let dot = ascii.utf8.firstIndex(of: 0x2E) else { return .root }
        return DomainName(valid: String(ascii[ascii.utf8.index(after: dot)...]))
    }

    /// The name's last labels; all of it where it has no more than that.
    public func suffix(labels count: Int) -> DomainName {
        guard count > 0 else { return .root }
        var seen = 0
        for index in ascii.utf8.indices.reversed() where ascii.utf8[index] == 0x2E {
            seen += 1
            if seen == count {
                return DomainName(valid: String(ascii[ascii.utf8.index(after: index)...]))
            }
        }
        return self
    }

    /// Whether this is the other name, or below it.
    public func isEqualOrSubdomain(of other: DomainName) -> Bool {
        self == other || isSubdomain(of: other)
    }

    /// Whether this name is below the other.
    public func isSubdomain(of other: DomainName) -> Bool {
        let (mine, theirs) = (ascii.utf8.span, other.ascii.utf8.span)
        guard mine.count > theirs.count else { return false }
        guard !theirs.isEmpty else { return true }
        let boundary = mine.count - theirs.count - 1
        guard mine[boundary] == 0x2E else { return false }
        for index in theirs.indices where mine[boundary + 1 + index] != theirs[index] {
            return false
        }
        return true
    }

    /// The name with one or more labels before it: `_dmarc`, or `selector._domainkey`.
    public func prepending(_ prefix: some StringProtocol) throws(DomainNameError) -> DomainName {
        guard !prefix.isEmpty else { throw DomainNameError.empty }
        guard !ascii.isEmpty else { return try DomainName(prefix) }
        return try DomainName(String(prefix) + "." + ascii)
    }

    /// The name below another one: `selector._domainkey` and then the domain.
    public func below(_ parent: DomainName) throws(DomainNameError) -> DomainName {
        guard !ascii.isEmpty, !parent.ascii.isEmpty else { return ascii.isEmpty ? parent : self }
        let name = ascii + "." + parent.ascii
        guard name.utf8.count <= DomainName.maximumLength else { throw DomainNameError.nameTooLong }
        return DomainName(valid: name)
    }

    /// Whether each label is letters, digits and hyphens, with no hyphen at either end (RFC 1123,
    /// section 2.1).
    public var isHostName: Bool {
        guard !ascii.isEmpty else { return false }
        var previous: UInt8 = 0x2E
        for octet in ascii.utf8 {
            if octet == 0x2D {
                if previous == 0x2E { return false }
            } else if octet == 0x2E {
                if previous == 0x2D { return false }
            } else if !octet.isASCIIAlphanumeric {
                return false
            }
            previous = octet
        }
        return previous != 0x2D
    }
}

extension DomainName {
    /// The name for display: each valid A-label as its U-label, all else as it is in `ascii`.
    public var unicode: String {
        guard hasALabel else { return ascii }
        return labels.map { IDNA.toUnicode($0.utf8) ?? String($0) }.joined(separator: ".")
    }

    /// Whether each label that begins with "xn--" is the A-label of a valid U-label.
    ///
    /// The tests are those of RFC 5891, section 5.4. The DNS does not ask for them; who displays or
    /// registers names may.
    public var isValidIDN: Bool {
        guard hasALabel else { return true }
        return labels.allSatisfy { !$0.hasPrefix("xn--") || IDNA.toUnicode($0.utf8) != nil }
    }

    private var hasALabel: Bool { labels.contains { $0.hasPrefix("xn--") } }
}

extension DomainName: Comparable {
    /// Orders by the octets of the text.
    public static func < (a: DomainName, b: DomainName) -> Bool { a.ascii < b.ascii }
}

extension DomainName: CustomStringConvertible {
    /// The name in ASCII; "." for the root.
    public var description: String { ascii.isEmpty ? "." : ascii }
}

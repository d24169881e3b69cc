internal import MailSyntax

/// Reads a DKIM-Signature field (RFC 6376, sections 3.5 and 6.1.1), or one of ARC that resembles it
/// (RFC 8617, sections 4.1.2 and 4.1.3).
///
/// Trust: hostile octets; linear time, lists bounded.
struct SignatureFieldParser {
    /// The most names in `h=`: far more than any message has fields to be signed.
    static let maximumNames = 1000

    /// How much of `b=` is kept for reports.
    private static let reportedSignature = 128

    /// What could be read, whether the field is in order or not.
    private(set) var claims = SignatureClaims()
    let position: Int
    private let header: HeaderSection
    private let kind: Kind
    private var tags = [TagList.Tag?](repeating: nil, count: Tag.allCases.count)

    /// What the field is.
    enum Kind {
        case dkimSignature
        /// As a DKIM-Signature, but without a version, and "i" is the instance (RFC 8617, section 4.1.2).
        case arcMessageSignature
        /// The seal of a chain (section 4.1.3).
        case arcSeal

        /// The tags that ARC allows comments around: `instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position`
        /// and `seal-cv-tag = %s"cv" [CFWS] "=" [CFWS] chain-status` (section 3.9).
        var tagsWithComments: [String] {
            switch self {
            case .dkimSignature: []
            case .arcMessageSignature: ["i"]
            case .arcSeal: ["i", "cv"]
            }
        }
    }

    /// The tags that mean something to us.
    enum Tag: Int, CaseIterable {
        case v, a, b, bh, c, d, h, i, l, q, s, t, x, z
        // Of ARC-Seal only.
        case cv

        /// The tag of a name of one or two octets, packed as a number.
        init?(_ name: ArraySlice<UInt8>) {
            switch name.reduce(0, { $0 << 8 | Int($1) }) {
            case 0x76: self = .v
            case 0x61: self = .a
            case 0x62: self = .b
            case 0x6268: self = .bh
            case 0x63: self = .c
            case 0x6376: self = .cv
            case 0x64: self = .d
            case 0x68: self = .h
            case 0x69: self = .i
            case 0x6C: self = .l
            case 0x71: self = .q
            case 0x73: self = .s
            case 0x74: self = .t
            case 0x78: self = .x
            case 0x7A: self = .z
            default: return nil
            }
        }
    }

    init(_ header: HeaderSection, _ position: Int, _ kind: Kind = .dkimSignature) {
        self.position = position
        self.header = header
        self.kind = kind
    }

    /// Reads the field; `claims` is filled as far as it goes.
    mutating func parse() throws(SignatureFieldError) -> SignatureField {
        try readTags()
        readClaims()
        if kind == .dkimSignature {
            guard try required(.v).elementsEqual("1".utf8) else { throw .version }
        }
        let algorithm = try readAlgorithm()
        let canonicalization = try readCanonicalization()
        let (domain, keyName) = try readKeyName()
        let names = try readNames()
        let signature = try base64(.b)
        guard !signature.isEmpty else { throw .malformedTag("b") }
        let bodyHash = try base64(.bh)
        guard bodyHash.count == 32 else { throw .malformedTag("bh") }
        let identityDomain = kind == .dkimSignature ? try readIdentity(domain) : domain
        try checkQueryMethods()
        let timestamp = try number(.t, digits: 12).map { Int64($0) }
        let expiration = try number(.x, digits: 12).map { Int64($0) }
        if let timestamp, let expiration, expiration <= timestamp { throw .expiresBeforeMade }
        return SignatureField(
            position: position, algorithm: algorithm, canonicalization: canonicalization,
            domain: domain, identityDomain: identityDomain, keyName: keyName, names: names,
            signature: signature, blank: blank, bodyHash: bodyHash,
            bodyLength: try number(.l, digits: 76), timestamp: timestamp,
            expiration: expiration, copies: tags[Tag.z.rawValue]?.value)
    }

    /// What of the field counts as empty when it is hashed.
    var blank: Range<Int> { tags[Tag.b.rawValue]?.spacedValue ?? 0..<0 }

    mutating func readTags() throws(SignatureFieldError) {
        let list: TagList
        do throws(TagListError) {
            list = try TagList(
                parsing: header.value(of: position), commentsAround: kind.tagsWithComments)
        } catch {
            throw .tagList(error)
        }
        for tag in list.tags where tag.name.count <= 2 {
            // "Unrecognized tags MUST be ignored" (section 3.2); duplicates are refused already.
            if let known = Tag(header.bytes[tag.name]) { tags[known.rawValue] = tag }
        }
    }

    /// Notes what the field says of itself, right or wrong.
    mutating func readClaims() {
        if let text = value(.b) {
            var characters: [UInt8] = []
            characters.reserveCapacity(Self.reportedSignature)
            for octet in text.prefix(Self.reportedSignature) where !octet.isFoldingSpace {
                characters.append(octet)
            }
            claims.signatureText = String(decoding: characters, as: UTF8.self)
        }
        claims.domain = value(.d).flatMap(Self.domain)
        claims.selector = value(.s).flatMap(Self.selector)
        if value(.i) == nil { claims.identity = claims.domain.map { "@\($0.ascii)" } }
    }

    func value(_ tag: Tag) -> ArraySlice<UInt8>? {
        tags[tag.rawValue].map { header.bytes[$0.value] }
    }

    func required(_ tag: Tag) throws(SignatureFieldError) -> ArraySlice<UInt8> {
        guard let value = value(tag) else { throw .missingTag("\(tag)") }
        return value
    }

    func base64(_ tag: Tag) throws(SignatureFieldError) -> [UInt8] {
        let text = try required(tag)
        guard let octets = Base64.decode(text.span) else {
            throw .malformedTag("\(tag)")
        }
        return octets
    }

    /// Reads digits; a number too large for us is the largest that there is.
    func number(_ tag: Tag, digits: Int) throws(SignatureFieldError) -> UInt64? {
        guard let text = value(tag) else { return nil }
        guard !text.isEmpty, text.count <= digits, text.allSatisfy(\.isASCIIDigit) else {
            throw .malformedTag("\(tag)")
        }
        var number: UInt64 = 0
        for digit in text {
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit &- 0x30))
            guard !overflow, !carry else { return .max }
            number = sum
        }
        return number
    }

    mutating func readAlgorithm() throws(SignatureFieldError) -> SignatureAlgorithm {
        let text = String(decoding: try required(.a).asciiLowercased, as: UTF8.self)
        // RFC 8301, section 3.1: "MUST NOT be used for signing or verifying".
        if text == "rsa-sha1" { throw .historicAlgorithm }
        guard let algorithm = SignatureAlgorithm(rawValue: text) else { throw .unknownAlgorithm }
        claims.algorithm = algorithm
        return algorithm
    }

    /// The domain, and where its key is published.
    func readKeyName() throws(SignatureFieldError) -> (domain: DomainName, keyName: DomainName) {
        _ = try required(.d)
        guard let domain = claims.domain, domain.labelCount > 1 else { throw .malformedTag("d") }
        _ = try required(.s)
        guard let selector = claims.selector,
            let keyName = try? selector.below(.domainKey).below(domain)
        else { throw .malformedTag("s") }
        return (domain, keyName)
    }

    private func readCanonicalization() throws(SignatureFieldError) -> CanonicalizationPair {
        guard let value = value(.c) else { return CanonicalizationPair() }
        guard let pair = CanonicalizationPair(value) else {
            throw .unknownCanonicalization
        }
        return pair
    }

    private func readNames() throws(SignatureFieldError) -> [Range<Int>] {
        let range = try required(.h).indices
        let list = header.bytes.span.extracting(range)
        var names: [Range<Int>] = []
        names.reserveCapacity(32)
        let from = FieldName.from.lowercased
        var signsFrom = false
        var position = 0
        while true {
            while position < list.count, list[position].isFoldingSpace { position += 1 }
            let start = position
            while position < list.count, FieldName.isNameOctet(list[position]) { position += 1 }
            let name = start..<position
            while position < list.count, list[position].isFoldingSpace { position += 1 }
            guard !name.isEmpty, position == list.count || list[position] == UInt8(ascii: ":")
            else { throw .malformedTag("h") }
            guard names.count < Self.maximumNames else { throw .tooManyNames }
            if !signsFrom {
                signsFrom = list.extracting(name).equalsIgnoringASCIICase(from.span)
            }
            names.append(range.lowerBound + name.lowerBound..<range.lowerBound + name.upperBound)
            if position == list.count { break }
            position += 1
        }
        guard signsFrom else { throw .fromNotSigned }
        return names
    }

    /// Reads `i=`, "[local-part] @ domain", in dkim-quoted-printable; answers its domain.
    private mutating func readIdentity(
        _ domain: DomainName
    ) throws(SignatureFieldError) -> DomainName {
        guard let value = value(.i) else { return domain }
        // RFC 8616, section 5: an internationalized local-part is UTF-8.
        guard let octets = QuotedPrintable.decode(value),
            !octets.contains(where: \.isASCIIControl),
            String(validating: octets, as: UTF8.self) != nil,
            let at = octets.lastIndex(of: UInt8(ascii: "@")),
            let localPart = Self.localPart(octets[..<at])
        else { throw .malformedTag("i") }
        let host = octets[(at + 1)...]
        let isDomain = host.elementsEqual(domain.ascii.utf8)
        guard let identityDomain = isDomain ? domain : Self.domain(host) else {
            throw .malformedTag("i")
        }
        // The form that results report: "[ [ local-part ] "@" ] domain-name" (RFC 8601, section 2.2).
        claims.identity = String(decoding: localPart, as: UTF8.self) + "@" + identityDomain.ascii
        guard identityDomain.isEqualOrSubdomain(of: domain) else { throw .identityOutsideDomain }
        return identityDomain
    }

    /// "Unrecognized query mechanisms MUST be ignored", but one must be left.
    private func checkQueryMethods() throws(SignatureFieldError) {
        guard let value = value(.q) else { return }
        let methods = value.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard
            methods.contains(where: {
                $0.trimmingFoldingSpace().equalsIgnoringASCIICase("dns/txt".utf8)
            })
        else { throw .unknownQueryMethod }
    }

    /// What stands before the "@" of `i=` in the form of a local-part; nil where it can be none.
    ///
    /// Nothing may stand there, or a quoted string, or atoms and dots in any order, as addresses in use
    /// have them: those are quoted, as a dot-atom has no dots beside each other or at its ends. Another
    /// "@" would let readers differ over the domain.
    private static func localPart(_ octets: ArraySlice<UInt8>) -> [UInt8]? {
        let quote = UInt8(ascii: "\"")
        guard !octets.isEmpty else { return [] }
        if octets.first == quote { return isQuotedString(octets) ? Array(octets) : nil }
        guard octets.allSatisfy({ $0 == UInt8(ascii: ".") || AddressSyntax.isAtext($0) }) else {
            return nil
        }
        return AddressSyntax.quotedIfNeeded(localPart: Array(octets))
    }

    /// Whether octets that begin with a quote are one quoted string.
    private static func isQuotedString(_ octets: ArraySlice<UInt8>) -> Bool {
        let quote = UInt8(ascii: "\"")
        var isEscaped = false
        for (index, octet) in zip(octets.indices, octets).dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if octet == quote {
                return index == octets.endIndex - 1
            } else {
                isEscaped = octet == UInt8(ascii: "\\")
            }
        }
        return false
    }

    /// A domain of host name labels; "_" is tolerated, as selectors and domains in use have it.
    private static func domain(_ octets: ArraySlice<UInt8>) -> DomainName? {
        // domain-name = sub-domain 1*("." sub-domain): no dot at the end.
        guard octets.last != UInt8(ascii: "."), let domain = try? DomainName(bytes: octets.span)
        else { return nil }
        // sub-domain = Let-dig [Ldh-str] (RFC 5321, section 4.1.2): no hyphen at either end of a label.
        var previous = UInt8(ascii: ".")
        for octet in domain.ascii.utf8 {
            switch octet {
            case UInt8(ascii: "-"): if previous == UInt8(ascii: ".") { return nil }
            case UInt8(ascii: "."): if previous == UInt8(ascii: "-") { return nil }
            case UInt8(ascii: "_"): break
            default: guard octet.isASCIIAlphanumeric else { return nil }
            }
            previous = octet
        }
        return previous == UInt8(ascii: "-") ? nil : domain
    }

    private static func selector(_ octets: ArraySlice<UInt8>) -> DomainName? {
        domain(octets)
    }
}

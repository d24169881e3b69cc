internal import MailSyntax

extension SPFRecord {
    /// Whether a TXT record is an SPF record: it begins with "v=spf1", in any case, and a space or the
    /// end (RFC 7208, section 4.5).
    public static func hasVersion(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= version.count,
            bytes.prefix(version.count).equalsIgnoringASCIICase(version)
        else { return false }
        return bytes.count == version.count || bytes[version.count] == .space
    }

    fileprivate static let version: [UInt8] = Array("v=spf1".utf8)

    /// Parses a record, wholly: any syntax error anywhere in it makes it useless (RFC 7208, section 4.6).
    public init(parsing bytes: [UInt8]) throws(SPFSyntaxError) {
        guard SPFRecord.hasVersion(bytes) else { throw SPFSyntaxError(.noVersion, at: 0) }
        var parser = SPFRecordParser(bytes)
        try parser.parse()
        self.bytes = bytes
        directives = parser.directives
        redirect = parser.redirect
        explanation = parser.explanation
        hasAll = parser.hasAll
    }
}

/// Reads the terms of a record.
///
/// Trust: text from anyone's DNS; linear time, and nothing is copied but what an error reports.
private struct SPFRecordParser {
    let bytes: [UInt8]
    private(set) var directives: [SPFDirective] = []
    private(set) var redirect: SPFDomainSpec?
    private(set) var explanation: SPFDomainSpec?
    private(set) var hasAll = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// terms = *( 1*SP ( directive / modifier ) ), and the record may end in spaces.
    mutating func parse() throws(SPFSyntaxError) {
        var position = SPFRecord.version.count
        while position < bytes.count {
            guard bytes[position] != .space else {
                position += 1
                continue
            }
            var end = position
            while end < bytes.count, bytes[end] != .space {
                guard 0x21...0x7E ~= bytes[end] else {
                    throw SPFSyntaxError(.forbiddenOctet(bytes[end]), at: end)
                }
                end += 1
            }
            try parseTerm(position..<end)
            position = end
        }
    }

    /// A term is a modifier if "=" follows its name, a mechanism otherwise (RFC 7208, section 4.6.1).
    private mutating func parseTerm(_ term: Range<Int>) throws(SPFSyntaxError) {
        let qualifier = SPFQualifier(rawValue: bytes[term.lowerBound])
        let nameStart = qualifier == nil ? term.lowerBound : term.lowerBound + 1
        guard nameStart < term.upperBound, bytes[nameStart].isASCIILetter else {
            throw SPFSyntaxError(.noName, at: nameStart)
        }
        var nameEnd = nameStart + 1
        while nameEnd < term.upperBound, isNameOctet(bytes[nameEnd]) { nameEnd += 1 }
        let name = nameStart..<nameEnd
        let rest = nameEnd..<term.upperBound
        if nameEnd < term.upperBound, bytes[nameEnd] == 0x3D {
            guard qualifier == nil else {
                throw SPFSyntaxError(.qualifiedModifier, at: term.lowerBound)
            }
            try parseModifier(name, value: rest.dropFirst())
        } else {
            let mechanism = try parseMechanism(name, rest)
            if mechanism == .all { hasAll = true }
            directives.append(
                SPFDirective(qualifier: qualifier ?? .pass, mechanism: mechanism, range: term))
        }
    }

    // name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
    private func isNameOctet(_ octet: UInt8) -> Bool {
        octet.isASCIIAlphanumeric || octet == 0x2D || octet == 0x5F || octet == 0x2E
    }
}

/// A name of up to eight octets, packed and in lower case, so that comparing costs nothing; all longer
/// names are alike.
private struct SPFName: Hashable {
    private let letters: UInt64

    init(_ octets: some Collection<UInt8>) {
        letters =
            octets.count > 8 ? 0 : octets.reduce(0) { $0 << 8 | UInt64($1.asciiLowercased) }
    }

    static let all = SPFName("all".utf8)
    static let include = SPFName("include".utf8)
    static let a = SPFName("a".utf8)
    static let mx = SPFName("mx".utf8)
    static let ptr = SPFName("ptr".utf8)
    static let ip4 = SPFName("ip4".utf8)
    static let ip6 = SPFName("ip6".utf8)
    static let exists = SPFName("exists".utf8)
    static let redirect = SPFName("redirect".utf8)
    static let exp = SPFName("exp".utf8)
}

// MARK: - Modifiers (RFC 7208, section 6)

extension SPFRecordParser {
    private mutating func parseModifier(
        _ name: Range<Int>, value: Range<Int>
    ) throws(SPFSyntaxError) {
        switch SPFName(bytes[name]) {
        case .redirect:
            guard redirect == nil else {
                throw SPFSyntaxError(.repeatedModifier("redirect"), at: name.lowerBound)
            }
            redirect = try domainSpec(value)
        case .exp:
            guard explanation == nil else {
                throw SPFSyntaxError(.repeatedModifier("exp"), at: name.lowerBound)
            }
            explanation = try domainSpec(value)
        default:
            // unknown-modifier = name "=" macro-string: ignored, yet its syntax counts.
            var scanner = SPFMacroScanner(bytes, value, .unknownModifier)
            while try scanner.next() != nil {}
        }
    }
}

// MARK: - Mechanisms (RFC 7208, section 5)

extension SPFRecordParser {
    private func parseMechanism(
        _ name: Range<Int>, _ rest: Range<Int>
    ) throws(SPFSyntaxError) -> SPFMechanism {
        switch SPFName(bytes[name]) {
        case .all:
            guard rest.isEmpty else {
                throw SPFSyntaxError(.unexpectedArgument, at: rest.lowerBound)
            }
            return .all
        case .include: return .include(try requiredDomain(rest))
        case .a:
            let (lengths, domain) = try prefixLengths(rest)
            return .a(try optionalDomain(domain), lengths)
        case .mx:
            let (lengths, domain) = try prefixLengths(rest)
            return .mx(try optionalDomain(domain), lengths)
        case .ptr: return .ptr(try optionalDomain(rest))
        case .ip4: return .ip(try network(rest, bits: 32))
        case .ip6: return .ip(try network(rest, bits: 128))
        case .exists: return .exists(try requiredDomain(rest))
        default:
            throw SPFSyntaxError(
                .unknownMechanism(String(decoding: bytes[name].prefix(40), as: UTF8.self)),
                at: name.lowerBound)
        }
    }

    // ":" domain-spec
    private func requiredDomain(_ rest: Range<Int>) throws(SPFSyntaxError) -> SPFDomainSpec {
        guard let domain = try optionalDomain(rest) else {
            throw SPFSyntaxError(.missingArgument, at: rest.lowerBound)
        }
        return domain
    }

    // [ ":" domain-spec ]
    private func optionalDomain(_ rest: Range<Int>) throws(SPFSyntaxError) -> SPFDomainSpec? {
        guard !rest.isEmpty else { return nil }
        guard bytes[rest.lowerBound] == 0x3A else {
            throw SPFSyntaxError(.unexpectedArgument, at: rest.lowerBound)
        }
        return try domainSpec(rest.dropFirst())
    }

    // domain-spec = macro-string domain-end
    private func domainSpec(_ range: Range<Int>) throws(SPFSyntaxError) -> SPFDomainSpec {
        guard !range.isEmpty else { throw SPFSyntaxError(.emptyDomain, at: range.lowerBound) }
        var scanner = SPFMacroScanner(bytes, range, .domain)
        var hasMacros = false
        var endsInMacro = false
        while let token = try scanner.next() {
            if case .literal = token {
                endsInMacro = false
            } else {
                hasMacros = true
                endsInMacro = true
            }
        }
        if !endsInMacro { try checkTopLabel(range) }
        return SPFDomainSpec(range: range, hasMacros: hasMacros)
    }

    // domain-end = ( "." toplabel [ "." ] ) / macro-expand
    //
    // The label cannot reach into a macro: no top label has a "}", "%", "_" or "-" at its end.
    private func checkTopLabel(_ range: Range<Int>) throws(SPFSyntaxError) {
        var end = range.upperBound
        if bytes[end - 1] == 0x2E { end -= 1 }
        guard let dot = bytes[range.lowerBound..<end].lastIndex(of: 0x2E) else {
            throw SPFSyntaxError(.noTopLabel, at: range.lowerBound)
        }
        let label = bytes[(dot + 1)..<end]
        guard let first = label.first, let last = label.last,
            first.isASCIIAlphanumeric, last.isASCIIAlphanumeric,
            label.allSatisfy({ $0.isASCIIAlphanumeric || $0 == 0x2D }),
            label.contains(where: { !$0.isASCIIDigit })
        else { throw SPFSyntaxError(.badTopLabel, at: dot + 1) }
    }

    // dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
    //
    // It is taken from the end of the term. A domain-spec may hold slashes, yet cannot end in a slash and digits, as no top label does.
    private func prefixLengths(
        _ rest: Range<Int>
    ) throws(SPFSyntaxError) -> (SPFPrefixLengths, domain: Range<Int>) {
        var rest = rest
        var (v4, v6) = (32, 128)
        if let slash = trailingLength(rest), slash > rest.lowerBound, bytes[slash - 1] == 0x2F {
            v6 = try prefixLength((slash + 1)..<rest.upperBound, atMost: 128)
            rest = rest.lowerBound..<(slash - 1)
        }
        if let slash = trailingLength(rest) {
            v4 = try prefixLength((slash + 1)..<rest.upperBound, atMost: 32)
            rest = rest.lowerBound..<slash
        }
        return (SPFPrefixLengths(v4: v4, v6: v6), rest)
    }

    /// Where the slash is, if the range ends in a slash and digits.
    private func trailingLength(_ range: Range<Int>) -> Int? {
        guard let last = bytes[range].lastIndex(where: { !$0.isASCIIDigit }) else { return nil }
        return bytes[last] == 0x2F && last + 1 < range.upperBound ? last : nil
    }

    // "0" / %x31-39 *DIGIT, up to the width of the address (RFC 7208, section 5.6).
    private func prefixLength(
        _ digits: Range<Int>, atMost limit: Int
    ) throws(SPFSyntaxError) -> Int {
        guard 1...3 ~= digits.count, bytes[digits].allSatisfy(\.isASCIIDigit),
            digits.count == 1 || bytes[digits.lowerBound] != 0x30
        else { throw SPFSyntaxError(.badPrefixLength, at: digits.lowerBound) }
        let value = bytes[digits].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard value <= limit else {
            throw SPFSyntaxError(.badPrefixLength, at: digits.lowerBound)
        }
        return value
    }

    // ":" ip4-network [ ip4-cidr-length ], and the same for ip6
    private func network(_ rest: Range<Int>, bits: Int) throws(SPFSyntaxError) -> IPNetwork {
        guard let colon = rest.first, bytes[colon] == 0x3A else {
            throw SPFSyntaxError(.missingArgument, at: rest.lowerBound)
        }
        let value = rest.dropFirst()
        let slash = bytes[value].firstIndex(of: 0x2F)
        let address = IPAddress(bytes: bytes[value.lowerBound..<(slash ?? value.upperBound)])
        guard let address, address.bitWidth == bits else {
            throw SPFSyntaxError(.badAddress, at: value.lowerBound)
        }
        var length = bits
        if let slash {
            length = try prefixLength((slash + 1)..<value.upperBound, atMost: bits)
        }
        guard let network = IPNetwork(address, prefixLength: length) else {
            throw SPFSyntaxError(.badPrefixLength, at: value.lowerBound)
        }
        return network
    }
}

internal import MailSyntax

/// Reads the records of a master file (RFC 1035, section 5; RFC 2308, section 4 for `$TTL`).
///
/// Classes, TTLs and the data of record types that mail authentication never asks for are read over.
struct ZoneParser {
    private typealias Token = ZoneTokenizer.Token

    /// What a line says of a record type.
    private enum TypeWord {
        case served(RecordType)
        case tolerated
    }

    private(set) var zone = ZoneTree()
    private var origin: DomainName
    private var owner: DomainName?

    init(origin: DomainName) {
        self.origin = origin
    }

    mutating func parse(_ text: String) throws(ZoneError) {
        var tokenizer = ZoneTokenizer(text)
        while let entry = try tokenizer.next() {
            do throws(ZoneError.Reason) {
                try read(entry)
            } catch {
                throw ZoneError(line: entry.line, reason: error)
            }
        }
    }

    private mutating func read(_ entry: ZoneTokenizer.Entry) throws(ZoneError.Reason) {
        var tokens = entry.tokens[...]
        if !entry.inheritsOwner, let first = tokens.first {
            if first.bytes.first == UInt8(ascii: "$"), !first.isQuoted, !first.startsEscaped {
                return try readDirective(tokens)
            }
            owner = try name(first)
            tokens.removeFirst()
        }
        guard let owner else { throw .noOwner }
        // RFC 1035, section 5.1: the class and the TTL come before the type, in either order.
        while let word = tokens.popFirst() {
            let text = word.text.uppercased()
            if text == "IN" || Self.isTTL(word) { continue }
            if ["CH", "CS", "HS"].contains(text) { throw .unsupportedClass(text) }
            switch Self.type(named: text) {
            case .served(let type)?:
                let data = try data(of: type, tokens)
                guard zone.insert(ZoneRecord(owner, type, data)) else {
                    throw .aliasAndOthers(owner)
                }
            case .tolerated?: zone.insert(name: owner)
            case nil: throw .unknownType(word.text)
            }
            return
        }
        throw .noType
    }

    private mutating func readDirective(_ tokens: ArraySlice<Token>) throws(ZoneError.Reason) {
        guard let directive = tokens.first else { return }
        switch (directive.text.uppercased(), tokens.dropFirst().first, tokens.count) {
        case ("$ORIGIN", let argument?, 2): origin = try name(argument)
        case ("$TTL", let argument?, 2) where Self.isTTL(argument): break
        default: throw .unsupportedDirective(directive.text)
        }
    }

    private func data(
        of type: RecordType, _ words: ArraySlice<Token>
    ) throws(ZoneError.Reason) -> DNSRecord {
        let words = Array(words)
        switch (type, words.count) {
        case (.a, 1):
            guard case .v4? = IPAddress(words[0].text), let address = IPAddress(words[0].text)
            else { throw .badData(type) }
            return .address(address)
        case (.aaaa, 1):
            guard case .v6? = IPAddress(words[0].text), let address = IPAddress(words[0].text)
            else { throw .badData(type) }
            return .address(address)
        case (.mx, 2):
            guard let preference = UInt16(words[0].text) else { throw .badData(type) }
            return .mx(preference: preference, exchange: try name(words[1]))
        case (.srv, 4):
            let numbers = words.prefix(3).compactMap { UInt16($0.text) }
            guard numbers.count == 3 else { throw .badData(type) }
            return .srv(
                priority: numbers[0], weight: numbers[1], port: numbers[2],
                target: try name(words[3]))
        case (.ptr, 1), (.ns, 1), (.cname, 1):
            return .name(try name(words[0]))
        case (.txt, 1...):
            guard words.allSatisfy({ $0.bytes.count <= 255 }) else { throw .stringTooLong }
            return .text(words.map(\.bytes))
        default:
            throw .badData(type)
        }
    }

    /// A domain name: `@` is the origin, and a name without a dot at its end is relative to it.
    private func name(_ token: Token) throws(ZoneError.Reason) -> DomainName {
        if token.bytes == [UInt8(ascii: "@")], !token.startsEscaped { return origin }
        guard !token.hasEscapedDot, !token.bytes.isEmpty else { throw .badName(token.text) }
        var bytes = token.bytes
        let isRoot = bytes == [UInt8(ascii: ".")]
        if isRoot { return .root }
        if bytes.last != UInt8(ascii: "."), origin != .root {
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: origin.ascii.utf8)
        }
        guard let name = try? DomainName(bytes: bytes) else { throw .badName(token.text) }
        return name
    }

    /// True for `3600` and for the form with units, `1h30m`.
    private static func isTTL(_ token: Token) -> Bool {
        guard let first = token.bytes.first, (0x30...0x39).contains(first) else { return false }
        return token.bytes.allSatisfy { byte in
            (0x30...0x39).contains(byte) || "smhdwSMHDW".utf8.contains(byte)
        }
    }

    private static func type(named word: String) -> TypeWord? {
        if let type = RecordType.allCases.first(where: { $0.mnemonic == word }) {
            return .served(type)
        }
        return toleratedTypes.contains(word) ? .tolerated : nil
    }

    /// Types that make a name exist and that no question can ask for.
    private static let toleratedTypes: Set<String> = [
        "SOA", "CAA", "SPF", "HINFO", "RP", "LOC", "NAPTR", "URI", "SVCB", "HTTPS", "TLSA",
        "SMIMEA", "SSHFP", "OPENPGPKEY", "CERT", "DS", "CDS", "DNSKEY", "CDNSKEY", "RRSIG", "NSEC",
        "NSEC3", "NSEC3PARAM", "CSYNC", "ZONEMD", "DHCID", "IPSECKEY", "TYPE99",
    ]
}

extension RecordType {
    /// The type's name in master files (RFC 1035, section 3.2.2), in capitals.
    public var mnemonic: String {
        switch self {
        case .a: "A"
        case .ns: "NS"
        case .cname: "CNAME"
        case .ptr: "PTR"
        case .mx: "MX"
        case .txt: "TXT"
        case .aaaa: "AAAA"
        case .srv: "SRV"
        }
    }
}

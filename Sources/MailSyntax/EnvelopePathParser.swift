/// Why an envelope path can not be read.
public enum EnvelopePathError: String, Error, Hashable, Sendable, CaseIterable {
    /// Longer than 4,096 octets; SMTP command lines end long before.
    case tooLong = "path too long"
    /// A control character.
    case controlCharacter = "control character"
    /// An angle bracket without its partner.
    case unbalancedAngle = "unbalanced angle bracket"
    /// A quoted string without its end.
    case unbalancedQuote = "unbalanced quote"
    /// A source route without its colon, or an empty one.
    case invalidRoute = "invalid source route"
    /// Nothing before the "@".
    case missingLocalPart = "missing local-part"
    /// A local-part that is neither a dot-string nor a quoted string.
    case invalidLocalPart = "invalid local-part"
    /// Nothing after the "@".
    case missingDomain = "missing domain"
    /// A domain that no host can have, or a literal without its bracket.
    case invalidDomain = "invalid domain"
    /// Text directly after the path.
    case trailingText = "text after the path"
}

extension EnvelopePathError: CustomStringConvertible {
    /// The phrase.
    public var description: String { rawValue }
}

/// The grammar of RFC 5321, section 4.1.2: `Path = "<" [ A-d-l ":" ] Mailbox ">"`.
///
/// Trust: hostile text, of bounded length; one pass, or two for a path without brackets.
struct EnvelopePathParser {
    static let maximumLength = 4_096

    private let text: [UInt8]
    private var position: Int
    private let end: Int

    private init(_ text: [UInt8], in range: Range<Int>) {
        self.text = text
        position = range.lowerBound
        end = range.upperBound
    }

    /// Reads a path; nil is the empty one, `<>`.
    static func parse(_ span: Span<UInt8>) throws(EnvelopePathError) -> EnvelopeAddress? {
        guard span.count <= maximumLength else { throw EnvelopePathError.tooLong }
        let text = span.copied()
        guard !text.contains(where: { $0.isASCIIControl && $0 != .tab }) else {
            throw EnvelopePathError.controlCharacter
        }
        let trimmed = text.trimmingFoldingSpace()
        guard let first = trimmed.first else { return nil }
        var parser = EnvelopePathParser(text, in: trimmed.indices)
        if first == UInt8(ascii: "<") { return try parser.parseBracketed() }
        // Postfix gives mail of its own (sendmail(1), bounces) and policy servers an address in its
        // internal form: no brackets, no quotes, the last "@" before the domain.
        if let address = try? parser.parseBare() { return address }
        return try internalForm(trimmed)
    }

    private var next: UInt8? { position < end ? text[position] : nil }

    private mutating func take(_ octet: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: octet) else { return false }
        position += 1
        return true
    }

    private mutating func parseBracketed() throws(EnvelopePathError) -> EnvelopeAddress? {
        position += 1
        if take(">") {
            try checkEnd()
            return nil
        }
        try skipRoute()
        let address = try parseMailbox()
        guard take(">") else {
            throw next == nil ? EnvelopePathError.unbalancedAngle : errorAfterMailbox(address)
        }
        try checkEnd()
        return address
    }

    private mutating func parseBare() throws(EnvelopePathError) -> EnvelopeAddress {
        try skipRoute()
        let address = try parseMailbox()
        if next != nil {
            guard address.host != nil, parametersFollow() else {
                throw errorAfterMailbox(address)
            }
        }
        return address
    }

    private static func internalForm(
        _ text: ArraySlice<UInt8>
    ) throws(EnvelopePathError) -> EnvelopeAddress {
        guard let at = text.lastIndex(of: UInt8(ascii: "@")) else {
            return EnvelopeAddress(localPart: Array(text), host: nil)
        }
        guard at > text.startIndex else { throw EnvelopePathError.missingLocalPart }
        var parser = EnvelopePathParser(Array(text), in: 0..<text.count)
        parser.position = at - text.startIndex + 1
        let host = try parser.parseHost()
        guard parser.next == nil else { throw EnvelopePathError.invalidDomain }
        return EnvelopeAddress(localPart: Array(text[..<at]), host: host)
    }

    // A-d-l     = At-domain *( "," At-domain )
    // At-domain = "@" Domain
    // The route must be accepted, and should be ignored (appendix C).
    private mutating func skipRoute() throws(EnvelopePathError) {
        guard next == UInt8(ascii: "@") else { return }
        repeat {
            guard take("@") else { throw EnvelopePathError.invalidRoute }
            guard (try? parseHost()) != nil else { throw EnvelopePathError.invalidRoute }
        } while take(",")
        guard take(":") else { throw EnvelopePathError.invalidRoute }
    }

    // Mailbox = Local-part "@" ( Domain / address-literal )
    private mutating func parseMailbox() throws(EnvelopePathError) -> EnvelopeAddress {
        let localPart = try parseLocalPart()
        guard take("@") else { return EnvelopeAddress(localPart: localPart, host: nil) }
        return EnvelopeAddress(localPart: localPart, host: try parseHost())
    }

    // Local-part = Dot-string / Quoted-string
    private mutating func parseLocalPart() throws(EnvelopePathError) -> [UInt8] {
        guard take("\"") else {
            let start = position
            while let octet = next, AddressSyntax.isAtext(octet) || octet == UInt8(ascii: ".") {
                position += 1
            }
            // A dot at the end, or two in a row, are against the grammar and in use all the same; the
            // domain is in no doubt.
            guard position > start else { throw EnvelopePathError.missingLocalPart }
            return Array(text[start..<position])
        }
        let start = position
        while let octet = next {
            if octet == UInt8(ascii: "\"") {
                position += 1
                return AddressSyntax.unquoted(text[start..<(position - 1)])
            }
            position += octet == UInt8(ascii: "\\") ? 2 : 1
        }
        throw EnvelopePathError.unbalancedQuote
    }

    private mutating func parseHost() throws(EnvelopePathError) -> EnvelopeAddress.Host {
        let start = position
        if take("[") {
            // dcontent = %d33-90 / %d94-126 (section 4.1.3)
            while let octet = next, octet > 0x20, octet < 0x7F, !(0x5B...0x5D).contains(octet) {
                position += 1
            }
            guard take("]"), position - start > 2 else { throw EnvelopePathError.invalidDomain }
            return .literal(Array(text[(start + 1)..<(position - 1)]))
        }
        while let octet = next, AddressSyntax.isAtext(octet) || octet == UInt8(ascii: ".") {
            position += 1
        }
        guard position > start else { throw EnvelopePathError.missingDomain }
        guard let domain = try? DomainName(bytes: text[start..<position].span), domain != .root
        else {
            throw EnvelopePathError.invalidDomain
        }
        return .domain(domain)
    }

    /// After a path in brackets there is nothing, or white space and parameters, which are ignored.
    private func checkEnd() throws(EnvelopePathError) {
        guard next.map(\.isWSP) ?? true else { throw EnvelopePathError.trailingText }
    }

    /// Whether all that follows are ESMTP parameters: `SP esmtp-keyword ["=" value]` (section 4.1.2).
    private func parametersFollow() -> Bool {
        guard next.map(\.isWSP) ?? false else { return false }
        return text[position..<end].split(whereSeparator: \.isWSP).allSatisfy { parameter in
            let keyword = parameter.prefix { $0 != UInt8(ascii: "=") }
            return !keyword.isEmpty
                && keyword.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") }
        }
    }

    private func errorAfterMailbox(_ address: EnvelopeAddress) -> EnvelopePathError {
        address.host == nil ? .invalidLocalPart : .trailingText
    }
}

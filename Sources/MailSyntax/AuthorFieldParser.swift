/// The grammar of a From field over its tokens: `mailbox-list / address-list` (RFC 6854, section 2.1).
///
/// One token of look-ahead, no recursion: each step takes one member of the list.
///
/// Trust: hostile text; each token is looked at a fixed number of times.
struct AuthorFieldParser {
    private let text: [UInt8]
    private let tokens: [AddressToken]
    private let limits: AuthorField.Limits
    private let domains: AuthorDomains
    private var position = 0
    private var mailboxes: [Mailbox] = []

    init(
        _ text: [UInt8], limits: AuthorField.Limits, _ domains: AuthorDomains
    ) throws(AuthorFieldError) {
        self.text = text
        self.domains = domains
        self.limits = limits
        tokens = try AddressScanner.tokens(of: text)
    }

    private var next: AddressToken? { position < tokens.count ? tokens[position] : nil }

    private func nextIs(_ octet: Unicode.Scalar) -> Bool {
        next?.isSpecial(UInt8(ascii: octet)) ?? false
    }

    private mutating func take(_ octet: Unicode.Scalar) -> Bool {
        guard nextIs(octet) else { return false }
        position += 1
        return true
    }

    // address-list  = (address *("," address)) / obs-addr-list
    // address       = mailbox / group
    // obs-addr-list = *([CFWS] ",") address *("," [address / CFWS])
    mutating func parse() throws(AuthorFieldError) -> AuthorField {
        guard !tokens.isEmpty else { return .nobody(.empty) }
        skipCommas()
        repeat {
            try parseAddress()
        } while skipCommas() && position < tokens.count
        guard position == tokens.count else { throw errorAfterAddress() }
        return mailboxes.isEmpty ? .nobody(.emptyGroup) : .authors(mailboxes)
    }

    /// Skips commas with nothing between them (RFC 5322, section 4.4); whether there was one.
    @discardableResult
    private mutating func skipCommas() -> Bool {
        let start = position
        while take(",") {}
        return position > start
    }

    private mutating func parseAddress() throws(AuthorFieldError) {
        let words = takeWords()
        guard nextIs(":") else { return try parseMailbox(after: words) }
        // group          = display-name ":" [group-list] ";"
        // obs-group-list = 1*([CFWS] ",") [CFWS]
        guard !words.isEmpty, tokens[words].contains(where: \.isWord) else {
            throw AuthorFieldError.strayGroupMark
        }
        position += 1
        skipCommas()
        if take(";") { return }
        repeat {
            let words = takeWords()
            guard !nextIs(":") else { throw AuthorFieldError.nestedGroup }
            try parseMailbox(after: words)
        } while skipCommas() && !nextIs(";") && next != nil
        guard take(";") else {
            throw next == nil ? AuthorFieldError.unfinishedGroup : errorAfterAddress()
        }
    }

    /// Takes the words and dots that begin a display name or a local-part.
    private mutating func takeWords() -> Range<Int> {
        let start = position
        while let token = next, token.isWord || token.isSpecial(UInt8(ascii: ".")) { position += 1 }
        return start..<position
    }

    // mailbox    = name-addr / addr-spec
    // name-addr  = [display-name] angle-addr
    // angle-addr = [CFWS] "<" addr-spec ">" [CFWS]
    private mutating func parseMailbox(after words: Range<Int>) throws(AuthorFieldError) {
        guard mailboxes.count < limits.mailboxes else { throw AuthorFieldError.tooManyMailboxes }
        guard take("<") else {
            let (localPart, domain) = try parseAddrSpec(after: words, inAngle: false)
            mailboxes.append(Mailbox(localPart: localPart, domain: domain))
            return
        }
        let name = try displayName(words)
        let (localPart, domain) = try parseAngle()
        mailboxes.append(Mailbox(displayName: name, localPart: localPart, domain: domain))
    }

    private mutating func parseAngle() throws(AuthorFieldError) -> ([UInt8], DomainName) {
        if nextIs(">") { throw AuthorFieldError.emptyAddress }
        if nextIs(",") || nextIs("@") && tokens[position...].contains(where: isColon) {
            try skipRoute()
        }
        let parts = try parseAddrSpec(after: takeWords(), inAngle: true)
        guard take(">") else {
            if nextIs("@") { throw AuthorFieldError.secondAt }
            throw next.map { $0.isWord || $0.kind == .literal } ?? false
                ? AuthorFieldError.textAfterAddress : AuthorFieldError.unbalancedAngle
        }
        return parts
    }

    /// Passes a route, which is "ignored" (RFC 5322, section 4.4).
    ///
    ///     obs-route       = obs-domain-list ":"
    ///     obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
    private mutating func skipRoute() throws(AuthorFieldError) {
        repeat {
            skipCommas()
            guard take("@") else { throw AuthorFieldError.sourceRoute }
            _ = try parseDomain(inAngle: true)
            skipCommas()
        } while !nextIs(":")
        position += 1
    }

    private func isColon(_ token: AddressToken) -> Bool { token.isSpecial(UInt8(ascii: ":")) }

    /// The words of a display name with single spaces between them (RFC 5322, section 3.2.5, and
    /// section 4.1 for the dots).
    private func displayName(_ words: Range<Int>) throws(AuthorFieldError) -> [UInt8]? {
        guard let first = words.first else { return nil }
        // obs-phrase = word *(word / "." / CFWS)
        guard tokens[first].isWord else { throw AuthorFieldError.misplacedDot }
        var name: [UInt8] = []
        name.reserveCapacity(64)
        for index in words {
            let token = tokens[index]
            if token.afterGap, index > first { name.append(.space) }
            append(contentOf: token, to: &name)
        }
        return name
    }

    private func append(contentOf token: AddressToken, to octets: inout [UInt8]) {
        if token.kind == .quoted {
            octets += AddressSyntax.unquoted(text[token.range])
        } else {
            octets.append(contentsOf: text.span.extracting(token.range))
        }
    }

    // addr-spec  = local-part "@" domain
    private mutating func parseAddrSpec(
        after words: Range<Int>, inAngle: Bool
    ) throws(AuthorFieldError) -> (localPart: [UInt8], domain: DomainName) {
        guard take("@") else {
            guard words.isEmpty else { throw AuthorFieldError.missingDomain }
            throw errorAtAddress()
        }
        guard !words.isEmpty else { throw AuthorFieldError.missingLocalPart }
        let localPart = try parseLocalPart(words)
        let domain = try parseDomain(inAngle: inAngle)
        return (localPart, domain)
    }

    // local-part = dot-atom / quoted-string / obs-local-part
    // obs-local-part = word *("." word)
    private func parseLocalPart(_ words: Range<Int>) throws(AuthorFieldError) -> [UInt8] {
        var localPart: [UInt8] = []
        var expectsWord = true
        for token in tokens[words] {
            if token.isWord {
                guard expectsWord else { throw AuthorFieldError.unquotedSpace }
            } else {
                guard !expectsWord else { throw AuthorFieldError.misplacedDot }
            }
            expectsWord = !token.isWord
            append(contentOf: token, to: &localPart)
        }
        guard !expectsWord else { throw AuthorFieldError.misplacedDot }
        guard isUTF8(localPart.span) else { throw AuthorFieldError.notUTF8 }
        guard !AddressSyntax.holdsEncodedWord(localPart) else {
            throw AuthorFieldError.encodedWordInAddress
        }
        return localPart
    }

    // domain     = dot-atom / domain-literal / obs-domain
    // obs-domain = atom *("." atom)
    private mutating func parseDomain(inAngle: Bool) throws(AuthorFieldError) -> DomainName {
        var octets: [UInt8] = []
        octets.reserveCapacity(64)
        var expectsAtom = true
        while let token = next {
            if token.kind == .literal, octets.isEmpty { throw AuthorFieldError.domainLiteral }
            if token.kind == .quoted, expectsAtom { throw AuthorFieldError.quotedDomain }
            let isDot = token.isSpecial(UInt8(ascii: "."))
            guard isDot || (token.kind == .atom && expectsAtom) else { break }
            guard !isDot || !expectsAtom else { throw AuthorFieldError.misplacedDot }
            guard inAngle || octets.isEmpty || !token.afterGap else {
                throw AuthorFieldError.gapInDomain
            }
            octets.append(contentsOf: text.span.extracting(token.range))
            expectsAtom = isDot
            position += 1
        }
        guard !octets.isEmpty else {
            throw nextIs("@") ? AuthorFieldError.secondAt : AuthorFieldError.missingDomain
        }
        guard !expectsAtom else { throw AuthorFieldError.misplacedDot }
        return try authorDomain(octets)
    }

    /// A domain that a host can have, "_" tolerated.
    ///
    /// Other atext ("!", "?", "=" and so on) is refused: no such domain can be authenticated, and to a
    /// reader it looks like the domain that it begins with.
    private func authorDomain(_ octets: [UInt8]) throws(AuthorFieldError) -> DomainName {
        guard let domain = domains.domain(octets) else {
            throw AuthorFieldError.invalidDomain
        }
        let isPlain = domain.ascii.utf8.allSatisfy {
            $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "_")
        }
        guard isPlain else { throw AuthorFieldError.invalidDomain }
        return domain
    }

    /// Names what stands where an address should begin.
    private func errorAtAddress() -> AuthorFieldError {
        guard case .special(let octet) = next?.kind else {
            // A literal, or the end of the field after a comma.
            return next == nil ? .strayComma : .domainLiteral
        }
        return switch octet {
        case UInt8(ascii: ","): .strayComma
        case UInt8(ascii: ":"), UInt8(ascii: ";"): .strayGroupMark
        default: .unbalancedAngle
        }
    }

    /// Names what follows an address without a comma.
    private func errorAfterAddress() -> AuthorFieldError {
        let previousIsAngle = position > 0 && tokens[position - 1].isSpecial(UInt8(ascii: ">"))
        return switch next?.kind {
        case .special(UInt8(ascii: "@")): previousIsAngle ? .textAfterAddress : .secondAt
        case .special(UInt8(ascii: "<")):
            previousIsAngle ? .secondAngleAddress : .addressBeforeAngle
        case .special(UInt8(ascii: ">")): .unbalancedAngle
        case .special(UInt8(ascii: ":")), .special(UInt8(ascii: ";")): .strayGroupMark
        default: .textAfterAddress
        }
    }
}

/// Finds the addresses in a From field that breaks the grammar.
///
/// What a mail reader shows of such a field is for each reader to decide, so all that any of them could show
/// as an author's address is found, and nothing that all of them take for a name:
///
/// - each "@" with a domain after it, in brackets or not;
/// - a domain with gaps in it up to the first gap, across gaps around its dots, and with the gaps left out
///   that are no white space; with every gap left out, as readers do who know no white space in a domain,
///   which is doubtful unless a dot or the closing bracket comes after the gap;
/// - a quoted string with an address in it, where no address in brackets follows it in its element of the
///   list, so that it is no display name; where quotes or comments are not balanced, what they hold too.
///
/// A domain without a dot (`Boss @ Work <boss@bank.example>`) counts where there is no other. Where readers
/// who decode more than they should would show an address that is none here, the field is malformed.
///
/// Trust: hostile text; time and memory are linear in its length.
struct SloppyAuthorReader {
    private let limits: AuthorField.Limits
    private let domains: AuthorDomains
    private var found: [Mailbox] = []
    /// Addresses whose domain has no dot.
    private var dotless: [Mailbox] = []
    private var seen: Set<Mailbox> = []
    /// Whether there is an address that readers may show and that cannot be read here.
    private var hidesAddress = false

    init(limits: AuthorField.Limits, _ domains: AuthorDomains) {
        self.limits = limits
        self.domains = domains
    }

    /// Reads the text of a field.
    ///
    /// - Parameters:
    ///   - text: the field's value.
    ///   - error: what breaks the grammar.
    /// - Returns: a sloppy field, or a malformed one.
    mutating func read(_ text: [UInt8], after error: AuthorFieldError) -> AuthorField {
        let scan = SloppyAddressScan(text, honoursQuotes: true)
        collect(text, scan)
        if scan.isUnbalanced { collect(text, SloppyAddressScan(text, honoursQuotes: false)) }
        let mailboxes = found.contains { !$0.isDoubtful } ? found : dotless
        guard !hidesAddress, !mailboxes.isEmpty else { return .malformed(error) }
        guard mailboxes.count <= limits.mailboxes else { return .malformed(.tooManyMailboxes) }
        return .sloppy(mailboxes, error)
    }

    private mutating func collect(_ text: [UInt8], _ scan: SloppyAddressScan) {
        let isName = scan.namesBeforeAngle
        for (index, token) in scan.tokens.enumerated() {
            if token.isSpecial(UInt8(ascii: "@")) {
                takeAddress(text, scan, at: index)
            } else if token.isWord, !isName[index] {
                look(into: token, of: text)
            }
        }
    }

    /// Looks for addresses in a word that is no part of a display name.
    private mutating func look(into token: AddressToken, of text: [UInt8]) {
        let octets = text[token.range]
        if EncodedWordSearch.hidesAtSign(octets, in: text)
            || EncodedWordSearch.holdsDisguisedAtSign(octets)
        {
            hidesAddress = true
        }
        guard token.kind == .quoted, octets.contains(UInt8(ascii: "@")) else { return }
        // Without quotes there is no quoted token in it: this goes one level deep.
        let content = AddressSyntax.unquoted(octets)
        collect(content, SloppyAddressScan(content, honoursQuotes: false))
    }

    /// Takes the address around an "@".
    private mutating func takeAddress(
        _ text: [UInt8], _ scan: SloppyAddressScan, at index: Int
    ) {
        let localPart = Self.localPart(text, scan.tokens, before: index)
        var domain: [UInt8] = []
        // The domain up to the first gap, and up to the first word that no dot joins to it.
        var untilGap: [UInt8]?
        var joinedByDots: [UInt8]?
        var expectsLabel = true
        for next in (index + 1)..<max(scan.tokens.count, index + 1) {
            let token = scan.tokens[next]
            let isDot = token.isSpecial(UInt8(ascii: "."))
            guard isDot || token.isWord else { break }
            if token.afterGap, !domain.isEmpty, untilGap == nil { untilGap = domain }
            if isDot {
                expectsLabel = true
                continue
            }
            if !expectsLabel {
                guard scan.touches[next] else { break }
                joinedByDots = joinedByDots ?? domain
            } else if !domain.isEmpty {
                domain.append(UInt8(ascii: "."))
            }
            domain += Self.withPlainDots(text[token.range])
            expectsLabel = false
        }
        if let untilGap { take(localPart, untilGap, isPart: true) }
        if let joinedByDots { take(localPart, joinedByDots, isPart: true) }
        if let closedUp = Self.closedUp(text, scan.tokens, after: index) {
            take(
                localPart, closedUp.domain, isPart: closedUp.isDoubtful,
                isDoubtful: closedUp.isDoubtful)
        }
        take(localPart, domain, isPart: false)
    }

    /// The domain after an "@" without the gaps between its words; nil where there are none.
    ///
    /// It is doubtful where what follows the gaps is as likely a name (`boss@bank.example Boss`), and no address
    /// where that is a name before an address in brackets.
    private static func closedUp(
        _ text: [UInt8], _ tokens: [AddressToken], after index: Int
    ) -> (domain: [UInt8], isDoubtful: Bool)? {
        var domain: [UInt8] = []
        var end = tokens[index].range.upperBound
        var isAfterWord = false
        var hasGap = false
        var isCertain = false
        // What follows the domain; nil at the end of the field.
        var rest: AddressToken?
        for token in tokens[(index + 1)...] {
            let isDot = token.isSpecial(UInt8(ascii: "."))
            guard isDot || token.isWord, isBlank(text[end..<token.range.lowerBound]) else {
                rest = token
                break
            }
            end = token.range.upperBound
            if isDot {
                isCertain = isCertain || hasGap
                if isAfterWord { domain.append(UInt8(ascii: ".")) }
            } else {
                hasGap = hasGap || isAfterWord
                domain += withPlainDots(text[token.range])
            }
            isAfterWord = !isDot
        }
        guard hasGap else { return nil }
        switch rest?.kind {
        case .special(UInt8(ascii: ">")): return (domain, false)
        case nil, .special(UInt8(ascii: ",")), .special(UInt8(ascii: ";")):
            return (domain, !isCertain)
        default: return isCertain ? (domain, false) : nil
        }
    }

    /// Whether nothing but white space and comments is between two words.
    private static func isBlank(_ gap: ArraySlice<UInt8>) -> Bool {
        var depth = 0
        for octet in gap {
            switch octet {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: ","), UInt8(ascii: ";"):
                if depth <= 0 { return false }
            default: break
            }
        }
        return true
    }

    /// Takes a domain, as far as it is one.
    private mutating func take(
        _ localPart: [UInt8], _ domain: [UInt8], isPart: Bool, isDoubtful: Bool = false
    ) {
        // To a reader, a domain that goes on with other marks looks like the domain that it begins with.
        let plain = domain.prefix { octet in
            octet >= 0x80 || octet.isASCIIAlphanumeric || octet == UInt8(ascii: "-")
                || octet == UInt8(ascii: ".") || octet == UInt8(ascii: "_")
        }
        let name = plain.split(separator: UInt8(ascii: ".")).joined(separator: [UInt8(ascii: ".")])
        guard let domain = domains.domain(Array(name)) else {
            if plain.contains(where: { $0 >= 0x80 || $0 == UInt8(ascii: ".") }) {
                hidesAddress = true
            }
            return
        }
        let mailbox = Mailbox(localPart: localPart, domain: domain, isDoubtful: isDoubtful)
        guard domain.labelCount > 1 || !isPart, seen.insert(mailbox).inserted else { return }
        if domain.labelCount > 1 { found.append(mailbox) } else { dotless.append(mailbox) }
    }

    /// The words and dots directly before an "@"; empty where they are no local-part.
    private static func localPart(
        _ text: [UInt8], _ tokens: [AddressToken], before index: Int
    ) -> [UInt8] {
        var start = index
        var isAfterWord = false
        // Dots where none may be, as in `first..last@`, are of addresses that exist.
        while start > 0 {
            let token = tokens[start - 1]
            guard token.isSpecial(UInt8(ascii: ".")) || token.isWord && !isAfterWord else { break }
            isAfterWord = token.isWord
            start -= 1
        }
        var localPart: [UInt8] = []
        for token in tokens[start..<index] {
            localPart +=
                token.kind == .quoted
                ? AddressSyntax.unquoted(text[token.range]) : Array(text[token.range])
        }
        let isSound =
            isUTF8(localPart.span) && !AddressSyntax.holdsEncodedWord(localPart)
            && !localPart.contains { $0.isASCIIControl }
        return isSound ? localPart : []
    }

    /// Octets with "." for the dots of other scripts, which readers show as such (UTS 46, section 4).
    private static func withPlainDots(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        guard octets.contains(where: { $0 >= 0x80 }), isUTF8(Array(octets).span) else {
            return Array(octets)
        }
        let scalars = String(decoding: octets, as: UTF8.self).unicodeScalars.map {
            ["\u{3002}", "\u{FF0E}", "\u{FF61}"].contains($0) ? "." : $0
        }
        return Array(String(String.UnicodeScalarView(scalars)).utf8)
    }
}

/// The tokens of any text: nothing is an error.
///
/// White space, comments, controls, brackets and stray marks are gaps.
struct SloppyAddressScan {
    /// The tokens.
    private(set) var tokens: [AddressToken] = []
    /// Of each token: whether no white space is between it and the one before it.
    private(set) var touches: [Bool] = []
    /// Whether readers can differ over what is quoted or in a comment.
    private(set) var isUnbalanced = false

    /// Cuts text into tokens.
    ///
    /// - Parameters:
    ///   - text: any octets.
    ///   - honoursQuotes: whether quoted strings and comments are such; if not, their marks are gaps.
    init(_ text: [UInt8], honoursQuotes: Bool) {
        isUnbalanced = text.contains(UInt8(ascii: "\\")) && !isUTF8(text.span)
        var position = 0
        var (gap, space) = (true, true)
        while position < text.count {
            let start = position
            let kind: AddressToken.Kind
            var range = start..<start + 1
            position += 1
            switch text[start] {
            case UInt8(ascii: "\"") where honoursQuotes:
                position = end(of: UInt8(ascii: "\""), in: text, from: position)
                range = start + 1..<position
                position = min(position + 1, text.count)
                kind = .quoted
            case UInt8(ascii: "(") where honoursQuotes:
                position = endOfComment(in: text, from: start)
                gap = true
                continue
            case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"), UInt8(ascii: ","),
                UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "."):
                kind = .special(text[start])
            case UInt8(ascii: "[") where tokens.last?.isSpecial(UInt8(ascii: "@")) ?? false:
                // A domain literal is nobody's domain (RFC 5322, section 3.4.1).
                while position < text.count, Self.isOfLiteral(text[position]) { position += 1 }
                gap = true
                continue
            case let octet where AddressSyntax.isAtext(octet):
                while position < text.count, AddressSyntax.isAtext(text[position]) { position += 1 }
                range = start..<position
                kind = .atom
            case let octet:
                gap = true
                if octet.isWSP { space = true } else { noteMark(octet) }
                continue
            }
            tokens.append(AddressToken(kind: kind, range: range, afterGap: gap))
            touches.append(!space)
            (gap, space) = (false, false)
        }
    }

    /// Of each token: whether an address in brackets follows it in its element of the list.
    var namesBeforeAngle: [Bool] {
        var result = [Bool](repeating: false, count: tokens.count)
        var isBefore = false
        for (index, token) in tokens.enumerated().reversed() {
            switch token.kind {
            case .special(UInt8(ascii: ",")), .special(UInt8(ascii: ";")): isBefore = false
            case .special(UInt8(ascii: "<")): isBefore = true
            default: break
            }
            result[index] = isBefore
        }
        return result
    }

    private static func isOfLiteral(_ octet: UInt8) -> Bool {
        octet.isASCIIAlphanumeric || octet == UInt8(ascii: ":") || octet == UInt8(ascii: ".")
    }

    private mutating func noteMark(_ octet: UInt8) {
        switch octet {
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ")"), .cr, .lf: break
        default: isUnbalanced = true
        }
    }

    private mutating func end(of mark: UInt8, in text: [UInt8], from start: Int) -> Int {
        var position = start
        while position < text.count, text[position] != mark {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        if position >= text.count { isUnbalanced = true }
        return min(position, text.count)
    }

    private mutating func endOfComment(in text: [UInt8], from start: Int) -> Int {
        var depth = 0
        var position = start
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\\"): position += 1
            default: break
            }
            position += 1
            if depth == 0 { return min(position, text.count) }
        }
        isUnbalanced = true
        return text.count
    }
}

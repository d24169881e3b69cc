internal import MailDNS
internal import MailSyntax
internal import Threads

/// Expands macros (RFC 7208, section 7).
///
/// Trust: both the macro strings and the values are from anyone. A domain is put together from its end,
/// and no further than the longest name: a record of many macros costs no more than one of few.
extension SPFEvaluation {
    /// The name that a term's domain-spec stands for; nil if it is no name that can be asked for.
    mutating func targetName(
        _ spec: SPFDomainSpec, _ record: SPFRecord, _ domain: DomainName, isTerm: Bool = true
    ) throws(SPFProblem) -> DomainName? {
        guard spec.hasMacros else { return name(record.bytes[spec.range]) }
        var scanner = SPFMacroScanner(record.bytes, spec.range, .domain)
        var tokens: [SPFMacroToken] = []
        while let token = try? scanner.next() { tokens.append(token) }
        var pieces: [[UInt8]] = []
        var length = 0
        // One octet more than the longest name, and one for a dot at the end.
        while length <= DomainName.maximumLength + 1, let token = tokens.popLast() {
            if case .macro(let macro) = token {
                if isUnmatchable(macro) { return nil }
                // RFC 7208, section 4.6.4: the PTR query of "p" is included in the limit.
                if macro.letter == 0x70, isTerm, clientNames == nil { try ledger.countTerm() }
            }
            let piece = expand(token, of: record.bytes, domain, nibbles: .lower)
            length += piece.count
            pieces.append(piece)
        }
        return name(Array(pieces.reversed().joined())[...])
    }

    /// Whether a term can match nothing: "If the local part contains non-ASCII characters, terms that include %{s} or %{l} do not
    /// match anything" (RFC 8616, section 4).
    func isUnmatchable(_ spec: SPFDomainSpec, _ record: SPFRecord) -> Bool {
        guard spec.hasMacros else { return false }
        var scanner = SPFMacroScanner(record.bytes, spec.range, .domain)
        while let token = try? scanner.next() {
            if case .macro(let macro) = token, isUnmatchable(macro) { return true }
        }
        return false
    }

    private func isUnmatchable(_ macro: SPFMacro) -> Bool {
        (macro.letter == UInt8(ascii: "s") || macro.letter == UInt8(ascii: "l"))
            && request.localPart.contains { $0 >= 0x80 }
    }

    /// A name from the text of an expanded domain: at most 253 octets, for which labels are removed from
    /// the left (RFC 7208, section 7.3).
    private func name(_ text: ArraySlice<UInt8>) -> DomainName? {
        var octets = text
        if octets.last == 0x2E { octets.removeLast() }
        while octets.count > DomainName.maximumLength, let dot = octets.firstIndex(of: 0x2E) {
            octets = octets[(dot + 1)...]
        }
        return try? DomainName(queryOctets: octets.span)
    }

    /// The explanation of a "fail" (RFC 7208, section 6.2), or nil: any trouble means none.
    mutating func explanation(of visit: SPFVisit) -> String? {
        // An included record's "exp" is not used; a redirect's target's is.
        var visit = visit
        while case .redirected = visit.ending, let target = visit.nested.last { visit = target }
        guard case .matched = visit.ending, let record = visit.record,
            let spec = record.explanation,
            let name = try? targetName(spec, record, visit.domain, isTerm: false),
            // "if more than one record is returned ... proceed as if no "exp" modifier was given".
            let records = try? ledger.ask(name, .txt), records.count == 1,
            case .text(let strings)? = records.first
        else { return nil }
        return explanation(Array(strings.joined()), visit.domain)
    }

    /// Expands an explain-string.
    ///
    /// The result must be US-ASCII, and here printable too, as it is meant for an SMTP reply.
    private mutating func explanation(_ text: [UInt8], _ domain: DomainName) -> String? {
        var scanner = SPFMacroScanner(text, text.indices, .explanation)
        var expanded: [UInt8] = []
        do {
            while let token = try scanner.next() {
                guard expanded.count < ledger.limits.explanationLength else { continue }
                expanded += expand(token, of: text, domain, nibbles: .upper)
            }
        } catch {
            return nil
        }
        guard expanded.allSatisfy({ 0x20...0x7E ~= $0 }) else { return nil }
        return String(decoding: expanded.prefix(ledger.limits.explanationLength), as: UTF8.self)
    }
}

// MARK: - Macros (RFC 7208, sections 7.2 and 7.3)

extension SPFEvaluation {
    /// The case of the hexadecimal digits that "i" gives for an IPv6 address.
    fileprivate enum NibbleCase {
        /// As in the examples of section 7.4.
        case lower
        /// As the standard's test suite has them in explanations.
        case upper
    }

    private mutating func expand(
        _ token: SPFMacroToken, of text: [UInt8], _ domain: DomainName, nibbles: NibbleCase
    ) -> [UInt8] {
        switch token {
        case .literal(let range): return Array(text[range])
        case .escape(0x5F): return [.space]
        case .escape(0x2D): return Array("%20".utf8)
        case .escape: return [0x25]
        case .macro(let macro):
            var value = value(of: macro.letter, domain, nibbles)
            if macro.transforms {
                value = transformed(value, macro, delimiters: text[macro.delimiters])
            }
            return macro.isEscaped ? urlEscaped(value) : value
        }
    }

    private mutating func value(
        of letter: UInt8, _ domain: DomainName, _ nibbles: NibbleCase
    ) -> [UInt8] {
        switch letter {
        case UInt8(ascii: "s"): request.localPart + [0x40] + request.senderDomain
        case UInt8(ascii: "l"): request.localPart
        case UInt8(ascii: "o"): request.senderDomain
        case UInt8(ascii: "d"): Array(domain.ascii.utf8)
        case UInt8(ascii: "i"): dottedClient(nibbles)
        case UInt8(ascii: "p"): Array(clientName(domain).utf8)
        case UInt8(ascii: "v"): Array((addressType == .a ? "in-addr" : "ip6").utf8)
        case UInt8(ascii: "h"): request.helo
        case UInt8(ascii: "c"): Array(request.client.description.utf8)
        case UInt8(ascii: "r"): Array(receiver.utf8)
        // The scanner knows the letters: what is left is "t".
        default: Array(String(time.seconds()).utf8)
        }
    }

    /// The address as "i" has it: dotted octets, or dotted nibbles.
    private func dottedClient(_ nibbles: NibbleCase) -> [UInt8] {
        guard case .v6(let bits) = request.client else {
            return Array(request.client.description.utf8)
        }
        let digits = nibbles == .upper ? "0123456789ABCDEF" : "0123456789abcdef"
        let octets = Array(digits.utf8)
        return Array(
            (0..<32).map { [octets[Int(truncatingIfNeeded: bits >> (124 - 4 * $0)) & 0xF]] }
                .joined(separator: [0x2E]))
    }

    /// The value of "p": the domain itself if it is validated, else a name below it, else any.
    private mutating func clientName(_ domain: DomainName) -> String {
        let names = validatedNames().validated
        let best =
            names.first { $0 == domain } ?? names.first { $0.isSubdomain(of: domain) }
            ?? names.first
        return best?.ascii ?? "unknown"
    }

    /// Splits, reverses, keeps the right-hand parts, and joins with dots.
    private func transformed(
        _ value: [UInt8], _ macro: SPFMacro, delimiters: ArraySlice<UInt8>
    ) -> [UInt8] {
        var parts = value.split(omittingEmptySubsequences: false) { octet in
            delimiters.isEmpty ? octet == 0x2E : delimiters.contains(octet)
        }
        if macro.isReversed { parts.reverse() }
        return Array(parts.suffix(macro.parts ?? parts.count).joined(separator: [0x2E]))
    }

    /// Escapes what is not in the "unreserved" set of RFC 3986, section 2.3.
    private func urlEscaped(_ value: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for octet in value {
            switch octet {
            case _ where octet.isASCIIAlphanumeric, 0x2D, 0x2E, 0x5F, 0x7E: escaped.append(octet)
            default: escaped += [0x25, digits[Int(octet >> 4)], digits[Int(octet & 0xF)]]
            }
        }
        return escaped
    }
}

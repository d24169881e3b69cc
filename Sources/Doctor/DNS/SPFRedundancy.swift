internal import MailAuth
internal import MailDNS
internal import MailSyntax

/// Terms of an SPF record that cost lookups and match nothing that the others do not match (RFC 7208, section 4.6.4).
struct SPFRedundancy {
    /// A term, and one that matches what it does.
    struct Pair {
        /// Where the term stands among the directives.
        let place: Int
        let term: String
        let other: String
    }

    /// Whose record it is.
    let domain: DomainName
    let record: SPFRecord
    /// Asks the DNS.
    let dns: DNSLookup

    /// The terms that could go, in order; none of them is among what the others are compared with.
    func pairs() throws(DNSTrouble) -> [Pair] {
        var kept: [(place: Int, text: String, networks: [IPNetwork])] = []
        for (place, directive) in record.directives.enumerated() {
            guard directive.mechanism != .all else { break }
            // What lets pass; another qualifier takes something out of what follows.
            guard directive.qualifier == .pass else { return [] }
            kept.append(
                (place, text(directive), try networks(directive.mechanism, text(directive))))
        }
        var pairs: [Pair] = []
        for index in kept.indices.reversed() {
            let (place, text, networks) = kept[index]
            guard record.directives[place].mechanism.asksDNS else { continue }
            let others = kept[..<index] + kept[(index + 1)...]
            let other =
                kept[..<index].first { $0.text == text }
                ?? (networks.isEmpty
                    ? nil
                    : others.first { other in
                        networks.allSatisfy { own in other.networks.contains { own.isWithin($0) } }
                    })
            guard let other else { continue }
            pairs.append(Pair(place: place, term: text, other: other.text))
            kept.remove(at: index)
        }
        return pairs.reversed()
    }

    /// The directive as it is written, without "+" and in small letters; a macro in capitals is another one (RFC 7208, section 7.3).
    private func text(_ directive: SPFDirective) -> String {
        let written = record.text(of: directive)
        let text = written.contains("%") ? written : written.lowercased()
        return text.hasPrefix("+") ? String(text.dropFirst()) : text
    }

    /// What a mechanism matches, where that are networks that can be known now.
    private func networks(
        _ mechanism: SPFMechanism, _ text: String
    ) throws(DNSTrouble) -> [IPNetwork] {
        switch mechanism {
        case .ip(let network): return [network]
        case .a(let spec, let lengths):
            guard let name = name(spec, text) else { return [] }
            return try networks(of: name, lengths)
        case .mx(let spec, let lengths):
            guard let name = name(spec, text) else { return [] }
            var found: [IPNetwork] = []
            for (_, exchange) in try dns.exchangers(name).prefix(10) where exchange != .root {
                found += try networks(of: exchange, lengths)
            }
            return found
        case .all, .include, .ptr, .exists: return []
        }
    }

    /// The name that a term is about: what stands behind its colon, or the record's own; nil where macros make it.
    private func name(_ spec: SPFDomainSpec?, _ text: String) -> DomainName? {
        guard let spec else { return domain }
        guard !spec.hasMacros, let colon = text.firstIndex(of: ":") else { return nil }
        return try? DomainName(text[text.index(after: colon)...].prefix { $0 != "/" })
    }

    private func networks(
        of name: DomainName, _ lengths: SPFPrefixLengths
    ) throws(DNSTrouble) -> [IPNetwork] {
        try dns.addresses(name).compactMap { address in
            switch address {
            case .v4: IPNetwork(address, prefixLength: lengths.v4)
            case .v6: IPNetwork(address, prefixLength: lengths.v6)
            }
        }
    }
}

extension IPNetwork {
    /// Whether all of its addresses lie in another one.
    fileprivate func isWithin(_ other: IPNetwork) -> Bool {
        prefixLength >= other.prefixLength && other.contains(address)
    }
}

public import MailSyntax

/// Looking up mail addresses (opendkim.conf(5), SigningTable).
extension DataSet {
    /// The entries that apply to an address, best first: where only one is wanted, it is the first.
    ///
    /// Patterns are matched against the whole address, in the file's order. Otherwise these forms are looked up in turn:
    /// `user@host`, `host`, `user@.parent` for each parent domain, `.parent` for each, `user@*`, `*`. Domains may be written with
    /// A-labels or U-labels.
    public func entries(localPart: String, domain: DomainName) -> [Entry] {
        let unicode = domain.unicode
        let names = unicode == domain.ascii ? [unicode] : [domain.ascii, unicode]
        if matching == .patterns {
            return allEntries(matchingAny: names.map { "\(localPart)@\($0)" })
        }
        var forms = names.map { "\(localPart)@\($0)" } + names
        let parents = names.map(Self.parents)
        for prefix in [localPart + "@", ""] {
            // The nearest parent first, in either spelling.
            for depth in parents[0].indices {
                forms += parents.compactMap { depth < $0.count ? prefix + $0[depth] : nil }
            }
        }
        forms += ["\(localPart)@*", "*"]
        return forms.flatMap { allEntries(matching: $0) }
    }

    /// The domains above a name, each with its leading dot, the nearest first.
    private static func parents(_ name: String) -> [String] {
        var parents: [String] = []
        var rest = name[...]
        while let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) {
            rest = rest[rest.utf8.index(after: dot)...]
            parents.append(".\(rest)")
        }
        return parents
    }
}

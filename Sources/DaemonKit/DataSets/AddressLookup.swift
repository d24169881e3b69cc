public import MailSyntax

/// Looking up mail addresses (opendkim.conf(5), SigningTable).
extension DataSet {
    /// The entries that apply to an address, best first: where only one is wanted, it is the first.
    ///
    /// Patterns are matched against the whole address, in the file's order. Otherwise these forms are looked up in turn:
    /// `user@host`, `host`, `user@.parent` for each parent domain, `.parent` for each, `user@*`, `*`.
    public func entries(localPart: String, domain: DomainName) -> [Entry] {
        let address = "\(localPart)@\(domain.ascii)"
        if matching == .patterns { return allEntries(matching: address) }
        var parents: [String] = []
        var rest = domain.ascii[...]
        while let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) {
            rest = rest[rest.utf8.index(after: dot)...]
            parents.append(".\(rest)")
        }
        var forms = [address, domain.ascii]
        forms += parents.map { "\(localPart)@\($0)" }
        forms += parents
        forms += ["\(localPart)@*", "*"]
        return forms.flatMap { allEntries(matching: $0) }
    }
}

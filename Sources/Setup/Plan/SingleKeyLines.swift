/// `Domain`, `Selector` and `KeyFile` of dkim.conf: the same keys for each domain that is named.
struct SingleKeyLines {
    /// The value of `Domain` as it is written.
    let written: String
    private let names: [String]
    private let keys: [(selector: String, file: String)]

    /// Reads the lines; nil where there are none, or tables take their place.
    init?(_ configuration: DirectiveText, files: [String: FileState]) {
        guard configuration.value(of: "SigningTable") == nil,
            let written = configuration.value(of: "Domain")
        else { return nil }
        self.written = written
        if let path = TableReference.path(written) {
            names = (files[path]?.text ?? "").split(whereSeparator: \.isNewline).compactMap {
                $0.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).first?.lowercased()
            }
        } else {
            names = written.lowercased().split { $0 == "," || $0 == " " }.map(String.init)
        }
        keys = ["", "Ed25519"].compactMap { suffix in
            guard let selector = configuration.value(of: "Selector\(suffix)"),
                let file = configuration.value(of: "KeyFile\(suffix)")
            else { return nil }
            return (selector, file)
        }
    }

    /// Whether mail from a domain is signed with the keys.
    func isNamed(_ domain: String) -> Bool {
        names.contains { $0 == domain || $0 == "*" || $0 == "*@\(domain)" }
    }

    /// The keys, for a domain that is named.
    func keys(of domain: String) -> [SigningTables.Key] {
        guard isNamed(domain) else { return [] }
        return keys.map {
            SigningTables.Key(domain: domain, selector: $0.selector, file: $0.file)
        }
    }
}

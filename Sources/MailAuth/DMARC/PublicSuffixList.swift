public import MailSyntax

/// The list of public suffixes (RFC 7489, section 3.2), as publicsuffix.org publishes it.
///
/// Both of its sections count, that of registries and that of private owners.
///
/// Trust: a file of the system; what cannot be read in it is passed over and counted.
public final class PublicSuffixList: Sendable {
    /// What the list has at a name.
    private struct Rules: OptionSet {
        let rawValue: UInt8

        /// The name is a public suffix.
        static let suffix = Rules(rawValue: 1)
        /// "*.": all names directly below are public suffixes.
        static let wildcard = Rules(rawValue: 2)
        /// "!": the name is none, although a wildcard says so.
        static let exception = Rules(rawValue: 4)
    }

    private let rules: [String: Rules]

    /// How many lines could not be read.
    public let unreadableLines: Int

    /// The number of names that have rules.
    public var count: Int { rules.count }

    /// Reads the text of the list.
    ///
    /// "Each line is only read up to the first whitespace; entire lines can also be commented using //."
    public init(parsing text: [UInt8]) {
        var rules: [String: Rules] = [:]
        var unreadable = 0
        for line in text.split(whereSeparator: { $0 == .lf || $0 == .cr }) {
            var rule = line.prefix { !$0.isWSP }
            guard !rule.isEmpty, !rule.starts(with: "//".utf8) else { continue }
            var kind = Rules.suffix
            if rule.first == UInt8(ascii: "!") {
                kind = .exception
                rule = rule.dropFirst()
            } else if rule.starts(with: "*.".utf8) {
                kind = .wildcard
                rule = rule.dropFirst(2)
            }
            // A wildcard elsewhere is allowed, but the list has never had one.
            if let name = try? DomainName(bytes: rule), !name.ascii.utf8.contains(0x2A) {
                rules[name.ascii, default: []].insert(kind)
            } else if !rule.elementsEqual("*".utf8) {
                unreadable += 1
            }
        }
        self.rules = rules
        unreadableLines = unreadable
    }

    /// The number of labels of a name's public suffix, and whether a rule of the list says so.
    ///
    /// "If no rules match, the prevailing rule is "*"." "If more than one rule matches, the prevailing rule
    /// is the one which is an exception rule", or else "the one with the most labels".
    private func match(_ name: DomainName) -> (labels: Int, isListed: Bool) {
        let count = name.labelCount
        var rest = name.ascii[...]
        var isWhole = true
        for labels in stride(from: count, to: 0, by: -1) {
            let found = rules[String(rest)] ?? []
            if found.contains(.exception) { return (labels - 1, true) }
            // The wildcard's own name has one label less than the suffix that it makes.
            if found.contains(.wildcard), !isWhole { return (labels + 1, true) }
            if found.contains(.suffix) { return (labels, true) }
            isWhole = false
            guard let dot = rest.utf8.firstIndex(of: 0x2E) else { break }
            rest = rest[rest.utf8.index(after: dot)...]
        }
        return (1, false)
    }

    /// The organizational domain: one label more than the public suffix; nil where the name is a public
    /// suffix itself (RFC 7489, section 3.2).
    public func organizationalDomain(of name: DomainName) -> DomainName? {
        let suffix = match(name).labels
        return suffix < name.labelCount ? name.suffix(labels: suffix + 1) : nil
    }

    /// Whether a rule of the list makes the name a public suffix.
    public func lists(_ name: DomainName) -> Bool {
        let (labels, isListed) = match(name)
        return isListed && labels == name.labelCount
    }
}

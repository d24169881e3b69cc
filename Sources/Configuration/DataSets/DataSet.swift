/// A set of keys, each with an optional value: a list, a table or an ordered list of patterns, read once and then constant.
///
/// Trust: the entries are the postmaster's; the texts looked up come from anyone.
public struct DataSet: Sendable {
    /// How keys are compared with what is looked up.
    public enum Matching: Hashable, Sendable {
        /// For equality: lists and plain files.
        case equality
        /// As wildcard patterns, in the order of the file: `refile:`.
        case patterns
    }

    /// One key with its value and its place.
    public struct Entry: Hashable, Sendable {
        /// The key as written.
        public let key: String
        /// What follows the key, nil when nothing does.
        public let value: String?
        /// Where it stands.
        public let location: SourceLocation

        /// The value's parts between colons; the last part keeps further colons.
        public func fields(atMost count: Int) -> [String] {
            guard let value else { return [] }
            return value.split(
                separator: ":", maxSplits: Swift.max(0, count - 1), omittingEmptySubsequences: false
            ).map { $0.trimmingBlanks() }
        }
    }

    /// Everything in it, in order.
    public let entries: [Entry]
    /// How keys are compared.
    public let matching: Matching
    /// Whether case counts.
    public let isCaseSensitive: Bool
    /// Positions of keys that can be found by equality.
    private let exact: [String: [Int]]
    /// Positions of patterns `*@domain` by their `@domain`: the bulk of a signing table, found without a scan.
    private let byDomain: [String: [Int]]
    /// All other patterns, in order.
    private let patterns: [(position: Int, glob: Glob)]

    /// The empty set.
    public init() {
        self.init(entries: [], matching: .equality, isCaseSensitive: false) { _, _ in }
    }

    /// Compiles entries; a key that is not a pattern is handed to `reject` and matches nothing.
    init(
        entries: [Entry], matching: Matching, isCaseSensitive: Bool,
        reject: (Entry, Glob.Fault) -> Void
    ) {
        self.entries = entries
        self.matching = matching
        self.isCaseSensitive = isCaseSensitive
        var exact: [String: [Int]] = [:]
        var byDomain: [String: [Int]] = [:]
        var patterns: [(position: Int, glob: Glob)] = []
        for (position, entry) in entries.enumerated() {
            let key = isCaseSensitive ? entry.key : entry.key.asciiLowercased()
            guard matching == .patterns, key.utf8.contains(UInt8(ascii: "*")) else {
                exact[key, default: []].append(position)
                continue
            }
            do throws(Glob.Fault) {
                let glob = try Glob(entry.key, ignoringCase: !isCaseSensitive)
                if let suffix = glob.literalSuffix, suffix.first == UInt8(ascii: "@"),
                    !suffix.dropFirst().contains(UInt8(ascii: "@"))
                {
                    byDomain[String(decoding: suffix, as: UTF8.self), default: []].append(position)
                } else {
                    patterns.append((position, glob))
                }
            } catch {
                reject(entry, error)
            }
        }
        self.exact = exact
        self.byDomain = byDomain
        self.patterns = patterns
    }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { entries.isEmpty }

    /// Whether a key or pattern matches.
    public func contains(_ text: String) -> Bool {
        firstPosition(matching: text) != nil
    }

    /// The first entry in order whose key or pattern matches.
    public func firstEntry(matching text: String) -> Entry? {
        firstPosition(matching: text).map { entries[$0] }
    }

    private func firstPosition(matching text: String) -> Int? {
        let key = isCaseSensitive ? text : text.asciiLowercased()
        var best = exact[key]?.first
        if let domain = domainPart(of: key), let position = byDomain[domain]?.first,
            position < best ?? .max
        {
            best = position
        }
        for pattern in patterns {
            if let best, best < pattern.position { break }
            if pattern.glob.matches(text) {
                best = pattern.position
                break
            }
        }
        return best
    }

    /// Every entry whose key or pattern matches, in order.
    public func allEntries(matching text: String) -> [Entry] {
        positions(matching: text).sorted().map { entries[$0] }
    }

    /// Every entry whose key or pattern matches one of some spellings, in order, each once.
    func allEntries(matchingAny texts: [String]) -> [Entry] {
        guard texts.count != 1 else { return allEntries(matching: texts[0]) }
        return Set(texts.flatMap(positions)).sorted().map { entries[$0] }
    }

    private func positions(matching text: String) -> [Int] {
        let key = isCaseSensitive ? text : text.asciiLowercased()
        var found = exact[key] ?? []
        if let domain = domainPart(of: key) { found += byDomain[domain] ?? [] }
        for pattern in patterns where pattern.glob.matches(text) { found.append(pattern.position) }
        return found
    }

    /// A text from its last `@` on.
    private func domainPart(of text: String) -> String? {
        guard !byDomain.isEmpty, let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            return nil
        }
        return String(text[at...])
    }
}

extension String {
    /// The text with ASCII capital letters made small; others stay, so that no octet changes its meaning.
    func asciiLowercased() -> String {
        guard utf8.contains(where: { $0 != Configuration.asciiLowercased($0) }) else { return self }
        return String(decoding: utf8.map(Configuration.asciiLowercased), as: UTF8.self)
    }
}

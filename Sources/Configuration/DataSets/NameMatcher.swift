/// Decides about a domain or host name by the most specific of many entries.
///
/// Trust: entries are the postmaster's; names come from anyone (a PTR record, a header field).
struct NameMatcher: Sendable {
    /// The longest name that is looked at; no DNS name is longer.
    private static let lengthLimit = 255

    /// Whether the name itself is in or, with `!`, out.
    private var names: [String: Bool] = [:]
    /// The same for all names below one.
    private var parents: [String: Bool] = [:]
    private var globs: [(glob: Glob, isMember: Bool)] = []

    var isEmpty: Bool { names.isEmpty && parents.isEmpty && globs.isEmpty }

    /// Adds `name`, or `.name` for all names below it.
    ///
    /// Of two that contradict each other the negated one holds.
    mutating func insert(_ name: String, isMember: Bool) {
        if name.hasPrefix(".") {
            let parent = String(name.dropFirst())
            parents[parent] = isMember && parents[parent] != false
        } else {
            names[name] = isMember && names[name] != false
        }
    }

    mutating func insert(_ glob: Glob, isMember: Bool) {
        globs.append((glob, isMember))
    }

    /// Whether a name is in or out; nil when no entry speaks of it.
    ///
    /// The name itself counts first, then patterns in the order of the file, then its parent domains, the nearest first.
    func decision(for name: String) -> Bool? {
        guard !isEmpty, name.utf8.count <= Self.lengthLimit else { return nil }
        var name = name.asciiLowercased()
        if name.hasSuffix("."), name.utf8.count > 1 { name.removeLast() }
        if let member = names[name] { return member }
        if let pattern = globs.first(where: { $0.glob.matches(name) }) { return pattern.isMember }
        guard !parents.isEmpty else { return nil }
        var rest = name[...]
        while let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) {
            rest = rest[rest.utf8.index(after: dot)...]
            if let member = parents[String(rest)] { return member }
        }
        return nil
    }
}

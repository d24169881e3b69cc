/// Where a data set's entries come from: what the text of a data set directive says (opendkim(8), DATA SETS).
public enum DataSetSource: Hashable, Sendable {
    /// The elements of a comma-separated list: `csl:a,b`, or a bare value.
    case list([String])
    /// A file of keys and values: `file:/path`, or a bare path.
    case file(String)
    /// A file of wildcard patterns and values, in order: `refile:/path`.
    case patterns(String)

    /// Why a text names no data set.
    struct Fault: Error {
        let message: String
        let suggestion: String?
    }

    /// The kinds that OpenDKIM has beyond ours, and what to use in their stead.
    private static let refused: [String: (reason: String, instead: String)] = {
        let dump =
            "write its content to a text file, a key and its value on each line, and name that with file:"
        let live = "let a timer or hook write the data to a file, name that with file:, and reload"
        return [
            "db": ("Berkeley DB files are not read", dump),
            "mdb": ("LMDB directories are not read", dump),
            "dsn": ("SQL databases are not asked", live),
            "ldap": ("LDAP servers are not asked", live),
            "ldaps": ("LDAP servers are not asked", live),
            "ldapi": ("LDAP servers are not asked", live),
            "memcache": ("memcached is not asked", live),
            "erlang": ("Erlang nodes are not asked", live),
            "socket": ("socket maps are not asked", live),
            "lua": (
                "Lua scripts are not run",
                "write what it answers to a file and name that with file:"
            ),
        ]
    }()

    /// Reads a data set directive's value.
    ///
    /// - Parameters:
    ///   - text: the value.
    ///   - resolve: makes a relative path absolute, where that can be done.
    /// - Throws: why it names no data set.
    init(
        _ text: String, resolvingPaths resolve: (String) -> String = { $0 }
    ) throws(Fault) {
        let scheme = text.firstIndex(of: ":").map { text[..<$0].lowercased() } ?? ""
        let rest = String(text.dropFirst(scheme.isEmpty ? 0 : scheme.count + 1)).trimmingBlanks()
        switch scheme {
        case "csl":
            self = .list(Self.elements(rest))
        case "file":
            self = .file(try Self.path(resolve(rest)))
        case "refile":
            self = .patterns(try Self.path(resolve(rest)))
        case _ where Self.refused[scheme] != nil:
            let refusal = Self.refused[scheme]
            throw Fault(
                message: "the data set \"\(text)\": " + (refusal?.reason ?? "it is not read"),
                suggestion: refusal?.instead)
        case _ where !scheme.isEmpty && rest.hasPrefix("/") && scheme.allSatisfy(\.isLetter):
            // No address and no domain looks like this; a mistyped kind does.
            let kinds = ["csl", "file", "refile"] + Self.refused.keys.sorted()
            throw Fault(
                message: "\"\(scheme):\" is no kind of data set",
                suggestion: NearestName.of(scheme, among: kinds).map { "did you mean \($0):?" }
                    ?? "use csl:, file: or refile:")
        // opendkim(8), DATA SETS: a string that begins so names a file.
        case _ where ["/", "./", "../"].contains(where: text.hasPrefix):
            guard !text.lowercased().hasSuffix(".db") else {
                throw Fault(
                    message: "\"\(text)\": Berkeley DB files are not read",
                    suggestion: Self.refused["db"]?.instead)
            }
            self = .file(try Self.path(resolve(text)))
        default:
            self = .list(Self.elements(text))
        }
    }

    private static func path(_ path: String) throws(Fault) -> String {
        guard path.hasPrefix("/") else {
            throw Fault(
                message: "\"\(path)\" is not an absolute path",
                suggestion: "a daemon has no directory of its own: begin with /")
        }
        return path
    }

    private static func elements(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingBlanks() }.filter { !$0.isEmpty }
    }
}

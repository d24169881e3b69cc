/// What a daemon knows about one directive: the row of the table that the reader, the man page and the tests share.
public struct DirectiveSpec: Sendable {
    /// What a directive's value may be.
    public enum Kind: Hashable, Sendable {
        /// yes, no, true, false, on, off, 1, 0, or the first letter of the words.
        case boolean
        /// A whole number within bounds.
        case integer(ClosedRange<Int>)
        /// A time: a whole number of seconds, or with a unit (`90`, `10s`, `5m`, `1h`, `7d`), within bounds in seconds.
        case duration(ClosedRange<Int>)
        /// Any text.
        case text
        /// One of some words, without regard to case. `accept|a` is the word `accept` that may be written `a` too.
        case word([String])
        /// The absolute path of a file or directory.
        case path
        /// A socket: `unix:/path`, `inet:PORT@HOST` and so on.
        case socket
        /// A user, or `user:group`.
        case user
        /// An octal file mode mask.
        case mask
        /// A data set: `csl:`, `file:`, `refile:`, a path or a list.
        case dataSet
    }

    /// Whether a directive does something here.
    public enum Support: Hashable, Sendable {
        /// It does; its values are of this kind.
        case implemented(Kind)
        /// It is accepted and does nothing; the notice says why.
        case noOp(String)
        /// It is an error; the reason, and what to do instead. Where `no` asks for nothing, `no` is accepted.
        case refused(reason: String, instead: String, acceptsNo: Bool)
    }

    /// The name in its canonical spelling; matched without regard to case.
    public let name: String
    /// Other names that mean the same.
    public let aliases: [String]
    /// What it does here.
    public let support: Support
    /// The value that holds when it is not given, as it would be written; nil for none.
    public let defaultValue: String?
    /// Whether it may be given several times, each adding to the others; otherwise the last one holds.
    public let accumulates: Bool
    /// Whether a change takes effect at the next start only, not at a reload.
    public let needsRestart: Bool
    /// What it means, in one line.
    public let meaning: String

    /// Declares an implemented directive.
    public init(
        _ name: String, aliases: [String] = [], _ kind: Kind, default defaultValue: String? = nil,
        accumulates: Bool = false, needsRestart: Bool = false, _ meaning: String
    ) {
        self.name = name
        self.aliases = aliases
        self.support = .implemented(kind)
        self.defaultValue = defaultValue
        self.accumulates = accumulates
        self.needsRestart = needsRestart
        self.meaning = meaning
    }

    private init(_ name: String, aliases: [String], support: Support, meaning: String) {
        self.name = name
        self.aliases = aliases
        self.support = support
        self.defaultValue = nil
        self.accumulates = true
        self.needsRestart = false
        self.meaning = meaning
    }

    /// Declares a directive that is accepted and does nothing.
    public static func noOp(
        _ name: String, aliases: [String] = [], _ notice: String
    ) -> DirectiveSpec {
        DirectiveSpec(name, aliases: aliases, support: .noOp(notice), meaning: notice)
    }

    /// Declares a directive that is an error, with the reason and the way to go.
    ///
    /// `exceptNo` is for what can be asked for or not: `no` is then accepted, as it asks for nothing.
    public static func refused(
        _ name: String, aliases: [String] = [], exceptNo: Bool = false, _ reason: String,
        instead: String
    ) -> DirectiveSpec {
        DirectiveSpec(
            name, aliases: aliases,
            support: .refused(reason: reason, instead: instead, acceptsNo: exceptNo),
            meaning: reason)
    }
}

/// All directives that a daemon knows.
public struct ConfigurationSchema: Sendable {
    /// The directives, in the order in which a man page lists them.
    public let directives: [DirectiveSpec]
    private let byName: [String: DirectiveSpec]
    /// What files may have wrong; nil where nothing.
    let tolerance: FaultTolerance?

    /// Makes a schema; of two directives with one name the later holds, so that a daemon can restate a common one.
    public init(_ directives: [DirectiveSpec], tolerance: FaultTolerance? = nil) {
        self.tolerance = tolerance
        var latest: [String: Int] = [:]
        for (position, spec) in directives.enumerated() {
            for name in [spec.name] + spec.aliases { latest[name.lowercased()] = position }
        }
        byName = latest.mapValues { directives[$0] }
        self.directives = directives.indices
            .filter { latest[directives[$0].name.lowercased()] == $0 }
            .map { directives[$0] }
    }

    /// The directive of that name or alias, without regard to case.
    public subscript(name: String) -> DirectiveSpec? {
        byName[name.lowercased()]
    }

    /// The peer whose files may have faults, as it is named in messages.
    var peer: String { tolerance?.peer ?? "the peer" }

    /// The known name that a mistyped one was probably meant to be.
    func nearest(to name: String) -> String? {
        NearestName.of(name, among: directives.lazy.map(\.name) + ["Include"])
    }
}

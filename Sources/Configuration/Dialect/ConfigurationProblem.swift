/// One finding about the configuration: what is wrong, where, and what to do about it.
///
/// Findings are values that are collected, never thrown one at a time: a single run reports all of them.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// How much a finding weighs.
    public enum Severity: Int, Sendable, Comparable, CustomStringConvertible {
        /// Worth knowing; nothing to repair.
        case notice
        /// Probably not what was meant; the daemon starts all the same.
        case warning
        /// The configuration cannot be used.
        case error

        /// Orders severities from the lightest.
        public static func < (left: Severity, right: Severity) -> Bool {
            left.rawValue < right.rawValue
        }

        /// The word that stands in messages.
        public var description: String {
            switch self {
            case .notice: "notice"
            case .warning: "warning"
            case .error: "error"
            }
        }
    }

    /// How much it weighs.
    public let severity: Severity
    /// Where it was found.
    public let location: SourceLocation
    /// The directive concerned, in the schema's spelling where it is known.
    public let directive: String?
    /// What is wrong.
    public let message: String
    /// What to do about it.
    public let suggestion: String?
    /// Whether it is dangerous to go on, whatever a peer does.
    var isDangerous = false

    /// Makes a finding.
    public init(
        _ severity: Severity, at location: SourceLocation, directive: String? = nil,
        _ message: String, suggestion: String? = nil
    ) {
        self.severity = severity
        self.location = location
        self.directive = directive
        self.message = message
        self.suggestion = suggestion
    }

    /// The whole finding on one line: `file:line: error: Directive: message; suggestion`.
    public var description: String {
        var text = "\(location): \(severity): "
        if let directive { text += "\(directive): " }
        text += message
        if let suggestion { text += "; \(suggestion)" }
        return text
    }
}

extension Sequence<ConfigurationProblem> {
    /// Whether any finding makes the configuration unusable.
    public var hasErrors: Bool {
        contains { $0.severity == .error }
    }

    /// How many errors there are, and the first of them, on one line.
    package var errorSummary: String {
        let errors = filter { $0.severity == .error }
        return "\(errors.count) \(errors.count == 1 ? "error" : "errors"), the first is: "
            + (errors.first?.description ?? "unknown")
    }

    /// The findings file by file, as the files were first met, and line by line.
    package func sortedByPlace() -> [ConfigurationProblem] {
        var rank: [String: Int] = [:]
        for problem in self where rank[problem.location.file] == nil {
            rank[problem.location.file] = rank.count
        }
        let keyed = enumerated().map { position, problem in
            let place = problem.location
            return ([rank[place.file] ?? 0, place.line ?? 0, position], problem)
        }
        return keyed.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    }
}

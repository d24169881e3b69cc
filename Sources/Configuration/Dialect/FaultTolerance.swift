/// What a peer's configuration file may have wrong without stopping mail.
///
/// A file with which the peer runs is taken over as it stands: what the peer passes over stops the daemon no more than it stops
/// the peer, and is told as a warning. What would be dangerous to pass over is an error here too.
public struct FaultTolerance: Sendable {
    /// The peer's name in messages.
    let peer: String
    /// The directives whose values may be wrong, in lower case.
    private let directives: Set<String>

    /// Describes a peer's way.
    ///
    /// - Parameters:
    ///   - peer: the peer's name in messages.
    ///   - directives: the directives whose faults are passed over.
    public init(peer: String, directives: [String]) {
        self.peer = peer
        self.directives = Set(directives.map { $0.lowercased() })
    }

    /// Whether a fault of this directive is passed over.
    func covers(_ directive: String) -> Bool { directives.contains(directive.lowercased()) }

    /// A finding as a warning that says what is done instead.
    func lowered(_ problem: ConfigurationProblem, saying words: String) -> ConfigurationProblem {
        ConfigurationProblem(
            .warning, at: problem.location, directive: problem.directive,
            "\(problem.message): \(words)", suggestion: problem.suggestion)
    }
}

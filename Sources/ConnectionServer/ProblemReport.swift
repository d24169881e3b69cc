/// Reports problems, each kind at most once a minute.
final class ProblemReport: Sendable {
    enum Kind: CaseIterable, Hashable, Sendable {
        case accepting
        case connections
        case drain
        case memory
        case slowReader
        case threads
    }

    private let report: @Sendable (String) -> Void
    private let limits = Dictionary(
        uniqueKeysWithValues: Kind.allCases.map { ($0, RateLimit(seconds: 60)) })

    init(_ report: @escaping @Sendable (String) -> Void) {
        self.report = report
    }

    /// Reports a problem, unless one of its kind was reported within the minute.
    func report(_ kind: Kind, _ text: @autoclosure () -> String) {
        if limits[kind]?.allows() == true { report(text()) }
    }
}

import Configuration
import DaemonKit
import HeaderScrub
import MailSyntax

@testable import signet_scrub

/// A header section from text with one field or fold on a line.
func header(_ text: String) -> HeaderSection {
    let limits = HeaderSection.Limits(fields: 20_000, bytes: 4 << 20)
    let split = try? HeaderSection.split(message: Array(text.utf8), limits: limits)
    return split?.header ?? HeaderSection()
}

/// The policy of a configuration, and what was found wrong with it.
func policy(_ text: String) -> (policy: ScrubPolicy, problems: [ConfigurationProblem]) {
    let reader = ConfigurationReader(
        schema: SignetScrub.description.schema, text: text, named: "scrub.conf")
    let policy = ScrubPolicy(reading: reader)
    return (policy, reader.problems)
}

/// 2026-06-01 12:00:00 UTC.
let noon: Int64 = 1_780_315_200

/// The header section as it is after the rules of a configuration, a field on a line with its folds.
func scrubbed(_ text: String, by configuration: String = "") -> [String] {
    let section = header(text)
    let plan = plan(text, by: configuration)
    return ScrubListing(plan, of: section).lines.filter { $0.mark != .old }.map(\.field)
}

/// The plan for a header section under the rules of a configuration.
func plan(_ text: String, by configuration: String = "") -> ScrubPlan {
    ScrubPlan(
        header(text), policy: policy(configuration).policy, mtaName: "mx.example.org",
        queueID: "4XyZ", now: noon)
}

import MailAuth
import MailDNS
import PolicyProtocol

/// The answer to a question: the action for Postfix, and lines for the log.
struct PolicyAnswer: Sendable {
    /// A line for the log.
    struct Line: Hashable, Sendable {
        /// What it says.
        let text: String
        /// Whether something is wrong.
        let isError: Bool
    }

    /// What Postfix is told.
    var action = PolicyAction.dunno
    /// What the log is told, in order.
    private(set) var lines: [Line] = []
    /// What the checks have found, for the record.
    private(set) var findings: [Finding] = []
    /// What was asked of the DNS about the message, where a record is kept.
    var questions: [RecordingResolver.Entry] = []
    /// Why nothing was checked, where an exemption holds.
    var exemption: Exemptions.Reason?
    /// Whether this is the answer to an earlier question about the message.
    var isRepeated = false
    private let level: Int
    private let prefix: String

    /// Begins with "DUNNO" and nothing to log.
    init(_ request: PolicyRequest, _ configuration: SPFConfiguration, atLeast least: Int) {
        level = max(configuration.debugLevel, least)
        prefix = configuration.logsQueueID ? request.queueID.map { "\($0): " } ?? "" : ""
    }

    /// The answer to what could not be read: "DUNNO", and a line that says why.
    init(refusing fault: RequestFault, _ configuration: SPFConfiguration) {
        level = configuration.debugLevel
        prefix = ""
        log(0, "a request cannot be answered: \(fault)", isError: true)
    }

    /// The answer of a service that does nothing (Shadow): the lines say what would be.
    var inShadow: PolicyAnswer {
        var answer = self
        answer.action = .dunno
        answer.lines = lines.map { Line(text: "shadow: \($0.text)", isError: $0.isError) }
        return answer
    }

    /// Adds a line if debugLevel is as high as its level.
    mutating func log(_ level: Int, _ text: @autoclosure () -> String, isError: Bool = false) {
        guard level <= self.level else { return }
        lines.append(Line(text: prefix.isEmpty ? text() : prefix + text(), isError: isError))
    }

    /// Adds a line about a result.
    mutating func log(_ level: Int, _ finding: Finding?) {
        guard let finding else { return }
        findings.append(finding)
        log(
            level,
            "\(finding.identity.rawValue) \(finding.result.rawValue): \(finding.sentence)")
    }
}

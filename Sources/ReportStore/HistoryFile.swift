internal import Glibc

/// OpenDMARC's history file, for those who keep their import: a batch of lines for each message.
///
/// The numbers are those that OpenDMARC 1.4's programs know. Each batch is one write to a file opened for appending, and the file
/// is opened each time, so that it may be moved away for the import at any moment.
public final class HistoryFile: EvaluationSink {
    private let path: String

    /// The file at this path; nothing is opened yet.
    public init(path: String) { self.path = path }

    /// Writes all evaluations, oldest first.
    public func write(_ evaluations: [Evaluation]) throws(SinkError) {
        let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw failure }
        defer { close(file) }
        for evaluation in evaluations {
            let lines = Array(Self.lines(for: evaluation).utf8)
            var written = 0
            while written < lines.count {
                let count = unsafe lines[written...].withUnsafeBytes {
                    unsafe Glibc.write(file, $0.baseAddress, $0.count)
                }
                guard count > 0 else { throw failure }
                written += count
            }
        }
    }

    private var failure: SinkError {
        unsafe SinkError("\(path): \(String(cString: strerror(errno)))")
    }

    /// The lines for one message.
    ///
    /// opendmarc-import drops a message without a policy domain, an address or an envelope domain; that of the null reverse-path
    /// is no word at all.
    static func lines(for evaluation: Evaluation) -> String {
        var lines = [
            "job \(evaluation.queueID ?? "-")", "reporter \(evaluation.reporter)",
            "received \(evaluation.received)", "ipaddr \(evaluation.sourceAddress ?? "-")",
            "from \(evaluation.headerFrom)", "mfrom \(evaluation.envelopeFrom ?? "")",
        ]
        for found in evaluation.authentications where found.mechanism == "dkim" {
            lines.append("dkim \(found.domain) \(found.selector ?? "-") \(number(found.result))")
        }
        let spf = evaluation.authentications.first { $0.mechanism == "spf" }
        lines.append("spf \(number(spf?.result ?? "none"))")
        let policy = evaluation.policy
        lines.append("pdomain \(policy?.domain ?? evaluation.headerFrom)")
        lines.append("policy \(outcome(evaluation))")
        let addresses = policy?.reportAddresses.filter { $0 != Evaluation.Policy.invalid } ?? []
        lines += addresses.isEmpty ? ["rua -"] : addresses.map { "rua \($0)" }
        // "pct" has no meaning any more (RFC 9989, appendix C.5.2).
        lines.append("pct \(policy == nil ? 0 : 100)")
        lines.append("adkim \(letter(policy?.adkim, default: "r"))")
        lines.append("aspf \(letter(policy?.aspf, default: "r"))")
        lines.append("p \(letter(policy?.p, default: "n"))")
        lines.append("sp \(letter(policy?.sp))")
        lines.append("align_dkim \(alignment(evaluation.isDKIMAligned, policy))")
        lines.append("align_spf \(alignment(evaluation.isSPFAligned, policy))")
        // No chain is no better than a broken one.
        lines.append("arc \(evaluation.arc == "pass" ? 0 : 7)")
        let seals = evaluation.seals.map {
            "{ \"i\": \($0.instance), \"d\":\"\(word($0.domain))\", \"s\":\"\(word($0.selector))\", \"ip\":\"\" }"
        }
        let decision = evaluation.isDecidedByChain ? 0 : 2
        lines.append("arc_policy \(decision) json:[\(seals.joined(separator: ", "))]")
        lines.append("action \(action(evaluation))")
        return lines.joined(separator: "\n") + "\n"
    }

    /// A name as it can stand between quotes.
    private static func word(_ name: String) -> String {
        String(
            decoding: name.utf8.map { 0x21...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C ? $0 : 0x3F },
            as: UTF8.self)
    }

    /// The number of an alignment: there is none without a policy.
    private static func alignment(_ isAligned: Bool, _ policy: Evaluation.Policy?) -> Int {
        guard policy != nil else { return 0 }
        return isAligned ? 4 : 5
    }

    /// The number of a result word.
    private static func number(_ result: String) -> Int {
        switch result {
        case "pass": 0
        case "softfail": 2
        case "neutral": 3
        case "temperror": 4
        case "permerror": 5
        case "none": 6
        case "fail": 7
        case "policy": 8
        default: 11
        }
    }

    /// The number of what the policy asks for.
    private static func outcome(_ evaluation: Evaluation) -> Int {
        guard let policy = evaluation.policy else { return 14 }
        if evaluation.result == "pass" { return 15 }
        return switch policy.applied {
        case "reject": 16
        case "quarantine": 17
        default: 18
        }
    }

    /// The number of what was done.
    private static func action(_ evaluation: Evaluation) -> Int {
        switch evaluation.disposition {
        case "reject": 0
        case "quarantine": 4
        default: 2
        }
    }

    /// Tags with words are their first letter's number; absent ones are 0, and what is not of its form is the default.
    private static func letter(_ word: String?, default other: Unicode.Scalar? = nil) -> UInt8 {
        guard word != Evaluation.Policy.invalid else { return other.map { UInt8(ascii: $0) } ?? 0 }
        return word?.utf8.first ?? 0
    }
}

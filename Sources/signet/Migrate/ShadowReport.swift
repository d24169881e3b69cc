import Configuration
import FlightRecord
import Glibc
import Setup

/// How what Signet's daemons would have done differs from what the filters in use did, by the daemons' records.
struct ShadowReport: Encodable {
    /// One kind of difference.
    struct Difference: Encodable {
        let daemon: String
        let what: String
        private(set) var count = 0
        /// The last message: why, of whom, under which queue id, when.
        private(set) var reason: String?
        private(set) var subject = ""
        private(set) var queueID: String?
        private(set) var time: Int64 = .min

        private enum CodingKeys: String, CodingKey {
            case daemon, what, count, reason, subject, queueID = "queue_id", time
        }

        init(daemon: String, what: String) { (self.daemon, self.what) = (daemon, what) }

        mutating func add(_ entry: FlightEntry, _ reason: String?, _ subject: String) {
            count += 1
            guard entry.time >= time else { return }
            (time, queueID) = (entry.time, entry[.queueID])
            (self.reason, self.subject) = (reason, subject)
        }

        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(daemon, forKey: .daemon)
            try object.encode(what, forKey: .what)
            try object.encode(count, forKey: .count)
            try object.encode(reason, forKey: .reason)
            try object.encode(subject, forKey: .subject)
            try object.encode(queueID, forKey: .queueID)
            try object.encode(time / 1_000_000, forKey: .time)
        }
    }

    /// What a daemon has compared.
    struct Comparison: Encodable {
        let daemon: String
        fileprivate(set) var messages = 0
        fileprivate(set) var differing = 0
        /// Why its record is not there; nil where it is.
        fileprivate(set) var unread: String?
    }

    private(set) var compared: [Comparison] = []
    private(set) var differences: [Difference] = []

    /// The most kinds of differences that are told apart.
    private static let mostKinds = 500

    /// Reads the records of daemons that only compare: of what they have done since their configuration was last changed.
    init(_ tree: FileTree, _ daemons: [SignetDaemon]) {
        for daemon in FlightDaemon.allCases
        where daemons.contains(where: { $0.rawValue == daemon.shortName }) {
            read(daemon, tree)
        }
        differences.sort { ($0.count, $1.what) > ($1.count, $0.what) }
    }

    private mutating func read(_ daemon: FlightDaemon, _ tree: FileTree) {
        let path = tree.root + "/etc/signet/\(daemon.shortName).conf"
        let reader = ConfigurationReader(
            schema: ConfigurationSchema(FlightSettings.directives(daemon)), file: path)
        var comparison = Comparison(daemon: daemon.name)
        var found: [String: Difference] = [:]
        defer {
            compared.append(comparison)
            differences += found.values
        }
        guard let folder = FlightSettings(reader).directory else {
            comparison.unread = "FlightRecord none: see its lines in the log"
            return
        }
        var status = stat()
        let changed = unsafe stat(path, &status) == 0 ? Int64(status.st_mtim.tv_sec) : 0
        let records = FlightReader(directories: [tree.root + folder])
        guard records.unreadable.isEmpty else {
            comparison.unread =
                "\(folder) cannot be read: it has seen no message, or you are not root"
            return
        }
        // A policy service does not see what the other has answered: that one's lines in the log tell.
        let policyd = daemon == .spf ? PolicydAnswers(tree, records, since: changed) : nil
        // Nothing is kept of an entry: there may be as many as there is mail.
        _ = records.entries(since: changed * 1_000_000) { entry in
            guard entry.daemon == daemon, entry[.verdict] == FlightVerdict.compared.rawValue else {
                return false
            }
            let told: [String]
            if let policyd {
                guard let differences = policyd.differences(of: entry) else { return false }
                told = differences
            } else {
                told = entry.all(.difference)
            }
            comparison.messages += 1
            if !told.isEmpty { comparison.differing += 1 }
            for text in told {
                let parts = Self.parts(text)
                guard found[parts.what] != nil || found.count < Self.mostKinds else { continue }
                found[parts.what, default: Difference(daemon: daemon.name, what: parts.what)]
                    .add(entry, parts.reason, parts.subject)
            }
            return false
        }
        if let policyd, comparison.messages == 0 {
            comparison.unread =
                policyd.isEmpty
                ? "no line of policyd-spf is in the mail log: give its configuration debugLevel 1 or more"
                : "no line of policyd-spf in the mail log is about a message that signet-spf has seen"
        }
    }

    /// What differs, why, and of whom, as the daemon writes it: `WHAT (REASON); SUBJECT`.
    ///
    /// Of one kind are all of one WHAT: of reasons there may be as many as there are senders.
    private static func parts(
        _ text: String
    ) -> (what: String, reason: String?, subject: String) {
        var (what, subject) = (text[...], "")
        if let end = text.lastIndex(of: ";") {
            what = text[..<end]
            subject = String(text[text.index(after: end)...].drop { $0 == " " })
        }
        guard let start = what.firstRange(of: " (") else { return (String(what), nil, subject) }
        let reason = what[start.upperBound...]
        return (
            String(what[..<start.lowerBound]),
            String(reason.hasSuffix(")") ? reason.dropLast() : reason), subject
        )
    }

    /// The report for people.
    func lines(_ terminal: Terminal) -> [String] {
        let messages = compared.reduce(0) { $0 + $1.messages }
        var lines: [String]
        if messages == 0 {
            lines = ["No message has been compared yet."]
        } else if differences.isEmpty {
            lines = [terminal.coloured("✔ no difference in \(messages) comparisons", .green)]
        } else {
            let differing = compared.reduce(0) { $0 + $1.differing }
            lines = [
                terminal.coloured("! \(differing) of \(messages) comparisons differ", .yellow)
            ]
        }
        for comparison in compared {
            let words =
                comparison.unread
                ?? "\(comparison.messages) compared, \(comparison.differing) differ"
            lines += terminal.wrapped(words, label: comparison.daemon, labelWidth: 14)
        }
        if !differences.isEmpty {
            lines += ["", "Where they differ (there: the filter in use; here: Signet):"]
        }
        for difference in differences {
            lines.append("")
            lines += terminal.wrapped(
                difference.what, label: "\(difference.count) ×", labelWidth: 7)
            if let reason = difference.reason {
                lines += terminal.wrapped("why: \(reason)", label: "", labelWidth: 7)
            }
            var last = "\(TimeArgument.text(difference.time).prefix(19))"
            if !difference.subject.isEmpty { last += ", \(difference.subject)" }
            lines += terminal.wrapped("last: \(last)", label: "", labelWidth: 7)
            if let queueID = difference.queueID {
                lines += terminal.wrapped(
                    "signet explain \(queueID)", label: "", labelWidth: 7)
            }
        }
        return lines
    }
}

import Configuration
import Explanation
import Glibc
import ReportStore

/// What receivers have reported, out of the store that `signet report import` fills.
struct ReportedEvidence {
    private let store: ReceivedReportStore?

    /// The most rows that are given: those with the most messages.
    private static let most = 20

    /// Opens the store that signet-dmarc's configuration names; where there is none, nothing was reported.
    init(directory: String) {
        let file = "\(directory)/dmarc.conf"
        let isThere = unsafe access(file, R_OK) == 0
        guard isThere || directory == "/etc/signet" else {
            store = nil
            return
        }
        let reader = ConfigurationReader(
            schema: ConfigurationSchema(ReportSettings.directives), file: isThere ? file : nil,
            passingOverOthers: true)
        store = ReportSettings(reader).store.flatMap {
            try? ReceivedReportStore($0, isReadOnly: true)
        }
    }

    /// What was reported about mail of each message's domain and day; the most messages first.
    ///
    /// The store is read once for all of them.
    func rows(about stories: [MessageStory]) -> [[ReportedMail]] {
        let wanted = stories.map(\.reportedAs)
        var found = [[ReportedMail]](repeating: [], count: stories.count)
        guard let store, let first = wanted.compactMap({ $0?.day }).min() else { return found }
        do throws(SinkError) {
            let verdicts = try store.allVerdicts()
            try store.rows(since: first) { row in
                for (index, one) in wanted.enumerated() {
                    guard let one, row.day == one.day,
                        row.domain == one.domain || one.domain.hasSuffix(".\(row.domain)")
                    else { continue }
                    let verdict = verdicts[row.verdict] ?? ReceivedVerdict()
                    found[index].append(
                        ReportedMail(
                            reporter: row.reporter, source: row.source, messages: row.messages,
                            isDKIMAligned: verdict.isDKIMAligned,
                            isSPFAligned: verdict.isSPFAligned, disposition: verdict.disposition))
                }
            }
        } catch {
            complain("what receivers have reported cannot be read: \(error)")
        }
        return found.map { Array($0.sorted { $0.messages > $1.messages }.prefix(Self.most)) }
    }
}

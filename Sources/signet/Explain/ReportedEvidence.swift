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

    /// What was reported about mail of the message's domain and day; the most messages first.
    func rows(about story: MessageStory) -> [ReportedMail] {
        guard let store, let (author, day) = story.reportedAs else { return [] }
        var found: [ReportedMail] = []
        do throws(SinkError) {
            let verdicts = try store.allVerdicts()
            try store.rows(since: day) { row in
                guard row.day == day, row.domain == author || author.hasSuffix(".\(row.domain)")
                else { return }
                let verdict = verdicts[row.verdict] ?? ReceivedVerdict()
                found.append(
                    ReportedMail(
                        reporter: row.reporter, source: row.source, messages: row.messages,
                        isDKIMAligned: verdict.isDKIMAligned, isSPFAligned: verdict.isSPFAligned,
                        disposition: verdict.disposition))
            }
        } catch {
            return []
        }
        return Array(found.sorted { $0.messages > $1.messages }.prefix(Self.most))
    }
}

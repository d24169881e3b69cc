package import ReportStore
internal import Reports

/// How much is kept aside, which nothing else of an insight counts.
package struct KeptAsideCount: Hashable, Sendable {
    /// How many mails and files.
    package let mails: Int
    /// How many reports in them could not be read, or came from nobody knows whom.
    package let refused: Int
    /// How many reports in them are about domains of others.
    package let foreign: Int

    /// Counts; nil where there is nothing.
    package init?(_ refusals: [ReceivedRefusal]) {
        guard !refusals.isEmpty else { return nil }
        mails = Set(refusals.map(\.kept)).count
        foreign = refusals.count { $0.isForeign }
        refused = refusals.count - foreign
    }

    /// How many mails and files, in words.
    var words: String {
        // The store remembers no more.
        let least = refused + foreign >= ReceivedReportStore.refusalLimit ? "at least " : ""
        let ofThem = mails == 1 ? "mail or file" : "mails or files"
        return "\(least)\(Percent.number(Int64(mails))) \(ofThem)"
    }

    /// All of it in one line, with the command that tells more.
    package var sentence: String {
        let what = [
            refused > 0 ? "\(Percent.number(Int64(refused))) refused" : nil,
            foreign > 0 ? "\(Percent.number(Int64(foreign))) about domains of others" : nil,
        ].compactMap(\.self).joined(separator: ", ")
        return "Kept aside, and not counted: \(words) (\(what));"
            + " \"signet report why\" lists them with their reasons."
    }
}

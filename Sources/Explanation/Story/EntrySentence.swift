package import FlightRecord

/// What one daemon did, in a sentence: for the time line, and for the answer.
package enum EntrySentence {
    /// The sentence, without a full stop.
    package static func text(of entry: FlightEntry) -> String {
        let rule = entry[.rule].map { " (\($0))" } ?? ""
        let reason = entry[.reason].map { ": \($0)\(rule)" } ?? rule
        switch entry[.verdict].flatMap(FlightVerdict.init) {
        case .signed:
            let names = entry.all(.signature).map(signature)
            return "Signed for \(names.joined(separator: " and "))"
        case .unsigned: return "Not signed\(reason)"
        case .scrubbed:
            return "Header fields scrubbed\(edits(entry))"
                + (entry[.reason].map { ": \($0)" } ?? "")
        case .passed: return passed(entry, reason)
        case .marked: return "Marked as suspicious by \(entry.daemon.name)\(reason)"
        case .ignored: return "Not looked at by \(entry.daemon.name)\(reason)"
        case .held: return "Quarantined by \(entry.daemon.name)\(reason)"
        case .refused: return "Refused by \(entry.daemon.name)\(stage(entry))\(reason)"
        case .deferred: return "Deferred by \(entry.daemon.name)\(stage(entry))\(reason)"
        case .discarded: return "Discarded by \(entry.daemon.name)\(reason)"
        case .compared:
            let differences = entry.all(.difference).count
            return "Compared by \(entry.daemon.name), which does nothing (Shadow): "
                + (differences == 0 ? "as the filter in use" : "\(differences) differences")
        case .aborted:
            return "Ended before it was complete, so that \(entry.daemon.name) decided nothing"
        case nil: return "\(entry.daemon.name) does not say what it did\(reason)"
        }
    }

    private static func passed(_ entry: FlightEntry, _ reason: String) -> String {
        let results = entry.all(.result)
        let found = results.isEmpty ? "" : ": " + results.joined(separator: ", ")
        return "Let through by \(entry.daemon.name)\(found)"
            + (entry[.reason] == nil ? "" : (found.isEmpty ? reason : ";\(reason.dropFirst())"))
    }

    /// The most edits that are named in a sentence.
    private static let namedEdits = 4

    private static func edits(_ entry: FlightEntry) -> String {
        let edits = entry.all(.edit)
        guard !edits.isEmpty else { return "" }
        let more = edits.count - namedEdits
        return " (\(edits.prefix(namedEdits).joined(separator: ", "))"
            + (more > 0 ? ", \(more) more)" : ")")
    }

    private static func stage(_ entry: FlightEntry) -> String {
        switch entry[.stage] {
        case nil, "END-OF-MESSAGE": " at end of message"
        case let stage?: " at \(stage)"
        }
    }

    /// `d=example.org s=mail a=rsa-sha256` in words.
    private static func signature(_ text: String) -> String {
        var tags: [Substring: Substring] = [:]
        for part in text.split(separator: " ") {
            let sides = part.split(separator: "=", maxSplits: 1)
            if sides.count == 2 { tags[sides[0]] = sides[1] }
        }
        guard let domain = tags["d"], let selector = tags["s"] else { return text }
        return "\(domain) (selector \(selector)\(tags["a"].map { ", \($0)" } ?? ""))"
    }

    /// What else the daemon knew, a line each.
    package static func details(of entry: FlightEntry) -> [String] {
        let shown: [(FlightKey, String)] = [
            (.stage, "asked at"), (.clientAddress, "client"), (.clientName, "client's name"),
            (.helo, "HELO"), (.tls, "TLS"), (.login, "login"), (.listener, "listener"),
            (.sender, "envelope from"), (.recipient, "envelope to"), (.author, "From domain"),
            (.signature, "signature"), (.result, "result"), (.question, "DNS"),
            (.rule, "decided by"), (.override, "less was done"), (.edit, "edit"),
            (.shadow, "would"), (.difference, "differs"),
            (.reply, "reply"), (.generation, "configuration"), (.step, "time"),
        ]
        return shown.flatMap { key, label in entry.all(key).map { "\(label): \($0)" } }
    }
}

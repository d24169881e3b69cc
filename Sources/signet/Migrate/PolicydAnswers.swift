import Explanation
import FlightRecord
import Foundation
import Migration
import Setup

/// What policyd-spf has found, by its lines in the mail log, for what signet-spf has found of the same messages.
struct PolicydAnswers {
    /// What both know of a question.
    private struct Question: Hashable {
        let client: String
        let helo: String
        let sender: String
    }

    private var answers: [Question: [(time: Int64, line: PolicydLine)]] = [:]

    /// How far apart the lines about one message may be, in microseconds: each waits for the DNS as long as it may.
    private static let span: Int64 = 60_000_000

    /// Whether no line was found.
    var isEmpty: Bool { answers.isEmpty }

    /// Reads the log of a host, from a time on, in seconds since 1970.
    init(_ tree: FileTree, _ records: FlightReader, since time: Int64) {
        let start = time * 1_000_000
        let names = ["/var/log/mail.log.1", "/var/log/mail.log"].map { tree.root + $0 }
            .filter { FileManager.default.fileExists(atPath: $0) }
        // Another tree has no journal of its own.
        guard tree.isThisHost || !names.isEmpty,
            let log = try? MailLogSource(
                named: tree.isThisHost ? [] : names, MailJournal(nil, since: start, near: nil),
                isJournalNamed: false)
        else { return }
        for line in log.lines(with: ["policyd-spf["])
        where line.time >= start - Self.span && line.program.hasSuffix("policyd-spf") {
            guard let answer = PolicydLine(line.text) else { continue }
            // Who sends may stand in the record by a code.
            for client in records.forms(of: answer.client) {
                for helo in records.forms(of: answer.helo) {
                    for sender in records.forms(of: answer.sender) {
                        answers[
                            Question(client: client, helo: helo, sender: sender), default: []
                        ].append((line.time, answer))
                    }
                }
            }
        }
    }

    /// How an answer of signet-spf differs from that of the other about the same message; nil where there is none to compare with.
    func differences(of entry: FlightEntry) -> [String]? {
        let question = Question(
            client: entry[.clientAddress] ?? "", helo: entry[.helo] ?? "",
            sender: entry[.sender] ?? "")
        guard entry[.reason] != FlightEntry.repeated,
            let (time, theirs) = answers[question]?.min(by: {
                abs($0.time - entry.time) < abs($1.time - entry.time)
            }), abs(time - entry.time) <= Self.span
        else { return nil }
        let why = entry[.reason].map { " (\($0))" } ?? ""
        let name = theirs.isOfHelo ? "spf-helo=" : "spf="
        let own = entry.all(.result).first { $0.hasPrefix(name) }?.dropFirst(name.count)
            .split(separator: " ").map(String.init)
        let subject = own?.dropFirst().first ?? (theirs.isOfHelo ? theirs.helo : theirs.sender)
        var differences: [String] = []
        if let reply = entry.all(.shadow).first(where: { $0.hasPrefix("answer ") }) {
            let words = reply.split(separator: " ").dropFirst()
            // A reply code stands before the enhanced one, but not where Postfix only defers.
            let code = words.prefix(words.first?.contains(".") == true ? 1 : 2)
                .joined(separator: " ")
            differences.append("accepted there, \(code) here\(why); \(subject)")
        }
        let ours = own?.first ?? "none"
        guard ours != theirs.result else { return differences }
        let here = own == nil ? "nothing here" : "\(ours) here"
        differences.append("\(name)\(theirs.result) there, \(here)\(why); \(subject)")
        return differences
    }
}

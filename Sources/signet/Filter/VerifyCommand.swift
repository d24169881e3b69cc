import ArgumentParser
import DaemonKit
import Foundation
import MailAuth
import MailSyntax

/// `signet verify`: a filter that says whether the signatures of the message on standard input verify.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verifies the DKIM signatures of the message on standard input.",
        discussion: """
            A line for each signature: its result, domain and selector, and why. Exit status 0 if one verifies, 1 if none does, 65 \
            if the message cannot be read, 75 if none does and the DNS gave no answer.
            """)

    @Option(help: "Look at one signature only; 0 is the topmost.")
    var index: Int?

    @OptionGroup var dns: ResolverOptions

    @Option(
        help: "The time of receipt: seconds since 1970, or 2026-05-31T12:00:00Z. Now by default.")
    var at: String?

    func validate() throws {
        if let index, index < 0 { throw ValidationError("--index counts from 0") }
    }

    func run() throws {
        let message: MessageFile
        do {
            message = try MessageFile(contents: MessageInput.read("-"))
        } catch { throw CommandFailure(.dataError, "standard input \(error)") }
        let evaluation = SavedMessageEvaluation(
            resolver: try dns.resolver(), now: try ReceiptTime.parse(at))
        let outcome = try evaluation.verifySignatures(of: message)
        var results = outcome.results
        if let index {
            let fields = message.header.indices(named: .dkimSignature)
            let field = fields.indices.contains(index) ? fields[index] : nil
            results = results.filter { $0.fieldPosition == field }
        }
        if results.isEmpty {
            print("none  the message has no \(index == nil ? "signature" : "such signature")")
        }
        let terminal = Terminal.standardOutput
        let rows = results.map { result in
            let name = "d=\(result.domain?.ascii ?? "?") s=\(result.selector?.ascii ?? "?")"
            return (label: result.status.rawValue, text: "\(name): \(result.reason.description)")
        }
        for line in terminal.rows(rows) { print(line) }
        if results.contains(where: { $0.status == .pass }) { return }
        let isTemporary = results.contains { $0.status == .temperror }
        throw ExitCode(isTemporary ? DaemonKit.ExitCode.tempFail.rawValue : 1)
    }
}

/// When a message was received, as the command line says it.
enum ReceiptTime {
    /// The years 1970 to 9999, in seconds since 1970.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799

    /// Seconds since 1970; now where nothing is said.
    static func parse(_ text: String?) throws -> Int64 {
        guard let text else { return Int64(Date().timeIntervalSince1970) }
        if let seconds = Int64(text) {
            guard times.contains(seconds) else {
                throw ValidationError("--at \(text): a time from 1970 to 9999")
            }
            return seconds
        }
        if let date = ISO8601DateFormatter().date(from: text) {
            return Int64(date.timeIntervalSince1970)
        }
        throw ValidationError("--at \(text): write seconds since 1970, or 2026-05-31T12:00:00Z")
    }
}

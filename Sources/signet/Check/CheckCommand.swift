import ArgumentParser
import DaemonKit
import MailDNS
import MailSyntax

/// `signet check`: evaluates saved messages as a receiver would.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Evaluates the authentication of saved messages.",
        discussion: """
            Exit status 0 if all messages were evaluated, whatever the results; 65 if one cannot be read; 75 if the DNS gave \
            no answer for one. With --exit-status the worst verdict counts: 0 DMARC pass or none, 1 fail, 2 temperror or unknown, \
            3 permerror.
            """)

    @Option(
        help:
            "The SMTP client's address; without it SPF is unknown, and DMARC can only pass by DKIM."
    )
    var ip: String?

    @Option(help: "The name that the client said in HELO.")
    var helo: String?

    @Option(name: .customLong("from"), help: "The envelope sender; empty for the null sender.")
    var sender: String?

    @Flag(
        help: ArgumentHelp(
            "Take address, HELO and sender from the topmost Received and Return-Path fields.",
            discussion: "Only for messages that this host's own mail server has received."))
    var fromTrace = false

    @Flag(help: "Let the exit status tell whether DMARC passes.")
    var exitStatus = false

    @Flag(name: .shortAndLong, help: "Show the Authentication-Results field, too.")
    var verbose = false

    @OptionGroup var dns: ResolverOptions

    @Option(
        help: "The time of receipt: seconds since 1970, or 2026-05-31T12:00:00Z. Now by default.")
    var at: String?

    @Flag(help: "Write JSON: an object for one message, an array for several.")
    var json = false

    @Argument(help: "Files with messages; - for standard input.")
    var messages: [String]

    func run() throws {
        let client = try client()
        let evaluation = SavedMessageEvaluation(
            resolver: try dns.resolver(), now: try ReceiptTime.parse(at))
        let terminal = Terminal.standardOutput
        var reports: [MessageReport] = []
        var status = DaemonKit.ExitCode.ok
        for path in messages {
            do {
                let message = try Self.read(path)
                let report = try evaluation.evaluate(
                    message, from: fromTrace ? EnvelopeFacts(trace: message.header) : client)
                if report.isTemporary, !exitStatus, status == .ok { status = .tempFail }
                if !json {
                    if messages.count > 1 { print("\(path):") }
                    print(report.text(for: terminal, showsField: verbose))
                }
                reports.append(report)
            } catch {
                complain("\(path) \(error)")
                status = .dataError
            }
        }
        if json { try printJSON(reports) }
        if status != .ok { throw ExitCode(status.rawValue) }
        if exitStatus, let worst = reports.map(\.exitStatus).max(), worst != 0 {
            throw ExitCode(worst)
        }
    }

    /// An array where several were asked for, even if only one could be read.
    private func printJSON(_ reports: [MessageReport]) throws {
        if messages.count > 1 {
            print(try JSONOutput.list(of: reports))
        } else if let report = reports.first {
            print(try JSONOutput.text(of: report))
        }
    }

    private static func read(_ path: String) throws -> MessageFile {
        try MessageFile(contents: MessageInput.read(path))
    }

    private func client() throws -> EnvelopeFacts? {
        guard !fromTrace || ip == nil && helo == nil && sender == nil else {
            throw ValidationError("--from-trace excludes --ip, --helo and --from")
        }
        guard let ip else {
            guard helo == nil, sender == nil else {
                throw ValidationError("--helo and --from need --ip")
            }
            return nil
        }
        guard let address = IPAddress(ip) else {
            throw ValidationError("--ip \(ip): not an address")
        }
        return EnvelopeFacts(address: address, helo: helo ?? "", sender: sender ?? "")
    }
}

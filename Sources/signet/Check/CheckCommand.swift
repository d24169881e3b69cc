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
            no answer for one, or --next has waited in vain. With --exit-status the worst verdict counts: 0 DMARC pass or none, 1 fail, 2 temperror or unknown, \
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

    @Option(
        help: ArgumentHelp(
            "Wait for the next message that arrives for this user, and check that.",
            discussion: "A path with a slash in it names a Maildir or mbox itself.",
            valueName: "user"))
    var next: String?

    @Option(help: "How long --next waits, in seconds.")
    var timeout = 300

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
    var messages: [String] = []

    func validate() throws {
        guard next == nil || messages.isEmpty else {
            throw ValidationError("--next excludes files")
        }
        guard next != nil || !messages.isEmpty else {
            throw ValidationError("name files with messages, - for standard input, or --next")
        }
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout is from 1 to 86400 seconds")
        }
    }

    func run() throws {
        let client = try client()
        let evaluation = SavedMessageEvaluation(
            resolver: try dns.resolver(), now: try ReceiptTime.parse(at))
        let arrived = try next.map(awaitMessage)
        let messages = arrived == nil ? messages : ["the message"]
        let terminal = Terminal.standardOutput
        var reports: [MessageReport] = []
        var status = DaemonKit.ExitCode.ok
        for path in messages {
            do {
                let message = try arrived ?? Self.read(path)
                let report = try evaluation.evaluate(
                    message, from: readsTrace ? EnvelopeFacts(trace: message.header) : client)
                if report.isTemporary, !exitStatus, status == .ok { status = .tempFail }
                if !json {
                    if messages.count > 1 { print("\(LogText.safe(path)):") }
                    print(report.text(for: terminal, showsField: verbose))
                }
                reports.append(report)
            } catch {
                complain("\(path) \(error)")
                status = .dataError
            }
        }
        if json { try printJSON(reports, isList: messages.count > 1) }
        if status != .ok { throw ExitCode(status.rawValue) }
        if exitStatus, let worst = reports.map(\.exitStatus).max(), worst != 0 {
            throw ExitCode(worst)
        }
    }

    /// An array where several were asked for, even if only one could be read.
    private func printJSON(_ reports: [MessageReport], isList: Bool) throws {
        if isList {
            print(try JSONOutput.list(of: reports))
        } else if let report = reports.first {
            print(try JSONOutput.text(of: report))
        }
    }

    /// Whether the envelope is read out of the trace: what has just arrived here has that of this host on top.
    private var readsTrace: Bool { fromTrace || (next != nil && ip == nil) }

    private func awaitMessage(_ user: String) throws -> MessageFile {
        let places: [MailboxPlace]
        if user.contains("/") {
            places = [MailboxPlace(path: user)]
        } else if let found = MailboxPlace.places(of: user) {
            places = found
        } else {
            throw CommandFailure(
                .noInput, "\(user) is no user of this host: give the path of the mailbox")
        }
        var watch = MailboxWatch(places)
        complain("waiting for mail in \(places.map(\.description).joined(separator: ", "))")
        guard let octets = watch.next(seconds: Double(timeout)) else {
            throw CommandFailure(.tempFail, "no message came within \(timeout) seconds")
        }
        do {
            return try MessageFile(contents: octets)
        } catch { throw CommandFailure(.dataError, "the message \(error)") }
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

import ArgumentParser
import MailAuth
import MailSyntax
import Threads

/// `signet spf`: evaluates SPF for a client, and shows the reason.
struct SPFCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spf",
        abstract: "Evaluates SPF for a client, and shows the records that decide.",
        discussion: """
            The first line is the result alone; the reason, the number of DNS lookups and the records follow. The exit status is 0 for pass, 1 for \
            fail, 2 for softfail, 3 for neutral, 4 for permerror, 5 for temperror and 6 for none.
            """)

    @Option(help: ArgumentHelp("The client's address.", valueName: "address"))
    var ip: String

    @Option(
        help: ArgumentHelp(
            "The client's HELO name; the sender's domain if it is left out.", valueName: "name"))
    var helo: String?

    @Option(
        help: ArgumentHelp(
            "The envelope sender, empty for the null one; without it the HELO name is checked.",
            valueName: "address"))
    var from: String?

    @OptionGroup var dns: ResolverOptions

    @Flag(name: .shortAndLong, help: "Show the Received-SPF field, too.")
    var verbose = false

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard IPAddress(ip) != nil else { throw ValidationError("\"\(ip)\" is not an IP address") }
        guard helo != nil || from != nil else {
            throw ValidationError("give --helo or --from, or both")
        }
    }

    func run() throws {
        guard let client = IPAddress(ip) else { throw ExitCode.validationFailure }
        let outcome = SPFEvaluator(resolver: try dns.resolver(), time: .system).check(
            request(client))
        let report = SPFReport(outcome)
        print(
            json
                ? try JSONOutput.text(of: report)
                : report.text(for: .standardOutput, showsField: verbose))
        throw ExitCode(SPFCommand.status(of: outcome.result))
    }

    private func request(_ client: IPAddress) -> SPFRequest {
        guard let from else { return .helo(Array((helo ?? "").utf8), client: client) }
        let name = helo ?? from.split(separator: "@").last.map { String($0) } ?? ""
        return .mailFrom(Array(from.utf8), helo: Array(name.utf8), client: client)
    }

    private static func status(of result: SPFResult) -> Int32 {
        switch result {
        case .pass: 0
        case .fail: 1
        case .softfail: 2
        case .neutral: 3
        case .permerror: 4
        case .temperror: 5
        case .none: 6
        }
    }
}

import ArgumentParser
import Configuration
import DaemonKit
import Foundation
import HeaderScrub
import MailSyntax

/// `signet scrub`: shows what signet-scrub would change in a message.
struct ScrubCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scrub",
        abstract: "Shows what signet-scrub would change in a message that a user submits.",
        discussion: """
            The first line says how many fields change. Fields that are removed are marked with -, those that replace them with +, \
            and those that stay because a signature covers them with !. Exit status 0; 65 if the message cannot be read or would be refused; 78 if the rules cannot be used.
            """)

    @Option(help: "A configuration of signet-scrub; the default rules if omitted.")
    var rules: String?

    @Option(help: "The mail server's name for itself; this machine's if omitted.")
    var host: String?

    @Flag(name: .shortAndLong, help: "Show the fields as they stand, on as many lines.")
    var verbose = false

    @Flag(help: "Print the message as it would be passed on instead of the differences.")
    var after = false

    @Option(
        name: .customLong("header-checks"),
        help: ArgumentHelp(
            "Print the header_checks for the Received field of the Postfix with that name.",
            valueName: "host"))
    var headerChecks: String?

    @Argument(help: "A file with a message; - for standard input.")
    var message: String?

    func validate() throws {
        guard (message == nil) != (headerChecks == nil) else {
            throw ValidationError("name a message")
        }
    }

    func run() throws {
        if let headerChecks {
            print(
                HeaderChecks.table(host: try DomainArgument.parse(headerChecks).ascii),
                terminator: "")
            return
        }
        let policy = try policy()
        let (contents, split) = try read()
        let plan = ScrubPlan(
            split.header, policy: policy, mtaName: host ?? HostName.current, queueID: nil,
            now: Int64(Date().timeIntervalSince1970))
        if after {
            let end = Self.lineEnd(of: contents)
            // Octets, not text: past print's buffer.
            let header = plan.applied(to: split.header, lineEnd: end)
            try StandardOutput.pass(
                contents[..<split.headerStart] + header + end + contents[split.bodyStart...])
        } else {
            print(ScrubReport(plan, of: split.header).text(for: .standardOutput, isRaw: verbose))
        }
        guard !plan.isLoop else {
            throw CommandFailure(.dataError, "554 5.4.6: the message has made \(plan.hops) hops")
        }
    }

    private func read() throws -> (contents: [UInt8], split: SplitMessage) {
        let path = message ?? "-"
        do {
            let contents = try MessageInput.read(path)
            return (contents, try HeaderSection.split(message: contents))
        } catch {
            throw CommandFailure(.dataError, "\(path) \(error)")
        }
    }

    /// What ends the first line of a message, and so all of them.
    private static func lineEnd(of contents: [UInt8]) -> [UInt8] {
        guard let first = contents.firstIndex(of: .lf), first > 0, contents[first - 1] == .cr else {
            return [.lf]
        }
        return [.cr, .lf]
    }

    /// The policy of the configuration; what is wrong with it goes to standard error.
    private func policy() throws -> ScrubPolicy {
        guard let rules else { return ScrubPolicy() }
        let schema = ConfigurationSchema(
            ServiceSettings.directives(shortName: "scrub") + ScrubDirectives.all)
        let reader = ConfigurationReader(schema: schema, file: rules)
        let policy = ScrubPolicy(reading: reader)
        for problem in reader.problems { complain(problem.description) }
        if reader.problems.hasErrors {
            throw CommandFailure(.configuration, "\(rules) cannot be used")
        }
        return policy
    }
}

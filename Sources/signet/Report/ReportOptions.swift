import ArgumentParser
import Configuration
import DaemonKit
import DaemonResolver
import FailureReports
import Glibc
import MailDNS
import MailSyntax
import ReportStore
import Reports

/// What the commands about reports share: the configuration of signet-dmarc, and what replaces it.
struct ReportOptions: ParsableArguments {
    @Option(
        name: [.customShort("x"), .long],
        help: ArgumentHelp(
            "The configuration of signet-dmarc; /etc/signet/dmarc.conf without it.",
            valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("The report store, in place of ReportStore.", valueName: "path|address"))
    var store: String?

    @Option(
        help: ArgumentHelp("Who reports, in place of OrganizationName.", valueName: "name"))
    var organization: String?

    @Option(
        help: ArgumentHelp(
            "The address that reports come from, in place of ReportEmail.", valueName: "address"))
    var email: String?

    private static let defaultFile = "/etc/signet/dmarc.conf"

    func validate() throws {
        if let email, ReportSettings.address(email) == nil {
            throw ValidationError("\"\(email)\" is not a mail address")
        }
    }

    /// What holds: the command line's before the configuration's.
    func settings() throws -> (
        reports: ReportSettings, resolver: ResolverSettings, failures: FailureReportSettings
    ) {
        let file = config ?? (unsafe access(Self.defaultFile, F_OK) == 0 ? Self.defaultFile : nil)
        let reader = ConfigurationReader(
            schema: ConfigurationSchema(
                ReportSettings.directives + ResolverSettings.directives
                    + FailureReportSettings.directives),
            file: file, passingOverOthers: true)
        var reports = ReportSettings(reader)
        let resolver = ResolverSettings(reader)
        let failures = FailureReportSettings(reader, reportEmail: reports.email)
        for problem in reader.problems where problem.severity == .error {
            complain("\(problem)")
        }
        guard !reader.problems.hasErrors else {
            throw CommandFailure(.configuration, "the configuration cannot be used")
        }
        if let store { reports.store = Self.location(store) }
        if let organization { reports.organization = organization }
        if let email { reports.email = ReportSettings.address(email) }
        return (reports, resolver, failures)
    }

    /// Where the store is.
    static func location(_ settings: ReportSettings) throws -> StoreLocation {
        guard let location = settings.store else {
            throw CommandFailure(.configuration, "ReportStore is none: there is no store")
        }
        return location
    }

    /// A store on the command line may be in this directory.
    private static func location(_ text: String) -> StoreLocation {
        StoreLocation(text) ?? .file(text)
    }
}

extension Reporter {
    /// Who reports; nil where the configuration does not say.
    init?(_ settings: ReportSettings) {
        guard let organization = settings.organization, let email = settings.email,
            let domain = email.domain
        else { return nil }
        self.init(
            organization: organization, email: email.text, domain: domain.ascii,
            generator: "Signet \(Version.current)")
    }
}

import Configuration
import DaemonResolver
import FlightRecord
import Observation

/// Every directive that signet-spf knows: those of policyd-spf.conf(5), and our own.
///
/// The tables are what the reader checks against, what signet-spf.conf(5) lists and what the tests
/// enumerate. A directive of the peer that is missing here is a fault: a test holds its pages against this
/// list.
enum Directives {
    /// The whole table, in the order of the man page.
    static let all: [DirectiveSpec] =
        ResolverSettings.directives + results + exemptions + fields + checks + logging
        + ObservationSettings.directives(.spf) + withoutEffect

    /// What is done about results.
    static let results: [DirectiveSpec] = [
        DirectiveSpec(
            "HELO_reject",
            .word(["Fail", "SPF_Not_Pass", "Softfail", "Null", "False|no", "No_Check"]),
            default: "Fail", "Which results of the HELO name are refused."),
        DirectiveSpec(
            "Mail_From_reject",
            .word(["Fail", "SPF_Not_Pass", "Softfail", "False|no", "No_Check"]),
            default: "Fail", "Which results of the sender are refused."),
        DirectiveSpec(
            "No_Mail", .boolean, default: "no",
            "Refuses only for domains that send no mail at all: \"v=spf1 -all\"."),
        DirectiveSpec(
            "Reject_Not_Pass_Domains", .dataSet,
            "Domains of which softfail is refused as well."),
        DirectiveSpec(
            "PermError_reject", .boolean, default: "no",
            "Refuses mail of domains whose records cannot be interpreted."),
        DirectiveSpec(
            "TempError_Defer", .boolean, default: "no",
            "Defers mail while the DNS gives no answer."),
        DirectiveSpec(
            "HELO_pass_restriction", .text,
            "The action, or restriction class, for clients whose HELO name passes."),
        DirectiveSpec(
            "Mail_From_pass_restriction", .text,
            "The action, or restriction class, for mail whose sender passes."),
        DirectiveSpec(
            "SPF_Enhanced_Status_Codes", .boolean, default: "yes",
            "Gives the enhanced status codes of RFC 7372 in refusals."),
        DirectiveSpec(
            "Reason_Message", .text, default: ReasonTemplate.standardText,
            "The text of refusals, with placeholders in braces."),
        DirectiveSpec(
            "TestOnly", aliases: ["defaultSeedOnly"], .integer(0...Int.max), default: "1",
            "0 is the test mode: nothing is refused, and what would be is logged."),
        DirectiveSpec(
            "Per_User", .text,
            "text,FILE: settings of their own for recipients."),
    ]

    /// Who is not checked.
    static let exemptions: [DirectiveSpec] = [
        DirectiveSpec(
            "IgnoreAuthenticatedClients", .boolean, default: "yes",
            "Does not check clients that Postfix has authenticated by SASL or certificate."),
        DirectiveSpec(
            "skip_addresses", .dataSet, default: "127.0.0.0/8,::ffff:127.0.0.0/104,::1",
            "Local clients, which are not checked."),
        DirectiveSpec(
            "InternalHosts", .dataSet, "More local clients, which are not checked."),
        DirectiveSpec(
            "Whitelist", .dataSet, "Trusted relays, which are not checked."),
        DirectiveSpec(
            "HELO_Whitelist", .dataSet,
            "HELO names of trusted relays; an address of the name must be the client's."),
        DirectiveSpec(
            "Domain_Whitelist", .dataSet,
            "Domains whose SPF policy names trusted relays."),
        DirectiveSpec(
            "Domain_Whitelist_PTR", .dataSet,
            "Domains in which the confirmed host names of trusted relays lie."),
        DirectiveSpec(
            "Whitelist_Lookup_Time", .duration(1...300), default: "10",
            "How long the lookups of each of these three may take."),
    ]

    /// How results are reported.
    static let fields: [DirectiveSpec] = [
        DirectiveSpec(
            "Header_Type",
            .word(["SPF", "AR", "None|no", "both|SPF,AR|AR,SPF|SPF, AR|AR, SPF|SPF AR|AR SPF"]),
            default: "SPF", "Which header field tells the result."),
        DirectiveSpec(
            "Authserv_Id", aliases: ["Authserv-Id", "AuthservID"], .text, default: "HOSTNAME",
            "The authserv-id of Authentication-Results; HOSTNAME is this host's name."),
        DirectiveSpec(
            "Hide_Receiver", .boolean, default: "no",
            "Leaves this host's name out of fields, refusals and macros."),
    ]

    /// How checks are made.
    static let checks: [DirectiveSpec] = [
        DirectiveSpec(
            "Lookup_Time", .duration(1...300), default: "20",
            "How long the check of one identity may take."),
        DirectiveSpec(
            "DNSTimeout", .duration(1...60),
            "Lookup_Time, where that is not given."),
        DirectiveSpec(
            "Void_Limit", .integer(0...100), default: "2",
            "How many lookups of a check may find nothing."),
        DirectiveSpec(
            "Prospective", .text,
            "An address to check instead of the client's, such as that of the outgoing relay."),
        DirectiveSpec(
            "Mock", .boolean, default: "no",
            "Answers DUNNO to everything; Postfix before 3.0 needed such a service."),
    ]

    /// What is logged.
    static let logging: [DirectiveSpec] = [
        DirectiveSpec(
            "debugLevel", .integer(-1...Int.max), default: "1",
            "0 logs errors, 1 also results, 2 and more also how they were reached; -1 nothing."),
        DirectiveSpec(
            "QueueID", .boolean, default: "yes",
            "Begins lines with the queue id once Postfix has given one."),
    ]

    /// Accepted without effect, or refused, each with its reason.
    static let withoutEffect: [DirectiveSpec] = [
        .noOp("SyslogSuccess", "debugLevel says whether results are logged"),
        .refused(
            "MacroList", "Postfix passes no macros to a policy service",
            instead: "use IgnoreAuthenticatedClients and InternalHosts"),
    ]

    /// What policyd-spf passes over: unknown names, lines without a name, and values that fit none of
    /// those that it compares with.
    ///
    /// It ends where a number is none, and fails for each message where Prospective or Per_User are not
    /// what they must be. Whoever asks for Hide_Receiver in other words than yes would be shown.
    static let tolerance = FaultTolerance(
        peer: "policyd-spf",
        directives: (results + exemptions + fields + checks + logging).map(\.name).filter {
            !["Per_User", "Prospective", "Hide_Receiver", "DNSTimeout"].contains($0)
        })

    /// The directives that recipients may have of their own.
    ///
    /// The others are accepted without effect, as the peer's example has one of them.
    static let perUser: [DirectiveSpec] =
        all.map { spec in
            PolicyReader.directives.contains(spec.name)
                ? spec : .noOp(spec.name, aliases: spec.aliases, "it holds for all recipients")
        }
}

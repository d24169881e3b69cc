import Configuration
import DaemonKit
import DaemonResolver
import MailSyntax
import Observation

/// Everything that the configuration says, read, checked and ready for use.
///
/// Immutable: each message keeps the one it began with, and a reload replaces it as a whole. A class, as
/// every connection and every message that is remembered hold on to it.
final class SPFConfiguration: Sendable {
    /// `policy`, to be held on to.
    let shared: SharedPolicy
    /// Recipients that have settings of their own; nil where nobody has.
    let users: UserTable?
    /// The header fields that tell the result, in the order in which they are given.
    let fields: [ResultField]
    /// Under which name results are given in Authentication-Results.
    let authservID: String
    /// The host that checks, for Received-SPF and macros; nil to withhold it (Hide_Receiver).
    let shownReceiver: String?
    /// The address that is checked in place of the client's (Prospective).
    let prospective: IPAddress?
    /// Whether authenticated clients are passed over.
    let ignoresAuthenticated: Bool
    /// Whether every question is answered with "DUNNO" (Mock).
    let isMock: Bool
    /// Seconds that the check of one identity may take (Lookup_Time).
    let lookupSeconds: Double
    /// How much is logged, from -1, nothing, to 5.
    let debugLevel: Int
    /// Whether lines begin with the queue id where there is one (QueueID).
    let logsQueueID: Bool
    /// The DNS servers.
    let resolver: ResolverSettings
    /// What is kept and counted.
    let observation: ObservationSettings
    /// Where the directives stand that decide.
    let places: DirectivePlaces

    /// What recipients may have of their own.
    var policy: Policy { shared.policy }

    /// Reads all directives; usable only when the reader has no errors afterwards.
    init(reading reader: ConfigurationReader) {
        var policy = Policy()
        PolicyReader(reader).read(into: &policy)
        if let hosts = reader.peerSet("InternalHosts") { policy.exemptions.local.append(hosts) }
        shared = SharedPolicy(policy)
        users = UserTable(reading: reader, over: policy)
        fields = Self.fields(reader.text("Header_Type"))
        let name = reader.text("Authserv_Id") ?? "HOSTNAME"
        let host = HostName.current ?? "localhost"
        authservID = name == "HOSTNAME" ? host : name
        shownReceiver = reader.boolean("Hide_Receiver") ? nil : host
        prospective = Self.prospective(reader)
        ignoresAuthenticated = reader.boolean("IgnoreAuthenticatedClients")
        isMock = reader.boolean("Mock")
        let lookupTime =
            reader.isSet("DNSTimeout") && !reader.isSet("Lookup_Time")
            ? reader.duration("DNSTimeout") : reader.duration("Lookup_Time")
        lookupSeconds = lookupTime.map { Double($0.components.seconds) } ?? 20
        debugLevel = reader.integer("debugLevel") ?? 1
        logsQueueID = reader.boolean("QueueID")
        observation = ObservationSettings(reader)
        places = DirectivePlaces(
            reader, ["Mail_From_reject", "HELO_reject", "PermError_reject", "TempError_Defer"])
        resolver = ResolverSettings(reader)
        warn(reader)
    }

    private static func fields(_ type: String?) -> [ResultField] {
        switch type {
        case "AR": [.authenticationResults]
        case "both": [.receivedSPF, .authenticationResults]
        case "None": []
        default: [.receivedSPF]
        }
    }

    private static func prospective(_ reader: ConfigurationReader) -> IPAddress? {
        guard let text = reader.text("Prospective"), text.lowercased() != "none" else { return nil }
        guard let address = IPAddress(text) else {
            reader.report(
                .error, "Prospective", "\"\(text)\" is not an IP address",
                suggestion: "write the address that your mail leaves from")
            return nil
        }
        return address.unmapped
    }

    /// How long Postfix waits for an answer, in seconds (smtpd_policy_service_timeout).
    private static let postfixTimeout = 100.0

    /// Warns of what works, and not as it was meant.
    private func warn(_ reader: ConfigurationReader) {
        let exemptions = policy.exemptions
        let methods = [
            !exemptions.heloNames.isEmpty, !exemptions.domains.isEmpty,
            !exemptions.hostDomains.isEmpty,
        ].filter { $0 }.count
        let longest = 2 * lookupSeconds + Double(methods) * exemptions.seconds
        if longest >= Self.postfixTimeout {
            reader.report(
                .warning, "Lookup_Time",
                "an answer may take \(Int(longest)) s, and Postfix waits for 100 s",
                suggestion: "shorten it, or raise smtpd_policy_service_timeout")
        }
        if fields.contains(.authenticationResults) {
            reader.report(
                .warning, "Header_Type",
                "a policy service cannot remove Authentication-Results fields that claim to be of "
                    + authservID,
                suggestion:
                    "give Authserv_Id a name of its own, or have a milter remove them: signet-dkim, signet-dmarc"
            )
        }
        if fields.count > 1 {
            reader.report(
                .notice, "Header_Type",
                "each answer can carry one field: name the service twice in the restrictions")
        }
        for statement in reader.statements(of: ["TestOnly"])
        where statement.name.lowercased() == "defaultseedonly" {
            reader.report(
                ConfigurationProblem(
                    .notice, at: statement.location, directive: "TestOnly",
                    "defaultSeedOnly is its old name"))
        }
        if policy.isTest {
            reader.report(.notice, "TestOnly", "0 is the test mode: nothing will be refused")
        }
    }
}

import Configuration
import MailAuth
import MailDNS
import MailSyntax
import Threads

/// The clients and names for which SPF is not checked.
struct Exemptions: Sendable {
    /// Local clients (skip_addresses, InternalHosts).
    var local: [PeerSet] = []
    /// Trusted relays (Whitelist).
    var relays = PeerSet()
    /// HELO names of trusted relays, believed where they lead back to the client (HELO_Whitelist).
    var heloNames = DomainSet()
    /// Domains whose SPF policy vouches for trusted relays (Domain_Whitelist).
    var domains: [DomainName] = []
    /// Domains in which the host names of trusted relays lie (Domain_Whitelist_PTR).
    var hostDomains: [DomainName] = []
    /// Seconds that the lookups of each of the last three may take (Whitelist_Lookup_Time).
    var seconds = 10.0

    /// Why a client is not checked.
    enum Reason: String, Sendable {
        case local = "SPF check N/A for local connections"
        case relay = "SPF skipped for whitelisted relay"
        case heloName = "SPF skipped for whitelisted HELO domain"
        case domain = "SPF skipped for whitelisted relay domain"
        case hostDomain = "SPF skipped for PTR whitelisted relay domain"
        case authenticated = "SPF skipped for authenticated client"
    }

    /// Finds out whether a client is exempt; what the DNS does not answer makes nobody exempt.
    ///
    /// - Parameters:
    ///   - client: the client's address.
    ///   - hostName: the name that Postfix has verified, if any.
    ///   - helo: what the client said in HELO.
    ///   - resolver: answers the questions.
    /// - Returns: the reason; nil where the client is to be checked.
    func reason(
        client: IPAddress, hostName: String?, helo: [UInt8],
        resolver: @autoclosure () -> any DNSResolver
    ) -> Reason? {
        if local.contains(where: { $0.contains(hostName: hostName, address: client) }) {
            return .local
        }
        if relays.contains(hostName: hostName, address: client) { return .relay }
        guard !heloNames.isEmpty || !domains.isEmpty || !hostDomains.isEmpty else { return nil }
        let resolver = resolver()
        if !heloNames.isEmpty, let name = try? DomainName(bytes: helo), heloNames.contains(name),
            leads(name, to: client, resolver, until: .now() + seconds)
        {
            return .heloName
        }
        if isVouchedFor(client, helo: helo, resolver) { return .domain }
        if isNamedWell(client, resolver) { return .hostDomain }
        return nil
    }

    /// Whether an SPF record of the listed domains passes the client.
    private func isVouchedFor(
        _ client: IPAddress, helo: [UInt8], _ resolver: any DNSResolver
    ) -> Bool {
        let deadline = MonotonicTime.now() + seconds
        for domain in domains {
            var limits = SPFLimits()
            limits.seconds = deadline.seconds(since: .now())
            guard limits.seconds > 0 else { return false }
            let sender = Array("postmaster@\(domain.ascii)".utf8)
            let outcome = SPFEvaluator(
                resolver: resolver, time: .system, limits: limits, wantsExplanation: false
            ).check(.mailFrom(sender, helo: helo, client: client))
            if outcome.result == .pass { return true }
        }
        return false
    }

    /// Whether a name of the client that leads back to it lies in the listed domains: the rules of the
    /// "ptr" mechanism (RFC 7208, section 5.5).
    private func isNamedWell(_ client: IPAddress, _ resolver: any DNSResolver) -> Bool {
        guard !hostDomains.isEmpty, let reverse = try? DomainName(client.unmapped.reverseName)
        else { return false }
        let deadline = MonotonicTime.now() + seconds
        guard
            case .records(let records, _) = resolver.resolve(
                DNSQuestion(reverse, .ptr), deadline: deadline)
        else { return false }
        return records.prefix(SPFLimits().names).contains { record in
            guard case .name(let name) = record,
                hostDomains.contains(where: name.isEqualOrSubdomain)
            else { return false }
            return leads(name, to: client, resolver, until: deadline)
        }
    }

    /// Whether an address of a name is the client's.
    private func leads(
        _ name: DomainName, to client: IPAddress, _ resolver: any DNSResolver,
        until deadline: MonotonicTime
    ) -> Bool {
        let client = client.unmapped
        let type: RecordType = client.bitWidth == 32 ? .a : .aaaa
        guard
            case .records(let records, _) = resolver.resolve(
                DNSQuestion(name, type), deadline: deadline)
        else { return false }
        return records.contains(.address(client))
    }
}

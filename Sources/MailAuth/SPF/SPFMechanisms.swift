internal import MailDNS
internal import MailSyntax

/// Whether a mechanism matches the client (RFC 7208, section 5).
///
/// A target-name that no DNS query can be made of, for an empty label or one of more than 63
/// octets, is like one that does not exist (section 4.8 leaves it open): the mechanism does not
/// match.
extension SPFEvaluation {
    /// Whether a mechanism other than "include" matches.
    mutating func matches(
        _ mechanism: SPFMechanism, _ record: SPFRecord, _ domain: DomainName
    ) throws(SPFProblem) -> Bool {
        switch mechanism {
        case .all, .include:
            return true
        case .ip(let network):
            // An IPv4 client is matched by "ip4" alone, even where "ip6" has a mapped address
            // (section 5).
            return network.address.bitWidth == request.client.bitWidth
                && network.contains(request.client)
        case .a(let spec, let lengths):
            guard let target = try target(spec, record, domain) else { return false }
            return try matchesAddress(of: target, lengths)
        case .mx(let spec, let lengths):
            guard let target = try target(spec, record, domain) else { return false }
            return try matchesMailExchanger(of: target, lengths)
        case .ptr(let spec):
            guard let target = try target(spec, record, domain) else { return false }
            return try matchesClientName(within: target)
        case .exists(let spec):
            guard let target = try targetName(spec, record, domain) else { return false }
            // Section 5.7: "a DNS A RR lookup (even when the connection type is IPv6)".
            let addresses = try ledger.ask(target, .a).addresses
            if addresses.isEmpty { try ledger.countVoidTerm() }
            return !addresses.isEmpty
        }
    }

    /// The expanded domain of a term, or the record's own where the term has none (section 4.8).
    private mutating func target(
        _ spec: SPFDomainSpec?, _ record: SPFRecord, _ domain: DomainName
    ) throws(SPFProblem) -> DomainName? {
        guard let spec else { return domain }
        return try targetName(spec, record, domain)
    }

    /// "a" (section 5.3).
    private mutating func matchesAddress(
        of target: DomainName, _ lengths: SPFPrefixLengths
    ) throws(SPFProblem) -> Bool {
        let addresses = try ledger.ask(target, addressType).addresses
        if addresses.isEmpty { try ledger.countVoidTerm() }
        return addresses.contains { lengths.agree($0, request.client) }
    }

    /// "mx" (section 5.4).
    ///
    /// The addresses of a few exchangers are asked for at a time. The order of MX records in an
    /// answer is the DNS's choice, so that a match weighs more than another exchanger's error.
    private mutating func matchesMailExchanger(
        of target: DomainName, _ lengths: SPFPrefixLengths
    ) throws(SPFProblem) -> Bool {
        let records = try ledger.ask(target, .mx)
        guard records.count <= ledger.limits.names else {
            throw .tooManyMailExchangers(domain: target, limit: ledger.limits.names)
        }
        var exchangers: [DomainName] = []
        // The root stands for "no mail exchanger" (RFC 7505, section 3).
        for case .mx(_, let name) in records where name != .root && !exchangers.contains(name) {
            exchangers.append(name)
        }
        var isVoid = records.isEmpty || !exchangers.isEmpty
        var problem: SPFProblem?
        while !exchangers.isEmpty {
            let some = Array(exchangers.prefix(max(1, ledger.limits.namesAtOnce)))
            exchangers.removeFirst(some.count)
            try ledger.reserve(some.count)
            for lookup in ledger.begin(some, addressType) {
                do {
                    let addresses = try ledger.settle(lookup).addresses
                    if addresses.contains(where: { lengths.agree($0, request.client) }) {
                        return true
                    }
                    if !addresses.isEmpty { isVoid = false }
                } catch {
                    problem = problem ?? error
                }
            }
        }
        if let problem { throw problem }
        if isVoid { try ledger.countVoidTerm() }
        return false
    }

    /// "ptr" (section 5.5).
    private mutating func matchesClientName(within target: DomainName) throws(SPFProblem) -> Bool {
        let names = validatedNames()
        if names.isVoid { try ledger.countVoidTerm() }
        // Errors are no matches here, yet the limit on time holds for the whole check.
        if names.validated.isEmpty { try ledger.checkDeadline() }
        return names.validated.contains { $0.isEqualOrSubdomain(of: target) }
    }
}

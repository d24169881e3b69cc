/// Looks at a host and says what is wrong with it, what hurts most first.
package enum Doctor {
    /// Which checks are made.
    package struct Scope: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        /// The DNS: records of the domains, names of the host.
        package static let dns = Scope(rawValue: 1)
        /// The host: Postfix, our configuration, its neighbours.
        package static let local = Scope(rawValue: 2)
        /// Only what mail that is sent depends on.
        package static let outboundOnly = Scope(rawValue: 4)
    }

    /// Makes the checks.
    ///
    /// - Parameters:
    ///   - host: what is looked at.
    ///   - scope: which checks are made.
    /// - Returns: a finding for each fault, for what was not looked at, and a line for what is fine, ranked.
    package static func examine(_ host: HostView, _ scope: Scope) -> [Diagnosis] {
        var checks: [Check] = []
        if scope.contains(.dns) { checks += dnsChecks }
        if scope.contains(.local) { checks += localChecks }
        if scope.contains(.outboundOnly) { checks.removeAll(where: \.isInbound) }
        // A question without an answer is met by several checks, and told once.
        var seen: Set<Diagnosis> = []
        return checks.flatMap { $0.findings(host) }.filter { seen.insert($0).inserted }
            .agreeing().ranked()
    }

    private static let localChecks: [Check] = [
        ParameterChecks.presence, ParameterChecks.syntax, ParameterChecks.repeats,
        PolicyChecks.relay, MilterChecks.presence, UnusedMilters.check, Incumbents.check,
        MilterChecks.order, MilterChecks.settings, ReachabilityChecks.milters,
        ReachabilityChecks.policies, PolicyChecks.services, SuiteChecks.results,
        RewritingChecks.afterSigning, RewritingChecks.received, DomainChecks.signed,
        SuiteChecks.configurations, SuiteChecks.shadows, SuiteChecks.keys, SuiteChecks.store,
        NeighbourChecks.dovecot,
        NeighbourChecks.trust, NeighbourChecks.system, NeighbourChecks.predecessors,
        NeighbourChecks.watchers, LiveChecks.units, LiveChecks.disk, LiveChecks.clock,
        ReportImportChecks.aliases, ReportImportChecks.service,
    ]

    private static let dnsChecks: [Check] = [
        SPFChecks.record, SPFChecks.ownAddresses, SPFChecks.helo, DKIMChecks.records,
        DMARCChecks.record, DMARCChecks.alignment, MailboxChecks.reports, MXChecks.exchangers,
        HostNameChecks.helo,
        HostNameChecks.pointers, AliasChecks.domain, AuthoritativeChecks.agreement,
        ResolverChecks.validation, ResolverChecks.blockLists, ResolverChecks.outwardPort,
        TLSChecks.reporting, TLSChecks.strictTransport, ServiceChecks.records,
    ]
}

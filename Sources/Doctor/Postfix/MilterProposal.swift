internal import PostfixConfiguration

/// The list of milters that a service should have: the one that it has, with everything mended that the list itself can mend.
///
/// It is made once for a list, so that all findings about it propose the same.
struct MilterProposal {
    private let chain: MilterChain
    /// The items.
    private let items: [String]
    /// What comes first: a list is taken away that should not be there at all, or waits for another program's configuration.
    private let first: Mend?

    /// Mends a list.
    ///
    /// - Parameters:
    ///   - chain: the list.
    ///   - host: the host.
    ///   - postfix: its Postfix.
    init(_ chain: MilterChain, _ host: HostView, _ postfix: PostfixView) {
        self.chain = chain
        first =
            MilterOverride(chain, postfix, host.suite)?.mend
            ?? Incumbents.migration(for: chain, host)
        let isChrooted = chain.isChrooted(postfix)
        func endpoint(_ item: String) -> MilterEndpoint {
            MilterEndpoint(item, isChrooted: isChrooted, postfix, host.suite)
        }
        // Of two settings both are meant.
        let isReplaced = chain.isOfMain && !postfix.main.replaced(chain.parameter).isEmpty
        let present =
            isReplaced
            ? ParameterChecks.allItems(of: chain.parameter, postfix).map(endpoint) : chain.milters
        var milters = present.map { milter in
            Reach(milter, isChrooted: isChrooted, host, postfix).betterAddress.map(endpoint)
                ?? milter
        }
        for name in ["dkim", "dmarc"] where Incumbents.isReady(name, host) {
            Self.replaceIncumbents(of: name, in: &milters, endpoint("unix:signet/\(name).sock"))
        }
        var seen: Set<String> = []
        milters = milters.filter { seen.insert($0.address).inserted }
        if chain.listener == nil { milters.removeAll { $0.isOurs("dmarc") } }
        for name in Self.missing(chain, host, postfix) {
            let own = endpoint("unix:signet/\(name).sock")
            milters.insert(own, at: milters.firstIndex { $0.rank > own.rank } ?? milters.endIndex)
        }
        if MilterChecks.disorder(milters, host) != nil {
            milters = milters.enumerated()
                .sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
                .map(\.element)
        }
        // Mail need not wait for what only compares.
        items = milters.map { Incumbents.onlyCompares($0, host) ? $0.item : $0.safeItem }
    }

    /// The list of main.cf for mail that comes by SMTP, whether a service has it or not.
    init(ofMain host: HostView, _ postfix: PostfixView) {
        let chains = MilterChain.all(postfix, host.suite)
        let used = chains.first { $0.isOfMain && $0.listener != nil }
        self.init(used ?? MilterChain(ofMain: postfix, host.suite), host, postfix)
    }

    /// What gives the service this list: a parameter of main.cf, or words for master.cf.
    var mend: Mend {
        if let first { return first }
        let list = items.joined(separator: ", ")
        return chain.isOfMain
            ? .parameter(chain.parameter, list)
            : .words(
                "in master.cf, for \(chain.subject), write -o { \(chain.parameter) = \(list) }")
    }

    /// Puts a daemon of ours in the place of the filters of others that do its work; where it is in the list, they go.
    private static func replaceIncumbents(
        of name: String, in milters: inout [MilterEndpoint], _ own: MilterEndpoint
    ) {
        func isIncumbent(_ milter: MilterEndpoint) -> Bool {
            Incumbents.successor(of: milter) == name
        }
        if !milters.contains(where: { $0.isOurs(name) }),
            let place = milters.firstIndex(where: isIncumbent)
        {
            milters[place] = own
        }
        milters.removeAll(where: isIncumbent)
    }

    /// The milters of ours that the list should have and has not.
    private static func missing(
        _ chain: MilterChain, _ host: HostView, _ postfix: PostfixView
    ) -> [String] {
        guard chain.isOfMain else { return [] }
        if chain.parameter == "smtpd_milters" { return UnusedMilters(host, postfix).names }
        let hasSigner = chain.milters.contains { $0.isOurs("dkim") || $0.role == .otherSigner }
        return host.signsHere && !hasSigner ? ["dkim"] : []
    }
}

extension HostView {
    /// Whether signet-dkim has been told of keys; as its package brings the configuration, it has none.
    var signsHere: Bool {
        guard signing.source == SignersView.configuration, let tree,
            let file = SuiteConfiguration("dkim", tree)
        else { return false }
        return file.isSet("SigningTable") || file.isSet("Domain") || !signing.domains.isEmpty
    }
}

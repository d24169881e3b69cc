internal import PostfixConfiguration

/// The list of milters that a service should have: the one that it has, with everything mended that the list itself can mend.
///
/// It is made once for a list, so that all findings about it propose the same.
struct MilterProposal {
    private let chain: MilterChain
    /// The items.
    private let items: [String]

    /// Mends a list.
    ///
    /// - Parameters:
    ///   - chain: the list.
    ///   - host: the host.
    ///   - postfix: its Postfix.
    init(_ chain: MilterChain, _ host: HostView, _ postfix: PostfixView) {
        self.chain = chain
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
        items = milters.map(\.item)
    }

    /// The list of main.cf for mail that comes by SMTP, whether a service has it or not.
    init(ofMain host: HostView, _ postfix: PostfixView) {
        let chains = MilterChain.all(postfix, host.suite)
        let used = chains.first { $0.isOfMain && $0.listener != nil }
        self.init(used ?? MilterChain(ofMain: postfix, host.suite), host, postfix)
    }

    /// What gives the service this list: a parameter of main.cf, or words for master.cf.
    var mend: Mend {
        let list = items.joined(separator: ", ")
        return chain.isOfMain
            ? .parameter(chain.parameter, list)
            : .words(
                "in master.cf, for \(chain.subject), write -o { \(chain.parameter) = \(list) }")
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
    /// Whether signet-dkim has keys.
    var signsHere: Bool { signing.source == SignersView.configuration }
}

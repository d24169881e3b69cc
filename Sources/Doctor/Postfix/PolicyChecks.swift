internal import PostfixConfiguration

/// Whether restrictions refuse those that they should, and nobody else.
enum PolicyChecks {
    /// Whether SPF is checked, and not of the domain's own users.
    static let services = Check.ofPostfix(
        "postfix.policy", fine: "policy services are asked about strangers", isInbound: true
    ) { host, postfix in
        let name = recipientParameter
        if lacksService(name, host, postfix) {
            let list = RestrictionList.ofMain(name, postfix)
            return [
                Diagnosis(
                    .policyAbsent, name, "signet-spf is in no list",
                    mend: RestrictionProposal(list, host, postfix).mend)
            ]
        }
        return PolicyUse.all(postfix, host.suite).filter(\.checksSPF)
            .compactMap { order($0, host, postfix) }
    }

    private static let recipientParameter = "smtpd_recipient_restrictions"

    /// Whether a list of main.cf is the one in which signet-spf should be and nobody checks SPF.
    static func lacksService(_ parameter: String, _ host: HostView, _ postfix: PostfixView) -> Bool
    {
        parameter == recipientParameter && host.isInstalled("spf") && !postfix.listeners.isEmpty
            && !PolicyUse.all(postfix, host.suite).contains(where: \.checksSPF)
            // That a later setting has replaced it is said by itself.
            && !postfix.main.replaced(parameter).contains { $0.value.contains("spf") }
    }

    /// A service that is asked about users before they are let through.
    private static func order(
        _ use: PolicyUse, _ host: HostView, _ postfix: PostfixView
    ) -> Diagnosis? {
        let before = use.list.items[..<use.place]
        let missing = use.list.permits.filter { !before.contains($0) }
        guard !missing.isEmpty else { return nil }
        return Diagnosis(
            .policyOrder, use.list.parameter,
            "\(use.endpoint.address) is asked before \(Shown.list(missing))",
            mend: RestrictionProposal(use.list, host, postfix).mend)
    }

    // MARK: Relaying

    /// The list that decides who may relay.
    static let relayParameter = "smtpd_relay_restrictions"

    /// Whether strangers can relay.
    static let relay = Check.ofPostfix("postfix.relay", fine: "strangers cannot relay") {
        host, postfix in
        if let world = worldwide(postfix) { return [world] }
        let lists = RestrictionList.all(postfix).filter { $0.parameter == relayParameter }
        guard let open = lists.first(where: { isOpen($0, postfix) }),
            let listener = listeners(open, postfix).first(where: isOpen)
        else { return [] }
        return [
            Diagnosis(
                .relayOpen, listener.service.key,
                "neither smtpd_relay_restrictions nor smtpd_recipient_restrictions refuses them",
                mend: RestrictionProposal(open, host, postfix).mend)
        ]
    }

    /// A network that has every address in it, which permit_mynetworks lets through.
    private static func worldwide(_ postfix: PostfixView) -> Diagnosis? {
        let name = "mynetworks"
        let networks = postfix.values.list(name)
        guard let world = networks.first(where: { $0.hasSuffix("/0") && !$0.hasPrefix("!") })
        else { return nil }
        let rest = networks.filter { !$0.hasSuffix("/0") }
        return Diagnosis(
            .relayOpen, name, "it has \(Shown.text(world)), which is everybody",
            mend: .parameter(
                name,
                rest.isEmpty
                    ? "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128" : rest.joined(separator: " ")))
    }

    /// Whether a service has a list for relaying that lets strangers, and nothing else that refuses them.
    static func isOpen(_ list: RestrictionList, _ postfix: PostfixView) -> Bool {
        listeners(list, postfix).contains(where: isOpen)
    }

    private static func isOpen(_ listener: PostfixView.Listener) -> Bool {
        ![relayParameter, recipientParameter].contains { refuses(listener.values.list($0)) }
    }

    private static func listeners(
        _ list: RestrictionList, _ postfix: PostfixView
    ) -> [PostfixView.Listener] {
        postfix.listeners.filter { listener in
            let isOwn = listener.service.option(list.parameter) != nil
            return list.owner.map { isOwn && $0 == listener.service.key } ?? !isOwn
        }
    }

    /// Whether restrictions refuse mail from strangers to strangers; behind "permit" nothing counts.
    static func refuses(_ items: [String]) -> Bool {
        let enough: Set<String> = [
            "reject_unauth_destination", "defer_unauth_destination", "reject", "defer",
            "defer_if_permit", "check_relay_domains",
        ]
        return items.prefix { $0 != "permit" }.contains { enough.contains($0) }
    }
}

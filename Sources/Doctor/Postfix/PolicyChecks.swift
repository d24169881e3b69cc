internal import PostfixConfiguration

/// A policy service in a list of restrictions.
struct PolicyUse {
    /// The list.
    let parameter: String
    /// All items of the list.
    let items: [String]
    /// Where the service's address stands in the list.
    let place: Int
    /// The service.
    let endpoint: MilterEndpoint
    /// Whether the asking service runs with the queue directory as its root.
    let isChrooted: Bool
    /// Whether users log in to the asking service.
    let takesLogins: Bool

    /// The service of master.cf whose own list it is; nil for that of main.cf.
    let owner: String?

    /// The lists that may ask policy services, in the order in which they are evaluated.
    static let parameters = [
        "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions",
        "smtpd_relay_restrictions", "smtpd_recipient_restrictions", "smtpd_data_restrictions",
        "smtpd_end_of_data_restrictions",
    ]

    /// All uses, each list once.
    static func all(_ postfix: PostfixView, _ suite: SuiteView) -> [PolicyUse] {
        var seen: Set<String> = []
        return postfix.listeners.flatMap { listener in
            parameters.flatMap { parameter -> [PolicyUse] in
                let items = listener.values.list(parameter)
                guard seen.insert("\(parameter) \(listener.isChrooted) \(items)").inserted else {
                    return []
                }
                let places = items.indices.dropFirst().filter {
                    items[$0 - 1] == "check_policy_service"
                }
                return places.map { place in
                    PolicyUse(
                        parameter: parameter, items: items, place: place,
                        endpoint: MilterEndpoint(
                            items[place], isChrooted: listener.isChrooted, postfix, suite),
                        isChrooted: listener.isChrooted,
                        takesLogins: listener.values.isYes("smtpd_sasl_auth_enable"),
                        owner: listener.service.option(parameter).map { _ in
                            listener.service.key
                        })
                }
            }
        }
    }

    /// The mend that gives the list other items: a parameter of main.cf, or words for master.cf.
    func mend(_ items: [String]) -> Mend {
        let list = PolicyChecks.joined(items)
        return owner.map {
            .words("in master.cf, for \($0), write -o { \(parameter) = \(list) }")
        } ?? .parameter(parameter, list)
    }

    /// The service of master.cf that spawn(8) or another program of Postfix serves it with; nil where it is none.
    var spawned: String? {
        let prefix = "unix:private/"
        return endpoint.address.hasPrefix(prefix)
            ? String(endpoint.address.dropFirst(prefix.count)) : nil
    }

    /// Whether it checks SPF: ours, or another one by its name.
    var checksSPF: Bool {
        endpoint.isOurs("spf") || endpoint.address.lowercased().contains("spf")
    }
}

/// Whether restrictions refuse those that they should, and nobody else.
enum PolicyChecks {
    /// Whether SPF is checked, and not of the domain's own users.
    static let services = Check.ofPostfix(
        "postfix.policy", fine: "policy services are asked about strangers", isInbound: true
    ) { host, postfix in
        let uses = PolicyUse.all(postfix, host.suite).filter(\.checksSPF)
        guard !uses.isEmpty else {
            guard host.isInstalled("spf"), !postfix.listeners.isEmpty else { return [] }
            let name = "smtpd_recipient_restrictions"
            // That a later setting has replaced it is said by itself.
            guard !postfix.main.replaced(name).contains(where: { $0.value.contains("spf") }) else {
                return []
            }
            var items = postfix.values.list(name)
            if items.isEmpty {
                items = [
                    "permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_destination",
                ]
            }
            let end = items.last == "permit" ? items.count - 1 : items.count
            items.insert(contentsOf: ["check_policy_service", "unix:signet/spf.sock"], at: end)
            return [
                Diagnosis(
                    .policyAbsent, name, "signet-spf is in no list",
                    mend: .parameter(name, PolicyChecks.joined(items)))
            ]
        }
        return uses.compactMap(order)
    }

    /// A service that is asked about users before they are let through.
    private static func order(_ use: PolicyUse) -> Diagnosis? {
        let before = use.items[..<use.place]
        var missing: [String] = []
        if !before.contains("permit_mynetworks") { missing.append("permit_mynetworks") }
        if use.takesLogins, !before.contains("permit_sasl_authenticated") {
            missing.append("permit_sasl_authenticated")
        }
        guard !missing.isEmpty else { return nil }
        let rest = use.items.enumerated().filter { index, item in
            !missing.contains(item) || index < use.place - 1
        }.map(\.element)
        return Diagnosis(
            .policyOrder, use.parameter,
            "\(use.endpoint.address) is asked before \(Shown.list(missing))",
            mend: use.mend(missing + rest))
    }

    /// Whether strangers can relay.
    static let relay = Check.ofPostfix("postfix.relay", fine: "strangers cannot relay") {
        _, postfix in
        let enough: Set<String> = [
            "reject_unauth_destination", "defer_unauth_destination", "reject", "defer",
            "defer_if_permit", "check_relay_domains",
        ]
        let open = postfix.listeners.first { listener in
            ["smtpd_relay_restrictions", "smtpd_recipient_restrictions"].allSatisfy { name in
                !listener.values.list(name).contains { enough.contains($0) }
            }
        }
        guard let open else { return [] }
        return [
            Diagnosis(
                .relayOpen, open.service.key,
                "neither smtpd_relay_restrictions nor smtpd_recipient_restrictions refuses them",
                mend: .parameter(
                    "smtpd_relay_restrictions",
                    "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"))
        ]
    }

    /// Items as main.cf has them: a restriction and its argument with a blank, others with commas.
    static func joined(_ items: [String]) -> String {
        var text = ""
        for item in items {
            if text.isEmpty {
                text = item
            } else {
                let last = text.split(separator: " ").last ?? ""
                let takesArgument = last.hasPrefix("check_") && !last.contains(",")
                text += (takesArgument ? " " : ", ") + item
            }
        }
        return text
    }
}

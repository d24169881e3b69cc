internal import PostfixConfiguration

/// A policy service in a list of restrictions.
struct PolicyUse {
    /// The list.
    let list: RestrictionList
    /// Where the service's address stands in the list.
    let place: Int
    /// The service.
    let endpoint: MilterEndpoint

    /// Whether the asking service runs with the queue directory as its root.
    var isChrooted: Bool { list.isChrooted }

    /// All uses, each list once.
    static func all(_ postfix: PostfixView, _ suite: SuiteView) -> [PolicyUse] {
        RestrictionList.all(postfix).flatMap { all($0, postfix, suite) }
    }

    /// The uses in a list.
    static func all(
        _ list: RestrictionList, _ postfix: PostfixView, _ suite: SuiteView
    ) -> [PolicyUse] {
        list.items.indices.dropFirst().filter { list.items[$0 - 1] == "check_policy_service" }
            .map { PolicyUse(list, place: $0, of: list.items, postfix, suite) }
    }

    /// Looks at the service that an item of a list names.
    init(
        _ list: RestrictionList, place: Int, of items: [String], _ postfix: PostfixView,
        _ suite: SuiteView
    ) {
        (self.list, self.place) = (list, place)
        endpoint = MilterEndpoint(items[place], isChrooted: list.isChrooted, postfix, suite)
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

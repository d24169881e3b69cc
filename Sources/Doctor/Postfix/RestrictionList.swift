internal import PostfixConfiguration

/// A list of restrictions as services have it.
struct RestrictionList {
    /// The parameter.
    let parameter: String
    /// The items, arguments apart from the restrictions that they belong to.
    let items: [String]
    /// Whether the services run with the queue directory as their root.
    let isChrooted: Bool
    /// Whether users log in to one of them.
    let takesLogins: Bool
    /// The service of master.cf whose own list it is; nil for that of main.cf.
    let owner: String?

    /// The lists that may ask policy services, in the order in which they are evaluated.
    static let parameters = [
        "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions",
        "smtpd_relay_restrictions", "smtpd_recipient_restrictions", "smtpd_data_restrictions",
        "smtpd_end_of_data_restrictions",
    ]

    /// All lists: that of main.cf once for each parameter, and those that master.cf sets for services.
    static func all(_ postfix: PostfixView) -> [RestrictionList] {
        let listeners = postfix.listeners
        return parameters.flatMap { parameter -> [RestrictionList] in
            let own = listeners.filter { $0.service.option(parameter) != nil }
            let common = listeners.filter { $0.service.option(parameter) == nil }
            return (common.isEmpty ? [] : [RestrictionList(parameter, common, nil)])
                + own.map { RestrictionList(parameter, [$0], $0.service.key) }
        }
    }

    /// The list of main.cf, whether a service has it or not.
    static func ofMain(_ parameter: String, _ postfix: PostfixView) -> RestrictionList {
        all(postfix).first { $0.parameter == parameter && $0.isOfMain }
            ?? RestrictionList(
                parameter: parameter, items: postfix.values.list(parameter), isChrooted: true,
                takesLogins: false, owner: nil)
    }

    /// Whether the list is that of main.cf.
    var isOfMain: Bool { owner == nil }

    /// What lets through those whose addresses prove nothing: the host's networks, and users who have logged in.
    var permits: [String] {
        ["permit_mynetworks"] + (takesLogins ? ["permit_sasl_authenticated"] : [])
    }
}

extension RestrictionList {
    private init(_ parameter: String, _ listeners: [PostfixView.Listener], _ owner: String?) {
        self.init(
            parameter: parameter, items: listeners.first?.values.list(parameter) ?? [],
            isChrooted: listeners.contains(where: \.isChrooted),
            takesLogins: listeners.contains { $0.values.isYes("smtpd_sasl_auth_enable") },
            owner: owner)
    }
}

internal import Configuration
internal import PostfixConfiguration

/// A milter or policy service as Postfix names it, and where that leads.
struct MilterEndpoint {
    /// What it is.
    enum Role: Hashable {
        /// One of ours: `dkim`, `dmarc`, `scrub` or `spf`.
        case ours(String)
        /// Another program's DKIM filter.
        case otherSigner
        /// Another program's DMARC filter.
        case otherDMARC
        /// Anything else.
        case other
    }

    /// The item as it stands in the list.
    let item: String
    /// The address, such as `unix:signet/dkim.sock`.
    let address: String
    /// The settings in braces beside it.
    let settings: [(name: String, value: String)]
    /// The socket's path on the host, as the service finds it; nil for TCP.
    let path: String?
    /// The path that is written, where that is absolute.
    let absolute: String?
    /// What it is.
    let role: Role

    /// Finds out where an item leads.
    init(_ item: String, isChrooted: Bool, _ postfix: PostfixView, _ suite: SuiteView) {
        self.item = item
        let endpoint = PostfixList.endpoint(item)
        address = endpoint.address
        settings = endpoint.settings
        let parts = address.split(separator: ":", maxSplits: 1).map(String.init)
        let isUnix = parts.count == 2 && (parts[0] == "unix" || parts[0] == "local")
        if isUnix {
            let isAbsolute = parts[1].hasPrefix("/")
            absolute = isAbsolute ? parts[1] : nil
            path =
                isAbsolute && !isChrooted
                ? parts[1]
                : "\(postfix.queueDirectory)\(isAbsolute ? "" : "/")\(parts[1])"
        } else {
            (path, absolute) = (nil, nil)
        }
        let places = [path, absolute].compactMap(\.self)
        if let name = places.lazy.compactMap(suite.daemon).first {
            role = .ours(name)
        } else if MilterLists.isDMARC(address) || Self.hasPort(address, Self.portsOfDMARC) {
            role = .otherDMARC
        } else if MilterLists.isSigner(address) || Self.hasPort(address, Self.portsOfSigners) {
            role = .otherSigner
        } else {
            role = .other
        }
    }

    /// The ports that guides give OpenDKIM, dkimpy-milter and OpenDMARC, beside their usual ones.
    private static let (portsOfSigners, portsOfDMARC) = (["8892", "12145", "12301"], ["54321"])

    private static func hasPort(_ address: String, _ ports: [String]) -> Bool {
        address.hasPrefix("inet") && ports.contains { address.hasSuffix(":\($0)") }
    }

    /// Whether it is one of ours.
    func isOurs(_ name: String) -> Bool { role == .ours(name) }

    /// What the braces say is to happen while it is away; nil where they do not.
    var defaultAction: String? { settings.last { $0.name == "default_action" }?.value }

    /// The item without what lets mail pass, or refuses it for good, while the filter is away.
    var safeItem: String {
        guard let defaultAction, MilterChecks.action(defaultAction) != nil else { return item }
        let others = settings.filter { $0.name != "default_action" }.map { setting in
            setting.value.contains { " ,\t".contains($0) }
                ? "{\(setting.name) = \(setting.value)}" : "\(setting.name)=\(setting.value)"
        }
        return others.isEmpty ? address : "{ \(([address] + others).joined(separator: ", ")) }"
    }

    /// Where it belongs in a list: what changes mail first, then signers, then what judges.
    var rank: Int {
        switch role {
        case .ours("scrub"): 0
        case .other: 1
        case .ours("dkim"), .otherSigner: 2
        default: 3
        }
    }
}

/// A list of milters, and the service that it is for.
struct MilterChain {
    /// The parameter.
    let parameter: String
    /// What the list is of: `main.cf`, or a service.
    let subject: String
    /// The service, where it is one that takes mail by SMTP.
    let listener: PostfixView.Listener?
    /// The values that hold.
    let values: ParameterValues
    /// The milters, in order.
    let milters: [MilterEndpoint]
    /// Whether the list is that of main.cf.
    let isOfMain: Bool

    /// All lists: of each service that takes mail by SMTP, then that for other mail.
    static func all(_ postfix: PostfixView, _ suite: SuiteView) -> [MilterChain] {
        let smtpd = postfix.listeners.map { listener in
            let name = "smtpd_milters"
            let isOption = listener.service.option(name) != nil
            return MilterChain(
                name, isOption ? listener.service.key : name, listener, listener.values,
                listener.values.list(name).map {
                    MilterEndpoint($0, isChrooted: listener.isChrooted, postfix, suite)
                }, isOfMain: !isOption)
        }
        let other = "non_smtpd_milters"
        let isChrooted = postfix.isCleanupChrooted
        return smtpd + [
            MilterChain(
                other, other, nil, postfix.values,
                postfix.values.list(other).map {
                    MilterEndpoint($0, isChrooted: isChrooted, postfix, suite)
                }, isOfMain: true)
        ]
    }

    /// The list of main.cf, which each service may replace by one of its own.
    init(ofMain postfix: PostfixView, _ suite: SuiteView) {
        parameter = "smtpd_milters"
        subject = parameter
        listener = nil
        values = postfix.values
        milters = postfix.values.list(parameter).map {
            MilterEndpoint($0, isChrooted: true, postfix, suite)
        }
        isOfMain = true
    }

    private init(
        _ parameter: String, _ subject: String, _ listener: PostfixView.Listener?,
        _ values: ParameterValues, _ milters: [MilterEndpoint], isOfMain: Bool
    ) {
        (self.parameter, self.subject, self.listener) = (parameter, subject, listener)
        (self.values, self.milters, self.isOfMain) = (values, milters, isOfMain)
    }

    /// Whether the services that use it run with the queue directory as their root.
    func isChrooted(_ postfix: PostfixView) -> Bool {
        listener?.isChrooted ?? (parameter == "smtpd_milters" || postfix.isCleanupChrooted)
    }

    /// Whether one of ours is in it.
    func has(_ name: String) -> Bool { milters.contains { $0.isOurs(name) } }
}

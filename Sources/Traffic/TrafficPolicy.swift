public import Configuration

/// Decides from the client whether a message is ours, to sign or to scrub (opendkim(8), OPERATION).
///
/// Pure: it is told the client's facts and the macros, and answers with a decision and its reason. Immutable, and a class, so
/// that a question counts no reference of the many in it.
public final class TrafficPolicy: Sendable {
    /// Clients whose mail passes untouched.
    public let peers: PeerSet
    /// Clients whose mail is ours.
    public let internalHosts: PeerSet
    /// Names of listeners whose mail is ours; nil where the listener does not count.
    public let listeners: DataSet?
    /// Macros that mark mail as ours.
    public let macrosOfOurs: [MacroCondition]
    /// Macros that mark mail as foreign.
    public let macrosOfOthers: [MacroCondition]
    /// The macros that the decision depends on, without braces, each once.
    public let macroNames: [String]

    /// Makes a policy; left out parts match nobody.
    public init(
        peers: PeerSet = PeerSet(), internalHosts: PeerSet = PeerSet(), listeners: DataSet? = nil,
        macrosOfOurs: [MacroCondition] = [], macrosOfOthers: [MacroCondition] = []
    ) {
        self.peers = peers
        self.internalHosts = internalHosts
        self.listeners = listeners
        self.macrosOfOurs = macrosOfOurs
        self.macrosOfOthers = macrosOfOthers
        macroNames = Set((macrosOfOurs + macrosOfOthers).map(\.name)).sorted()
    }

    /// Whose mail it is, with the reason in the words of the log.
    public enum Decision: Equatable, Sendable {
        /// Passes untouched.
        case peer
        /// Ours: submitted by one of our users or hosts.
        case ours(Reason)
        /// From outside.
        case foreign(ForeignReason)
    }

    /// What made a message ours.
    public enum Reason: String, Sendable {
        /// InternalHosts names the client.
        case internalHost = "internal host"
        /// The client has logged in.
        case authenticated = "authenticated"
        /// MTA names the listener.
        case listener = "MTA name"
        /// MacroList names a macro that is set.
        case macro = "MacroList"
    }

    /// What made a message foreign.
    public enum ForeignReason: Sendable {
        /// Nothing makes it ours.
        case notInternal
        /// MacroListVerify names a macro that is set.
        case macro
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - client: what is known of the SMTP client.
    ///   - macro: looks up an MTA macro by its name without braces.
    /// - Returns: whose mail it is, and why.
    public func decide(_ client: Client, macro: (String) -> String?) -> Decision {
        if peers.contains(hostName: client.hostName, address: client.address) { return .peer }
        if macrosOfOthers.contains(where: { $0.holds(macro) }) { return .foreign(.macro) }
        // Postfix leaves the macro out, and other MTAs may leave it empty, for strangers.
        if let type = client.authenticationType, !type.isEmpty { return .ours(.authenticated) }
        if internalHosts.contains(hostName: client.hostName, address: client.address) {
            return .ours(.internalHost)
        }
        if let name = client.daemonName, let listeners, listeners.contains(name) {
            return .ours(.listener)
        }
        if macrosOfOurs.contains(where: { $0.holds(macro) }) { return .ours(.macro) }
        return .foreign(.notInternal)
    }
}

extension TrafficPolicy.Decision {
    /// How it was come to, in the words that the log has always used.
    public func steps(for client: Client) -> [String] {
        switch self {
        case .peer: ["\(client.description) is a peer"]
        case .ours(let reason): ["mail of ours: \(reason.rawValue)"]
        case .foreign(.macro): ["mail from outside: MacroListVerify"]
        case .foreign(.notInternal): ["\(client.description) not internal", "not authenticated"]
        }
    }
}

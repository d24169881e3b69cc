import DaemonKit

/// Decides from the client whether a message is ours to sign (opendkim(8), OPERATION).
///
/// Pure: it is told the client's facts and the macros, and answers with a decision and its reason.
struct TrafficPolicy: Sendable {
    /// Clients whose mail passes untouched.
    var peers = PeerSet()
    /// Clients whose mail is ours.
    var internalHosts = PeerSet()
    /// Names of listeners whose mail is ours; nil where the listener does not count.
    var listeners: DataSet?
    /// Macros that mark mail as ours.
    var macrosOfOurs: [MacroCondition] = []
    /// Macros that mark mail as foreign.
    var macrosOfOthers: [MacroCondition] = []

    /// The macros that the decision depends on, without braces, each once.
    var macroNames: [String] {
        Set((macrosOfOurs + macrosOfOthers).map(\.name)).sorted()
    }

    /// Whose mail it is, with the reason in the words of the log.
    enum Decision: Equatable, Sendable {
        /// Passes untouched.
        case peer
        /// Ours: signed where a key fits.
        case ours(Reason)
        /// From outside: verified.
        case foreign(ForeignReason)
    }

    /// What made a message ours.
    enum Reason: String, Sendable {
        case internalHost = "internal host"
        case authenticated = "authenticated"
        case listener = "MTA name"
        case macro = "MacroList"
    }

    /// What made a message foreign.
    enum ForeignReason: Sendable {
        /// Nothing makes it ours.
        case notInternal
        /// MacroListVerify says so.
        case macro
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - client: what is known of the SMTP client.
    ///   - macro: looks up an MTA macro by its name without braces.
    /// - Returns: whose mail it is, and why.
    func decide(_ client: Client, macro: (String) -> String?) -> Decision {
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
    func steps(for client: Client) -> [String] {
        switch self {
        case .peer: ["\(client.description) is a peer"]
        case .ours(let reason): ["mail of ours: \(reason.rawValue)"]
        case .foreign(.macro): ["mail from outside: MacroListVerify"]
        case .foreign(.notInternal): ["\(client.description) not internal", "not authenticated"]
        }
    }
}

/// One entry of MacroList: the macro must be set, and where values are listed, to one of them.
struct MacroCondition: Equatable, Sendable {
    /// The macro's name without braces.
    let name: String
    /// The values of which it must have one, compared with case; empty for any.
    let values: [String]

    /// Whether the MTA's macro fits.
    func holds(_ macro: (String) -> String?) -> Bool {
        guard let value = macro(name) else { return false }
        return values.isEmpty || values.contains(value)
    }
}

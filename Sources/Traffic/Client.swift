public import MailSyntax

/// Who sends: what a milter connection tells of the SMTP client before the first header field.
public struct Client: Sendable {
    /// The client's host name as the MTA gives it, `[address]` or `unknown` where it has none.
    public var hostName = ""
    /// Its address; nil over a Unix socket and where the MTA knows none.
    public var address: IPAddress?
    /// The listener's name, remembered from CONNECT: later events carry main.cf's instead.
    public var daemonName: String?
    /// The SASL mechanism, or `XCLIENT`; present only for authenticated sessions.
    public var authenticationType: String?

    /// A client of which nothing is known.
    public init() {}

    /// The form that the log has always used: `host.example [192.0.2.1]`.
    public var description: String {
        guard let address else { return hostName.isEmpty ? "local client" : hostName }
        let name = hostName.isEmpty || hostName.hasPrefix("[") ? "unknown" : hostName
        return "\(name) [\(address)]"
    }
}

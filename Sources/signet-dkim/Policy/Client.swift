import MailSyntax

/// Who sends: what a milter connection tells of the SMTP client before the first header field.
struct Client: Sendable {
    /// The client's host name as the MTA gives it, `[address]` or `unknown` where it has none.
    var hostName = ""
    /// Its address; nil over a Unix socket and where the MTA knows none.
    var address: IPAddress?
    /// The listener's name, remembered from CONNECT: later events carry main.cf's instead.
    var daemonName: String?
    /// The SASL mechanism, or `XCLIENT`; present only for authenticated sessions.
    var authenticationType: String?

    /// The form that the log has always used: `host.example [192.0.2.1]`.
    var description: String {
        guard let address else { return hostName.isEmpty ? "local client" : hostName }
        let name = hostName.isEmpty || hostName.hasPrefix("[") ? "unknown" : hostName
        return "\(name) [\(address)]"
    }
}

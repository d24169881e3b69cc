internal import PostfixConfiguration

/// Where the mail of users comes in.
struct Topology {
    private let facts: HostFacts

    init(_ facts: HostFacts) { self.facts = facts }

    /// Whether users hand in their mail at a listener: by its name or port, or since they log in there only.
    func isSubmission(_ service: MasterService) -> Bool {
        guard service.type == "inet", service.command == "smtpd" else { return false }
        let port = service.name.split(separator: ":").last.map(String.init) ?? ""
        if ["submission", "submissions", "smtps", "587", "465"].contains(port) { return true }
        if isRelayOfDovecot(service) { return true }
        return service.option("smtpd_sasl_auth_enable")?.value == "yes" && port != "smtp"
            && port != "25"
    }

    /// The submission services.
    func submissions(_ master: MasterConfiguration) -> [MasterService] {
        master.services.filter(isSubmission)
    }

    /// Whether a listener is where Dovecot hands over the mail that it takes from users.
    func isRelayOfDovecot(_ service: MasterService) -> Bool {
        guard let dovecot = facts.dovecot, dovecot.staysHere, service.type == "inet" else {
            return false
        }
        let port = service.name.split(separator: ":").last.map(String.init) ?? ""
        return port == "\(dovecot.relayPort)" && dovecot.relayPort != 25
    }

    /// Whether Dovecot hands mail over to the listener that mail from outside comes in at, without saying who sent it.
    var sharesPort25WithDovecot: Bool {
        guard let dovecot = facts.dovecot else { return false }
        return dovecot.staysHere && dovecot.relayPort == 25 && !dovecot.isTrusted
    }
}

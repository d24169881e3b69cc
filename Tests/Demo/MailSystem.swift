import TestKit

/// Two private mail hosts on loopback: example.org, where Ann sends, and example.net, where Bob reads.
struct MailSystem {
    /// The keys of example.org.
    let keys: SigningKeys
    /// A name server that knows both domains.
    let nameServer: NSDServer
    /// example.org's Dovecot, where Ann submits with her password.
    let submission: DovecotInstance
    /// example.org's Postfix, which signs.
    let sender: PostfixInstance
    /// signet-scrub behind it, before the signer.
    let scrubber: DaemonProcess
    /// signet-dkim behind it.
    let signer: DaemonProcess
    /// example.net's Postfix, which verifies.
    let receiver: PostfixInstance
    /// signet-spf, which it asks before it takes a recipient.
    let gatekeeper: DaemonProcess
    /// signet-dkim behind it.
    let verifier: DaemonProcess
    /// signet-dmarc behind it, the last of its milters.
    private(set) var guardian: DaemonProcess
    private let guardianConfiguration: String
    /// example.net's Dovecot, where Bob's mail is kept.
    let mailbox: DovecotInstance

    /// Where example.org's mail comes from: an address that is not this host's own, as far as the daemons are told.
    static let senderAddress = "127.0.0.25"

    /// Starts all of it, from the receiving end to the sending.
    init() throws {
        keys = try SigningKeys(domain: "example.org", owner: "nobody")
        nameServer = try NSDServer(
            keys.zone + """
                example.org. IN TXT "v=spf1 ip4:\(Self.senderAddress) -all"
                _dmarc.example.org. IN TXT "v=DMARC1; p=reject"
                evil.example. IN TXT "v=spf1 ip4:203.0.113.0/24 -all"
                """)
        let common = """
            Nameservers \(nameServer.nameserver)
            UserID nobody
            SyslogSuccess yes
            LogResults yes

            """

        let mailbox = try DovecotInstance {
            $0.users = ["bob@example.net": "secret"]
            $0.hostName = "imap.example.net"
        }
        self.mailbox = mailbox
        let receiver = try PostfixInstance {
            $0.hostName = "mx.example.net"
            $0.settings["virtual_mailbox_domains"] = "example.net"
            $0.settings["relay_domains"] = ""
            $0.settings["virtual_transport"] = "lmtp:inet:127.0.0.1:\(mailbox.lmtpPort)"
            $0.settings["smtpd_recipient_restrictions"] =
                "reject_unauth_destination, check_policy_service unix:signet/spf.sock"
            $0.settings["smtpd_milters"] = "unix:signet/dkim.sock, unix:signet/dmarc.sock"
        }
        self.receiver = receiver
        gatekeeper = try DaemonProcess(
            "signet-spf",
            configuration: """
                Nameservers \(nameServer.nameserver)
                UserID nobody
                skip_addresses 127.0.0.1
                Socket unix:\(receiver.socketPath("spf"))

                """)
        verifier = try DaemonProcess(
            "signet-dkim",
            configuration: """
                Mode v
                Socket unix:\(receiver.socketPath("dkim"))

                """ + common)

        guardianConfiguration = """
            RejectFailures yes
            IgnoreHosts 127.0.0.1
            ReportStore none
            Nameservers \(nameServer.nameserver)
            UserID nobody
            SyslogSuccess yes
            Socket unix:\(receiver.socketPath("dmarc"))

            """
        guardian = try DaemonProcess("signet-dmarc", configuration: guardianConfiguration)

        let relayPort = try receiver.port()
        let sender = try PostfixInstance {
            $0.hostName = "mx.example.org"
            $0.relayPort = relayPort
            $0.settings["smtp_bind_address"] = Self.senderAddress
            $0.settings["smtpd_milters"] = "unix:signet/scrub.sock, unix:signet/dkim.sock"
            $0.settings["non_smtpd_milters"] = "unix:signet/dkim.sock"
        }
        self.sender = sender
        scrubber = try DaemonProcess(
            "signet-scrub",
            configuration: """
                InternalHosts 127.0.0.1
                UserID nobody
                SyslogSuccess yes
                Socket unix:\(sender.socketPath("scrub"))

                """)
        signer = try DaemonProcess(
            "signet-dkim",
            configuration: keys.directives + """
                Canonicalization relaxed/relaxed
                Socket unix:\(sender.socketPath("dkim"))

                """ + common)
        let submissionRelayPort = try sender.port()
        submission = try DovecotInstance {
            $0.users = ["ann@example.org": "secret"]
            $0.hostName = "mail.example.org"
            $0.submissionRelayPort = submissionRelayPort
        }
    }

    /// Starts signet-dmarc again.
    mutating func startGuardian() throws {
        guardian = try DaemonProcess(
            "signet-dmarc", configuration: guardianConfiguration, directory: guardian.directory)
    }

    /// The daemons with their names, in the order in which Ann's message meets them.
    var daemons: KeyValuePairs<String, DaemonProcess> {
        [
            "signet-scrub of example.org": scrubber, "signet-dkim of example.org": signer,
            "signet-spf of example.net": gatekeeper, "signet-dkim of example.net": verifier,
            "signet-dmarc of example.net": guardian,
        ]
    }
}

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
    let guardian: DaemonProcess
    /// example.net's Dovecot, where Bob's mail is kept.
    let mailbox: DovecotInstance

    /// Starts all of it, from the receiving end to the sending.
    init() throws {
        keys = try SigningKeys(domain: "example.org", owner: "nobody")
        nameServer = try NSDServer(
            keys.zone + """
                example.org. IN TXT "v=spf1 ip4:192.0.2.1 -all"
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
                Socket unix:\(receiver.socketPath("spf"))

                """)
        verifier = try DaemonProcess(
            "signet-dkim",
            configuration: """
                Mode v
                Socket unix:\(receiver.socketPath("dkim"))

                """ + common)

        guardian = try DaemonProcess(
            "signet-dmarc",
            configuration: """
                RejectFailures yes
                ReportStore none
                Nameservers \(nameServer.nameserver)
                UserID nobody
                SyslogSuccess yes
                Socket unix:\(receiver.socketPath("dmarc"))

                """)

        let relayPort = try receiver.port()
        let sender = try PostfixInstance {
            $0.hostName = "mx.example.org"
            $0.relayPort = relayPort
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
}

import TestKit

/// A mail host with users whom signet-scrub protects, set up as one of the examples says, and the world outside it.
final class ScrubHost {
    let topology: ScrubTopology
    let sink: SMTPSink
    let postfix: PostfixInstance
    private let keys: SigningKeys
    private let certificate: TemporaryDirectory
    private var dovecot: DovecotInstance?
    private var daemons: [DaemonProcess] = []

    /// What only the sender's client knows, and nobody else should.
    enum Planted {
        static let address = "127.77.66.55"
        static let helo = "planted-helo.lan"
        static let login = "planted-login@example.org"
        static let cipher = "ECDHE-RSA-CHACHA20-POLY1305"
        static let program = "Planted-Mailer/1.0"
        static let script = "planted.php"
    }

    /// Starts everything that the example consists of; without Signet, all of it but Signet.
    ///
    /// `root` has the Postfix that runs, where it is not the machine's.
    init(_ name: String, withSignet: Bool = true, root: DebianRoot? = nil) throws {
        topology = ScrubTopology(name: name)
        let sink = try SMTPSink()
        self.sink = sink
        keys = try SigningKeys()
        certificate = try Self.makeCertificate()
        var configuration = PostfixConfiguration()
        configuration.relayPort = sink.port
        configuration.root = root
        // Everything that Postfix can tell about a client stands in its Received field.
        configuration.settings["smtpd_tls_received_header"] = "yes"
        configuration.settings["smtpd_sasl_authenticated_header"] = "yes"
        configuration.settings["smtpd_tls_security_level"] = "may"
        configuration.settings["smtpd_tls_cert_file"] = certificate.file("cert.pem")
        configuration.settings["smtpd_tls_key_file"] = certificate.file("key.pem")
        // There are no names of loopback addresses to be waited for.
        configuration.settings["smtpd_peername_lookup"] = "no"
        // Mail to this domain bounces, after it was taken.
        configuration.settings["smtpd_reject_unlisted_recipient"] = "no"
        configuration.settings["transport_maps"] =
            "inline:{{ refused.example = error:5.1.1 nobody of that name }}"
        topology.apply(to: &configuration, withSignet: withSignet)
        postfix = try PostfixInstance(configuration)
        try postfix.directory.write(ScrubTopology.headerChecks, to: "etc/scrub_header_checks")
        if withSignet { try startDaemons() }
        try postfix.start()
        dovecot = try name == "local" ? nil : startDovecot()
    }

    private func startDaemons() throws {
        let rules = topology.text("scrub.conf") ?? ""
        daemons.append(
            try DaemonProcess(
                "signet-scrub",
                configuration: "\(rules)\nSyslogSuccess yes\n"
                    + "Socket unix:\(postfix.socketPath("scrub"))\n"))
        daemons.append(
            try DaemonProcess(
                "signet-dkim",
                configuration: keys.directives
                    + "MTA SUBMISSION\nMode s\nSocket unix:\(postfix.socketPath("dkim"))\n"))
    }

    private func startDovecot() throws -> DovecotInstance {
        let relay = try postfix.port(topology.listener)
        return try DovecotInstance { configuration in
            configuration.users = [Planted.login: "secret"]
            if let isTrusted = self.topology.dovecotIsTrusted {
                configuration.submissionRelayPort = relay
                configuration.isRelayTrusted = isTrusted
            }
            configuration.certificate = (
                self.certificate.file("cert.pem"), self.certificate.file("key.pem")
            )
            configuration.extra =
                self.topology.dovecotConfiguration(self.postfix, relayPort: relay) + "\n"
        }
    }

    /// What the daemons have logged.
    var log: String { daemons.flatMap(\.log).joined(separator: "\n") + "\n" + postfix.log }

    // MARK: Mail

    /// The message that users write, with their client's marks in its header section.
    static let message = """
        Received: from \(Planted.helo) (\(Planted.helo) [\(Planted.address)])
        \tby laptop.lan with SMTP; Mon, 1 Jun 2026 14:00:00 +0200
        From: Ann <ann@example.org>
        To: bob@example.com
        Subject: planted
        Date: Mon, 1 Jun 2026 12:00:00 +0000
        Message-ID: <1@example.org>
        X-Originating-IP: [\(Planted.address)]
        X-Mailer: \(Planted.program)
        X-PHP-Originating-Script: 1000:\(Planted.script)

        The body stays as it is.

        """

    /// Submits the message as a mail program does: STARTTLS, login, from an address of its own.
    func submit(to recipient: String = "bob@example.com", message: String = message) throws {
        let port: UInt16 =
            if let dovecot, topology.dovecotIsTrusted != nil { dovecot.submissionPort } else {
                try postfix.port(topology.listener)
            }
        let directory = try TemporaryDirectory("signet-submit")
        let path = try directory.write(message, to: "message")
        let script = try directory.write(Self.client, to: "client.py")
        try Command.require(
            "/usr/bin/python3",
            [
                script, "\(port)", Planted.address, Planted.helo, Planted.login, Planted.cipher,
                recipient, path,
            ])
    }

    private static let client = """
        import smtplib, ssl, sys
        port, address, helo, login, cipher, recipient, path = sys.argv[1:]
        context = ssl._create_unverified_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(cipher)
        client = smtplib.SMTP("127.0.0.1", int(port), helo, source_address=(address, 0))
        client.starttls(context=context)
        client.login(login, "secret")
        client.sendmail("ann@example.org", [recipient], open(path, "rb").read())
        client.quit()
        """

    /// Submits the message with sendmail(1).
    func submitLocally(
        from sender: String = "ann@example.org", to recipient: String = "bob@example.com"
    ) throws {
        try postfix.sendmail(["-f", sender, recipient], Array(Self.message.utf8))
    }

    /// The message as it arrived, with its header section alone as text.
    func delivered() throws -> (message: SMTPSink.Message, header: String) {
        let message = try sink.waitForMessage(containing: "Subject: planted")
        return (message, message.fields.joined(separator: "\r\n"))
    }

    /// Whether every verifier finds the signatures good.
    func signaturesAreGood(_ message: SMTPSink.Message) throws -> Bool {
        try DKIMPeer.allCases.allSatisfy {
            Set(try $0.verify(message.bytes, records: keys.records)) == keys.goodVerdicts
        }
    }

    private static func makeCertificate() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory("signet-tls")
        try Command.require(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=mx.example.org", "-keyout", directory.file("key.pem"), "-out",
                directory.file("cert.pem"),
            ])
        return directory
    }
}

/// What a private Postfix is to be: the settings on top of a stock Debian one.
public struct PostfixConfiguration: Sendable {
    /// An SMTP listener of its own, as a line of master.cf makes one.
    public struct Listener: Sendable {
        /// What a test calls it; Postfix logs it as `postfix/NAME/smtpd`.
        public let name: String
        /// The `-o` settings of its line.
        public var overrides: [String: String]

        /// A listener called `name` with the `-o` settings `overrides`.
        public init(_ name: String, _ overrides: [String: String] = [:]) {
            self.name = name
            self.overrides = overrides
        }
    }

    /// `myhostname`, which is also `mydomain`'s host.
    public var hostName = "mx.example.org"
    /// The SMTP listeners, each on a free port of 127.0.0.1.
    public var listeners = [Listener("smtp")]
    /// The port on loopback where all outgoing mail goes, that of an ``SMTPSink`` say.
    public var relayPort: UInt16?
    /// Whether smtpd and cleanup run chrooted in the queue directory, as Debian installs them.
    public var isChrooted = true
    /// The release whose Postfix runs; nil for the machine's own.
    ///
    /// Only SMTP and the log work with another.
    public var root: DebianRoot?
    /// Settings of main.cf, over the test kit's own.
    public var settings: [String: String] = [:]
    /// Whole lines for the end of master.cf, for services beyond the listeners.
    public var services: [String] = []

    /// A receiving and relaying host with one listener.
    public init() {}

    /// A listener with the usual lines of a submission service, relying on Dovecot for passwords.
    ///
    /// `authentication` is Dovecot's socket for Postfix, relative to the queue directory.
    public static func submission(authentication: String = "private/auth") -> Listener {
        Listener(
            "submission",
            [
                "smtpd_sasl_auth_enable": "yes",
                "smtpd_sasl_type": "dovecot",
                "smtpd_sasl_path": authentication,
                "smtpd_tls_auth_only": "no",
                "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
                "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
                "milter_macro_daemon_name": "ORIGINATING",
            ])
    }

    func mainCF(directory: String) -> String {
        let domain = hostName.split(separator: ".", maxSplits: 1).last.map(String.init) ?? hostName
        var all: [String: String] = [
            "compatibility_level": "3.6",
            "queue_directory": "\(directory)/queue",
            "data_directory": "\(directory)/data",
            "maillog_file": "\(directory)/log/mail.log",
            "maillog_file_prefixes": "\(directory)/log",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": hostName,
            "mydomain": domain,
            "myorigin": "$mydomain",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "relay_domains": "$mydomain",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "relayhost": relayPort.map { "[127.0.0.1]:\($0)" } ?? "",
            // Tests play the outside world: XCLIENT says where a client is.
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
            "smtpd_tls_security_level": "none",
            "smtp_tls_security_level": "none",
            "smtp_dns_support_level": "disabled",
            "disable_vrfy_command": "no",
            "biff": "no",
            "append_dot_mydomain": "no",
            "notify_classes": "",
            // A deferred message is tried again within a test's patience.
            "queue_run_delay": "2s",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "4s",
            // A client's faults must not slow a test down.
            "smtpd_error_sleep_time": "0",
            "smtpd_client_connection_count_limit": "0",
        ]
        all.merge(settings) { _, own in own }
        return all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
    }

    func masterCF(ports: [String: UInt16]) -> String {
        let jail = isChrooted ? "y" : "n"
        var lines: [String] = []
        for listener in listeners {
            guard let port = ports[listener.name] else { continue }
            lines.append("127.0.0.1:\(port) inet n - \(jail) - - smtpd")
            lines.append("  -o syslog_name=postfix/\(listener.name)")
            for (name, value) in listener.overrides.sorted(by: { $0.key < $1.key }) {
                // Braces let the value contain white space.
                lines.append("  -o { \(name) = \(value) }")
            }
        }
        lines.append(
            """
            pickup    unix  n - \(jail) 60    1 pickup
            cleanup   unix  n - \(jail) -     0 cleanup
            qmgr      unix  n - n 300   1 qmgr
            rewrite   unix  - - \(jail) -     - trivial-rewrite
            bounce    unix  - - \(jail) -     0 bounce
            defer     unix  - - \(jail) -     0 bounce
            trace     unix  - - \(jail) -     0 bounce
            verify    unix  - - \(jail) -     1 verify
            flush     unix  n - \(jail) 1000? 0 flush
            proxymap  unix  - - n -     - proxymap
            proxywrite unix - - n -     1 proxymap
            smtp      unix  - - \(jail) -     - smtp
            relay     unix  - - \(jail) -     - smtp
            showq     unix  n - \(jail) -     - showq
            error     unix  - - \(jail) -     - error
            retry     unix  - - \(jail) -     - error
            discard   unix  - - \(jail) -     - discard
            local     unix  - n n -     - local
            virtual   unix  - n n -     - virtual
            lmtp      unix  - - \(jail) -     - lmtp
            anvil     unix  - - \(jail) -     1 anvil
            scache    unix  - - \(jail) -     1 scache
            tlsmgr    unix  - - \(jail) 1000? 1 tlsmgr
            postlog   unix-dgram n - n - 1 postlogd
            """)
        return (lines + services).joined(separator: "\n") + "\n"
    }
}

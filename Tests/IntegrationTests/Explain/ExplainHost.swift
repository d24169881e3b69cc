import Foundation
import Glibc
import MailDNS
import MailSyntax
import TestKit

/// A Postfix with all four daemons, each of which keeps a record; XCLIENT plays the outside world.
final class ExplainHost {
    private static let zone = """
        _dmarc.signed.example. IN TXT "v=DMARC1; p=reject"
        spf.example.           IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        _dmarc.spf.example.    IN TXT "v=DMARC1; p=reject"
        macro.example.         IN TXT "v=spf1 exists:%{l}.%{ir}.x.macro.example -all"
        soft.example.          IN TXT "v=spf1 ip4:192.0.2.0/24 ~all"
        bad.example.           IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
        _dmarc.reject.example. IN TXT "v=DMARC1; p=reject"
        _dmarc.hold.example.   IN TXT "v=DMARC1; p=quarantine"
        _dmarc.none.example.   IN TXT "v=DMARC1; p=none"

        """

    /// The largest message that Postfix takes, in octets.
    static let sizeLimit = 500_000

    let sink: SMTPSink
    let keys: SigningKeys
    let postfix: PostfixInstance
    let folder: TemporaryDirectory
    /// The keys of a sender elsewhere.
    let theirs: SigningKeys
    private var dovecot: DovecotInstance?
    private let others: OtherFilters
    private let dns: ScriptedDNSServer
    private var daemons: [String: DaemonProcess] = [:]
    private var configurations: [String: String] = [:]

    /// Starts everything; with `isWhole` a content filter and Dovecot too.
    init(privacy: String = "full", isWhole: Bool = false) throws {
        let sink = try SMTPSink(answer: SinkReplies.answers())
        self.sink = sink
        keys = try SigningKeys()
        theirs = try SigningKeys(domain: "signed.example", selector: "intact")
        dns = try ScriptedDNSServer(try ZoneResolver(parsing: Self.zone + keys.zone + theirs.zone))
        dns.setSilent(below: try DomainName("dead.example"))
        for name in ["dead._domainkey.signed.example", "dead.reject.example"] {
            dns.set(.drop, for: try DomainName(name))
        }
        folder = try TemporaryDirectory("signet-explain")
        let others = try OtherFilters()
        self.others = others
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.listeners += Self.listeners
            configuration.settings.merge(Self.aliases) { _, own in own }
            configuration.settings["smtpd_milters"] =
                "unix:signet/scrub.sock, unix:signet/dkim.sock, \(others.milter), "
                + "unix:signet/dmarc.sock"
            configuration.settings["non_smtpd_milters"] = "unix:signet/dkim.sock"
            // Postfix 3.7's default: 3.10 ends the connection before anybody has named a message.
            configuration.settings["milter_default_action"] = "tempfail"
            configuration.settings["message_size_limit"] = "\(Self.sizeLimit)"
            configuration.settings["smtpd_recipient_restrictions"] =
                "check_policy_service unix:signet/spf.sock, check_policy_service \(others.policy)"
        }
        self.postfix = postfix
        let resolver = "Nameservers \(dns.nameserver)\nDNSTimeout 2\n"
        let tables = try folder.write(Self.signingTable, to: "signing.table")
        // Keys that are looked for when their domain sends.
        try folder.write("no key\n", to: "broken.example.private", mode: 0o600)
        let lines = [
            "scrub": "SyslogSuccess yes\n",
            "dkim": """
            KeyTable csl:mail=example.org:mail:\(keys.directory.path)/mail.private,own=%:mail:\(folder.path)/%.private
            SigningTable refile:\(tables)
            InternalHosts 127.0.0.0/8,203.0.113.0/24
            PeerList 203.0.113.250
            ExemptDomains exempt.example
            DontSignMailTo plain@example.org
            On-KeyNotFound discard
            On-SignatureError accept
            RequireSafeKeys no
            \(resolver)
            """,
            "dmarc": """
            ReportStore \(folder.file("reports.db"))
            RejectFailures yes
            HoldQuarantinedMessages yes
            \(resolver)
            """,
            "spf": resolver,
        ]
        for (name, text) in lines {
            let configuration = """
                \(text)
                Socket unix:\(postfix.socketPath(name))
                FlightRecord \(folder.file("record-\(name)"))
                FlightRecordPrivacy \(privacy)
                Metrics \(folder.file("\(name).sock"))

                """
            configurations[name] = configuration
            _ = try folder.write(configuration, to: "\(name).conf")
            try start(name)
        }
        if isWhole { try startTheRest() }
    }

    deinit {
        for daemon in daemons.values { daemon.kill() }
        dns.stop()
    }

    /// Changes records of the DNS: each text is looked for in the zone, and another takes its place.
    func changeDNS(_ changes: KeyValuePairs<String, String>) throws {
        var text = Self.zone + keys.zone + theirs.zone
        for (old, new) in changes { text = text.replacingOccurrences(of: old, with: new) }
        dns.change(to: try ZoneResolver(parsing: text))
    }

    /// The directories of the records.
    var records: [String] { configurations.keys.map { folder.file("record-\($0)") } }

    /// The configuration of a daemon.
    func configuration(_ name: String) -> String { configurations[name] ?? "" }

    /// Starts a daemon.
    func start(_ name: String) throws {
        daemons[name] = try DaemonProcess(
            "signet-\(name)", configuration: configurations[name] ?? "")
    }

    /// Adds a line to a daemon's configuration and has it read; without one, as it was at first.
    func reload(_ name: String, with line: String) throws {
        let text = "\(configuration(name))\n\(line)\n"
        _ = try folder.write(text, to: "\(name).conf")
        _ = try daemons[name]?.directory.write(text, to: "signet-\(name).conf")
        try reload(name)
    }

    /// Adds a line to the signing table and has it read.
    func sign(for domain: String) throws {
        _ = try folder.write(
            Self.signingTable + "*@\(domain) mail\n", to: "signing.table")
        try reload("dkim")
    }

    private static let signingTable =
        "*@example.org mail\n*@broken.example own\n*@keyless.example own\n"

    /// A door for mail that a content filter looks at, the one by which it comes back, and the one for
    /// Dovecot's submission service.
    private static let listeners = [
        PostfixConfiguration.Listener("filtered"),
        PostfixConfiguration.Listener(
            "back",
            [
                "smtpd_milters": "", "content_filter": "",
                "smtpd_recipient_restrictions": "permit_mynetworks,reject",
            ]),
        PostfixConfiguration.Listener("submission", ["milter_macro_daemon_name": "ORIGINATING"]),
    ]

    /// Addresses that stand for others.
    private static let aliases = [
        "mydestination": "local.example.org",
        "virtual_alias_maps": "inline:{{ forwarded@example.org = forwarded@far.example },"
            + "{ two@example.org = one@far.example, two@far.example }}",
        "alias_maps": "inline:{{ team = team@far.example }}",
    ]

    /// A client of Dovecot's submission service.
    func connectSubmission() throws -> SMTPClient {
        guard let dovecot else { throw TestKitError("this host is not whole") }
        return try dovecot.connectSubmission()
    }

    /// Starts Dovecot, and tells Postfix where it and the way back from the filter are.
    private func startTheRest() throws {
        let relay = try postfix.port("submission")
        let dovecot = try DovecotInstance { configuration in
            configuration.users = ["dora@example.org": "secret", "sam@example.org": "secret"]
            configuration.submissionRelayPort = relay
            configuration.isRelayTrusted = true
        }
        self.dovecot = dovecot
        var changed = postfix.configuration
        let back = try postfix.port("back")
        for index in changed.listeners.indices where changed.listeners[index].name == "filtered" {
            changed.listeners[index].overrides["content_filter"] = "smtp:[127.0.0.1]:\(back)"
        }
        changed.settings["transport_maps"] =
            "inline:{{ dora@example.org = lmtp:inet:127.0.0.1:\(dovecot.lmtpPort) }}"
        try postfix.reload(changed)
        try postfix.waitForLogLine("postfix/master", "reload")
    }

    /// Ends a daemon as systemd does.
    func stop(_ name: String) throws {
        let end = try daemons[name]?.stop()
        guard end == .exited(0) else { throw TestKitError("\(name): \(end as Any)") }
    }

    /// Kills a daemon.
    func kill(_ name: String) { daemons[name]?.kill() }

    /// What happens between a message's end and the question about it.
    func reload(_ name: String) throws {
        let before = daemons[name]?.log.count ?? 0
        daemons[name]?.send(SIGHUP)
        _ = try wait(for: "a reload of \(name)") {
            daemons[name]?.log.dropFirst(before).contains { $0.contains("is reloaded") } == true
                ? true : nil
        }
    }

    /// Delivers a message from a client elsewhere; the reply to its end, or the first refusal.
    func deliver(
        _ message: [UInt8], from sender: String, at address: String, login: String? = nil
    ) throws -> SMTPReply {
        let client = try postfix.connect()
        try client.ehlo()
        try client.xclient(address, login: login)
        try client.ehlo("out.example")
        let reply = try client.deliver(from: sender, to: ["bob@example.org"], message)
        try? client.quit()
        return reply
    }

    /// A message with an identifier of its own.
    static func message(_ name: String, from author: String) -> [UInt8] {
        Array(
            """
            From: \(author)\r
            To: bob@example.org\r
            Subject: private matters\r
            Date: Sat, 21 Nov 2026 08:00:00 +0000\r
            Message-ID: <\(name)@example.net>\r
            \r
            Hello\r

            """.utf8)
    }

    /// Runs `signet` with the records and the log of this host.
    func signet(_ arguments: [String]) throws -> Command.Result {
        let log = arguments.first == "explain" ? ["--log", postfix.logFile] : []
        return try Command.run(
            try DaemonProcess.path(of: "signet"),
            [arguments[0], "--config", folder.path] + log + arguments.dropFirst())
    }

    /// The first line of the answer about a message, once it is what it will be.
    func answer(_ what: String, until expected: String) throws -> String {
        var last = ""
        _ = try? wait(for: expected, seconds: 15) {
            let result = try signet(["explain", what])
            last = result.output.split(separator: "\n").first.map(String.init) ?? result.errors
            return last.contains(expected) ? true : nil
        }
        return last
    }
}

import Foundation
import Glibc
import MailDNS
import TestKit

/// A Postfix with all four daemons, each of which keeps a record; XCLIENT plays the outside world.
final class ExplainHost {
    private static let zone = """
        spf.example.           IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        _dmarc.spf.example.    IN TXT "v=DMARC1; p=reject"
        soft.example.          IN TXT "v=spf1 ip4:192.0.2.0/24 ~all"
        bad.example.           IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
        _dmarc.reject.example. IN TXT "v=DMARC1; p=reject"
        _dmarc.hold.example.   IN TXT "v=DMARC1; p=quarantine"
        _dmarc.none.example.   IN TXT "v=DMARC1; p=none"

        """

    let sink: SMTPSink
    let keys: SigningKeys
    let postfix: PostfixInstance
    let folder: TemporaryDirectory
    private let dns: ScriptedDNSServer
    private var daemons: [String: DaemonProcess] = [:]
    private var configurations: [String: String] = [:]

    init(privacy: String = "full") throws {
        let sink = try SMTPSink()
        self.sink = sink
        keys = try SigningKeys()
        dns = try ScriptedDNSServer(try ZoneResolver(parsing: Self.zone))
        folder = try TemporaryDirectory("signet-explain")
        let postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings["smtpd_milters"] =
                "unix:signet/scrub.sock, unix:signet/dkim.sock, unix:signet/dmarc.sock"
            configuration.settings["non_smtpd_milters"] = "unix:signet/dkim.sock"
            configuration.settings["smtpd_recipient_restrictions"] =
                "check_policy_service unix:signet/spf.sock"
        }
        self.postfix = postfix
        let resolver = "Nameservers \(dns.nameserver)\nDNSTimeout 2\n"
        let tables = try folder.write("*@example.org mail\n", to: "signing.table")
        let lines = [
            "scrub": "SyslogSuccess yes\n",
            "dkim": """
            KeyTable csl:mail=example.org:mail:\(keys.directory.path)/mail.private
            SigningTable refile:\(tables)
            InternalHosts 127.0.0.1,203.0.113.0/24
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
    }

    deinit {
        for daemon in daemons.values { daemon.kill() }
        dns.stop()
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
        if let login {
            try client.xclient(["ADDR": address, "NAME": "out.example", "LOGIN": login])
        } else {
            try client.xclient(["ADDR": address, "NAME": "out.example"])
        }
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

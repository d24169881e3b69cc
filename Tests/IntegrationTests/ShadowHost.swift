import Foundation
import Glibc
import MailDNS
import TestKit

/// A Postfix whose filters are OpenDKIM and OpenDMARC, and Signet's daemons in their shadow, as `signet migrate --shadow` has it.
final class ShadowHost {
    /// Whether the programs are here, and may have a network of their own in which OpenDMARC's DNS is.
    static let isPossible =
        NSDServer.isInstalled && getuid() == 0
        && ["/usr/sbin/opendkim", "/usr/sbin/opendmarc", "/usr/bin/unshare"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: $0)
        }

    private static let zone = """
        pass.example.         IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        _dmarc.pass.example.  IN TXT "v=DMARC1; p=reject"
        fail.example.         IN TXT "v=spf1 -all"
        _dmarc.fail.example.  IN TXT "v=DMARC1; p=none"
        none.example.         IN A 192.0.2.1
        _dmarc.reject.example. IN TXT "v=DMARC1; p=reject"

        """

    let sink: SMTPSink
    let postfix: PostfixInstance
    /// The host's files, as far as migration looks at them.
    let tree: TemporaryDirectory
    private let keys: SigningKeys
    private let dns: NSDServer
    private var peers: [ChildProcess] = []
    private var daemons: [DaemonProcess] = []

    /// The configurations that guides hand out; nil where they are not at hand.
    static let fixtures: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../shared/fixtures").standardized.path
        let path = ProcessInfo.processInfo.environment["SIGNET_FIXTURES"] ?? root
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// A file that a guide hands out, for this host's domain.
    static func fixture(_ name: String) throws -> String {
        guard let fixtures else { throw TestKitError("no fixtures here") }
        return try String(contentsOfFile: "\(fixtures)/\(name)", encoding: .utf8)
            .replacing("yourdomain.com", with: "example.org")
    }

    /// Starts Postfix and the filters in use.
    ///
    /// - Parameters:
    ///   - opendkim: further lines of opendkim.conf.
    ///   - opendmarc: further lines of opendmarc.conf.
    ///   - files: files in the place of those, by their paths.
    /// - Throws: what does not start.
    init(opendkim: String = "", opendmarc: String = "", files: [String: String] = [:]) throws {
        let sink = try SMTPSink()
        self.sink = sink
        keys = try SigningKeys()
        let zone = Self.zone + keys.zone
        dns = try NSDServer(zone)
        tree = try TemporaryDirectory("signet-shadow")
        postfix = try PostfixInstance { configuration in
            configuration.relayPort = sink.port
            configuration.settings["smtpd_milters"] = Self.filters
        }
        for folder in [
            "etc/opendkim", "etc/opendmarc", "etc/postfix", "etc/signet", "var/lib", "run",
        ] {
            try tree.makeDirectory(folder)
        }
        try tree.write("signet-dkim:x:0:0::/:\n", to: "etc/passwd")
        try tree.write(
            "smtpd_milters = \(Self.filters)\nnon_smtpd_milters = $smtpd_milters\n",
            to: "etc/postfix/main.cf")
        try tree.write("smtp inet n - y - - smtpd\n", to: "etc/postfix/master.cf")
        let key = try String(contentsOfFile: keys.directory.file("mail.private"), encoding: .utf8)
        try tree.write(key, to: "etc/opendkim/mail.private", mode: 0o600)
        try tree.write(
            "mail._domainkey.example.org example.org:mail:/etc/opendkim/mail.private\n",
            to: "etc/opendkim/KeyTable")
        try tree.write(
            "*@example.org mail._domainkey.example.org\n", to: "etc/opendkim/SigningTable")
        try tree.write("127.0.0.1\n::1\n", to: "etc/opendkim/TrustedHosts")
        try tree.write(
            """
            Syslog no
            UMask 000
            Canonicalization relaxed/simple
            Mode sv
            OversignHeaders From
            Socket local:/var/spool/postfix/peers/opendkim.sock
            InternalHosts refile:/etc/opendkim/TrustedHosts
            KeyTable refile:/etc/opendkim/KeyTable
            SigningTable refile:/etc/opendkim/SigningTable
            \(opendkim)

            """, to: "etc/opendkim.conf")
        try tree.write(
            """
            Syslog false
            UMask 0000
            AuthservID mx.example.org
            SPFSelfValidate true
            Socket local:/var/spool/postfix/peers/opendmarc.sock
            \(opendmarc)

            """, to: "etc/opendmarc.conf")
        for (name, text) in files { try tree.write(text, to: name) }
        try startPeers(zone)
    }

    /// A configuration without what says how the program runs here.
    private static func bare(_ text: String, _ socket: String) -> String {
        let host = [
            "socket", "userid", "pidfile", "umask", "syslog", "syslogsuccess", "autorestart",
            "autorestartrate", "background", "trustanchorfile",
        ]
        let kept = text.split(separator: "\n").filter { line in
            let name = line.prefix { !$0.isWhitespace }.lowercased()
            return !host.contains(name)
        }
        return kept.joined(separator: "\n") + "\nSyslog no\nUMask 000\nSocket local:\(socket)\n"
    }

    private static let filters = "unix:peers/opendkim.sock, unix:peers/opendmarc.sock"

    deinit { stop() }

    /// Ends all but Postfix, which ends by itself.
    func stop() {
        for daemon in daemons { daemon.kill() }
        for peer in peers { peer.kill() }
        dns.stop()
        postfix.stop()
    }

    /// A file of the tree with the places that its lines mean.
    private func placed(_ name: String) throws -> String {
        let text = try String(contentsOfFile: tree.file(name), encoding: .utf8)
        return text.replacing("/etc/", with: "\(tree.path)/etc/")
            .replacing("/var/spool/postfix", with: postfix.queueDirectory)
    }

    private func startPeers(_ zone: String) throws {
        let folder = "\(postfix.queueDirectory)/peers"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
        let table = try tree.write(try placed("etc/opendkim/KeyTable"), to: "run/KeyTable")
        let records = try tree.write(
            keys.records.map { "\($0.key) \($0.value)\n" }.joined(), to: "run/records")
        let dkim = Self.bare(try placed("etc/opendkim.conf"), "\(folder)/opendkim.sock")
            .replacing("\(tree.path)/etc/opendkim/KeyTable", with: table)
        let dkimFile = try tree.write(
            dkim + "RequireSafeKeys no\nTestDNSData file:\(records)\n", to: "run/opendkim.conf")
        peers.append(try ChildProcess("/usr/sbin/opendkim", ["-f", "-x", dkimFile]))
        // OpenDMARC asks whom resolv.conf names, at port 53: it has a network of its own, with an NSD in it.
        let dmarcFile = try tree.write(
            Self.bare(try placed("etc/opendmarc.conf"), "\(folder)/opendmarc.sock"),
            to: "run/opendmarc.conf")
        try tree.write("nameserver 127.0.0.1\n", to: "run/resolv.conf")
        try tree.write(NSDConfiguration.rootApex + zone, to: "run/root.zone")
        let path = tree.file("run")
        let nsd = try tree.write(
            NSDConfiguration(
                path: path, addresses: ["127.0.0.1@53"], zones: NSDConfiguration.root("root.zone")
            ).text, to: "run/nsd.conf")
        let script = """
            set -e
            ip link set lo up
            mount --bind "$1/resolv.conf" /etc/resolv.conf
            nsd -d -c "$2" &
            exec /usr/sbin/opendmarc -f -c "$3"
            """
        peers.append(
            try ChildProcess(
                "/usr/bin/unshare", ["-n", "-m", "sh", "-c", script, "sh", path, nsd, dmarcFile]))
        for name in ["opendkim", "opendmarc"] {
            _ = try wait(for: "\(name) to listen") {
                try? LoopbackSocket.connect(path: "\(folder)/\(name).sock")
            }
        }
    }

    // MARK: The shadow

    /// Runs `signet migrate` on the tree.
    func migrate(_ arguments: [String]) throws -> Command.Result {
        try Command.run(
            DaemonProcess.path(of: "signet"), ["migrate", "--root", tree.path] + arguments)
    }

    /// Does what `signet migrate --shadow` says: its files, the daemons, its line for main.cf.
    ///
    /// - Parameters:
    ///   - dkim: changes the configuration that was made of OpenDKIM's.
    ///   - dmarc: changes that of OpenDMARC's.
    ///   - compact: whether the list is written without white space, as for master.cf.
    /// - Throws: what goes wrong.
    func beginShadow(
        dkim: (String) -> String = { $0 }, dmarc: (String) -> String = { $0 },
        compact: Bool = false
    ) throws {
        let result = try migrate(["--shadow", "--copy-keys"])
        guard result.succeeded else { throw TestKitError(result.output + result.errors) }
        let command = "  postconf -e 'smtpd_milters = "
        guard
            let line = result.output.split(separator: "\n").first(where: { $0.hasPrefix(command) })
        else { throw TestKitError("no line for main.cf: \(result.output)") }
        // In the tree the filters have the names that their configurations give.
        let named = try String(contentsOfFile: tree.file("etc/postfix/main.cf"), encoding: .utf8)
        let before = named.split(separator: "\n")[0].dropFirst("smtpd_milters = ".count)
        let listed = String(line.dropFirst(command.count).dropLast())
        let milters = listed.replacing(before, with: Self.filters)
        try start("dkim", dkim)
        try start("dmarc", dmarc)
        try tree.write(
            "smtpd_milters = \(listed)\nnon_smtpd_milters =\n", to: "etc/postfix/main.cf")
        var configuration = PostfixConfiguration()
        configuration.relayPort = sink.port
        configuration.settings["smtpd_milters"] =
            compact ? milters.filter { $0 != " " } : milters
        try postfix.reload(configuration)
    }

    private func start(_ name: String, _ change: (String) -> String) throws {
        let folder = "var/lib/signet-\(name)"
        try tree.makeDirectory(folder)
        let table = try tree.write(
            (try? placed("etc/signet/KeyTable")) ?? "", to: "run/signet-KeyTable")
        let text = change(try placed("etc/signet/\(name).conf"))
            .replacing("Socket", with: "#Socket")
            .replacing("\(tree.path)/etc/signet/KeyTable", with: table)
        daemons.append(
            try DaemonProcess(
                "signet-\(name)",
                configuration: """
                    \(text)
                    Nameservers \(dns.nameserver)
                    Socket unix:\(postfix.socketPath(name))
                    FlightRecord \(tree.file("\(folder)/flight"))
                    Metrics none
                    \(name == "dmarc" ? "ReportStore none" : "")

                    """))
    }

    /// What `signet migrate --shadow` says once so many comparisons are in the records.
    func report(after comparisons: Int) throws -> (text: String, differences: [String]) {
        let object: [String: Any] = try wait(for: "\(comparisons) comparisons") {
            let result = try migrate(["--shadow", "--json"])
            let object =
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let compared = object?["compared"] as? [[String: Any]] ?? []
            let sum = compared.reduce(0) { $0 + ($1["messages"] as? Int ?? 0) }
            return sum >= comparisons ? object : nil
        }
        let found = object["differences"] as? [[String: Any]] ?? []
        return (
            try migrate(["--shadow"]).output,
            found.map { "\($0["daemon"] ?? ""): \($0["what"] ?? "")" }
        )
    }

    // MARK: Mail

    /// A message.
    static func message(_ subject: String, from author: String) -> [UInt8] {
        Array(
            """
            From: <\(author)>\r
            To: <bob@example.com>\r
            Subject: \(subject)\r
            Date: Sat, 21 Nov 2026 08:00:00 +0000\r
            Message-ID: <\(subject)@host.example>\r
            \r
            Good morning.\r

            """.utf8)
    }

    /// Delivers a message of a client elsewhere, or of this host, and gives it as it arrives.
    func deliver(
        _ message: [UInt8], from sender: String, to recipient: String = "bob@example.org",
        address: String? = "192.0.2.1"
    ) throws -> SMTPSink.Message {
        sink.clear()
        let client = try postfix.connect()
        try client.ehlo()
        if let address {
            try client.xclient(["ADDR": address, "NAME": "out.example"])
            try client.ehlo("out.example")
        }
        let reply = try client.deliver(from: sender, to: [recipient], message)
        guard reply.code == 250 else { throw TestKitError("\(reply)") }
        return try sink.waitForMessages()[0]
    }
}

import Foundation
import TestKit
import Testing

@testable import Migration

/// What becomes of the peers' configuration.
@Suite struct MigrationTests {
    private static let keyTable =
        "mail._domainkey.example.org example.org:mail:/etc/opendkim/keys/mail.private\n"

    private static func openDKIM(_ more: String = "") throws -> PeerTree {
        let tree = try PeerTree([
            "etc/opendkim.conf": """
            Syslog yes
            UMask 002
            Canonicalization relaxed/simple
            Mode sv
            UserID opendkim:opendkim
            Socket inet:12345@localhost
            ExternalIgnoreList refile:/etc/opendkim/TrustedHosts
            InternalHosts refile:/etc/opendkim/TrustedHosts
            KeyTable refile:/etc/opendkim/KeyTable
            SigningTable refile:/etc/opendkim/SigningTable

            """ + more,
            "etc/opendkim/TrustedHosts": "127.0.0.1\n192.168.0.1/24\n*.example.org\n",
            "etc/opendkim/KeyTable": keyTable,
            "etc/opendkim/SigningTable": "*@example.org mail._domainkey.example.org\n",
            "etc/postfix/main.cf": """
            smtpd_milters = inet:localhost:12345, inet:localhost:11332
            non_smtpd_milters = $smtpd_milters

            """,
            "etc/postfix/master.cf": """
            smtp inet n - y - - smtpd
            submission inet n - y - - smtpd
              -o smtpd_milters=inet:127.0.0.1:12345

            """,
        ])
        try tree.writeKey("etc/opendkim/keys/mail.private")
        return tree
    }

    @Test func `OpenDKIM's tables and keys are taken over, and undone to the octet`() throws {
        let tree = try Self.openDKIM()
        let before = try tree.snapshot()
        let result = try tree.migrate(["--copy-keys"])
        #expect(result.succeeded, "\(result.errors)\(result.output)")
        let text = tree.text("etc/signet/dkim.conf")
        #expect(text.contains("KeyTable            refile:/etc/signet/KeyTable\n"))
        #expect(!text.contains("Socket"))
        #expect(
            tree.text("etc/signet/KeyTable").hasSuffix(
                "example.org:mail:/etc/signet/keys/example.org/mail.private\n"))
        #expect(
            tree.text("etc/signet/keys/example.org/mail.private")
                == tree.text("etc/opendkim/keys/mail.private"))
        #expect(result.output.contains("TrustedHosts:2: 192.168.0.1/24 matched nothing"))
        let check = try tree.check("dkim")
        #expect(check.succeeded, "\(check.errors)")
        try Command.require("rm", ["-rf", "\(tree.path)/here"])
        #expect(try tree.migrate(["--copy-keys"]).output.hasPrefix("Nothing is left to change."))
        #expect(try tree.migrate(["--undo"]).succeeded)
        #expect(try tree.snapshot() == before)
    }

    @Test func `what only our file says stays in it`() throws {
        let tree = try Self.openDKIM()
        let own = "OversignHeaders *\nSigningLog /var/lib/signet-dkim/signed\n#Metrics none\n"
        try tree.write("etc/signet/dkim.conf", own)
        #expect(try tree.migrate(["--copy-keys"]).succeeded)
        let text = tree.text("etc/signet/dkim.conf")
        #expect(text.hasSuffix("\nSigningLog          /var/lib/signet-dkim/signed\n"), "\(text)")
        #expect(!text.contains("OversignHeaders") && !text.contains("Metrics"))
        #expect(try tree.migrate(["--copy-keys"]).output.hasPrefix("Nothing is left to change."))
    }

    @Test func `the lines of Postfix are swapped and put back`() throws {
        let tree = try Self.openDKIM()
        let before = try tree.snapshot()
        #expect(try tree.migrate(["--finish"]).end == .exited(78))
        #expect(try tree.snapshot() == before)
        try tree.migrate(["--copy-keys"])
        let result = try tree.migrate(["--finish", "--yes"])
        #expect(result.succeeded, "\(result.errors)\(result.output)")
        #expect(
            result.output.contains(
                """
                edit /etc/postfix/main.cf
                  @@ -1 +1 @@
                  -smtpd_milters = inet:localhost:12345, inet:localhost:11332
                  +smtpd_milters = unix:signet/dkim.sock, inet:localhost:11332
                """), "\(result.output)")
        #expect(
            tree.text("etc/postfix/main.cf").hasPrefix(
                "smtpd_milters = unix:signet/dkim.sock, inet:localhost:11332\nnon_smtpd_milters = $smtpd"
            ))
        #expect(
            tree.text("etc/postfix/master.cf").contains("-o smtpd_milters=unix:signet/dkim.sock\n"))
        #expect(try tree.migrate(["--finish"]).output.hasPrefix("Nothing is left to change."))
        #expect(try tree.migrate(["--undo"]).succeeded)
        #expect(try tree.migrate(["--undo"]).succeeded)
        #expect(try tree.snapshot() == before)
    }

    /// A configuration that a daemon refuses is mended by hand, and main.cf is the postmaster's own.
    @Test func `an undo spares what has been edited since`() throws {
        let tree = try Self.openDKIM()
        let before = try tree.snapshot()
        let main = tree.text("etc/postfix/main.cf")
        try tree.migrate(["--copy-keys"])
        try tree.migrate(["--finish"])
        let swapped = tree.text("etc/postfix/main.cf")
        try tree.write("etc/postfix/main.cf", "biff = no\n\(swapped)mydomain = here\n")
        let first = try tree.migrate(["--undo"])
        #expect(first.succeeded, "\(first.output)")
        #expect(
            first.output.contains("/etc/postfix/main.cf\n    edited since: what you have changed"))
        #expect(first.output.contains("your edits since are kept"))
        #expect(tree.text("etc/postfix/main.cf") == "biff = no\n\(main)mydomain = here\n")
        try tree.write("etc/postfix/main.cf", main)

        let edited = tree.text("etc/signet/dkim.conf") + "LogWhy yes\n"
        try tree.write("etc/signet/dkim.conf", edited)
        let second = try tree.migrate(["--undo", "--json"])
        #expect(second.succeeded, "\(second.output)")
        #expect(try tree.snapshot() == before)
        let document = try #require(
            JSONSerialization.jsonObject(with: Data(second.output.utf8)) as? [String: Any])
        let spared = try #require(document["spared"] as? [[String: Any]])
        #expect(spared.count == 1 && spared[0]["path"] as? String == "/etc/signet/dkim.conf")
        let copy = try #require(spared[0]["copy"] as? String)
        #expect(tree.text(String(copy.dropFirst())) == edited)
    }

    @Test func `an edit of the lines that were changed stops the undo`() throws {
        let tree = try Self.openDKIM()
        try tree.migrate(["--copy-keys"])
        try tree.migrate(["--finish"])
        try tree.write(
            "etc/postfix/main.cf",
            tree.text("etc/postfix/main.cf").replacing("localhost:11332", with: "localhost:11333"))
        let edited = try tree.snapshot()
        let result = try tree.migrate(["--undo"])
        #expect(result.end == .exited(78))
        #expect(
            result.output.contains("+smtpd_milters = unix:signet/dkim.sock, inet:localhost:11333"))
        #expect(try tree.snapshot() == edited)
    }

    @Test func `what only compares is set up, told to Postfix, and ended by --finish`() throws {
        let tree = try Self.openDKIM()
        let first = try tree.migrate(["--shadow", "--copy-keys"])
        #expect(first.succeeded, "\(first.errors)")
        #expect(tree.text("etc/signet/dkim.conf").hasSuffix("\nShadow              yes\n"))
        #expect(try tree.check("dkim").succeeded)
        try Command.require("rm", ["-rf", "\(tree.path)/here"])
        let main =
            "inet:localhost:12345, inet:localhost:11332, "
            + "{ unix:signet/dkim.sock, default_action=accept }"
        #expect(first.output.contains("\n  postconf -e 'smtpd_milters = \(main)'\n"))
        let master = "inet:127.0.0.1:12345,{unix:signet/dkim.sock,default_action=accept}"
        #expect(
            first.output.contains(
                "\n  postconf -P 'submission/inet/smtpd_milters=\(master)'\n"))
        #expect(!first.output.contains("non_smtpd_milters"))
        // What is edited stays, and the lines are told again until Postfix has them.
        let edited = tree.text("etc/signet/dkim.conf") + "LogWhy yes\n"
        try tree.write("etc/signet/dkim.conf", edited)
        let second = try tree.migrate(["--shadow", "--copy-keys"])
        #expect(second.output.hasPrefix("The daemons are set to compare.\n"), "\(second.output)")
        #expect(second.output.contains("postconf -e"))
        #expect(tree.text("etc/signet/dkim.conf") == edited)
        let lines = tree.text("etc/postfix/main.cf").split(separator: "\n").dropFirst()
        try tree.write(
            "etc/postfix/main.cf", "smtpd_milters = \(main)\n\(lines.joined(separator: "\n"))\n")
        try tree.write(
            "etc/postfix/master.cf",
            tree.text("etc/postfix/master.cf").replacing(
                "-o smtpd_milters=inet:127.0.0.1:12345", with: "-o smtpd_milters=\(master)"))
        #expect(
            try tree.migrate(["--shadow", "--copy-keys"]).output.hasPrefix(
                "No message has been compared yet.\n"))
        let started = try tree.snapshot()
        let finished = try tree.migrate(["--finish"])
        #expect(finished.succeeded, "\(finished.errors)")
        #expect(
            tree.text("etc/postfix/main.cf").hasPrefix(
                "smtpd_milters = unix:signet/dkim.sock, inet:localhost:11332\n"))
        #expect(
            tree.text("etc/postfix/master.cf").contains("smtpd_milters=unix:signet/dkim.sock")
                || tree.text("etc/postfix/master.cf").contains(
                    "{ smtpd_milters = unix:signet/dkim.sock }")
        )
        #expect(!tree.text("etc/signet/dkim.conf").contains("Shadow"))
        #expect(tree.text("etc/signet/dkim.conf").hasSuffix("LogWhy yes\n"))
        #expect(try tree.migrate(["--undo"]).succeeded)
        #expect(try tree.snapshot() == started)
    }

    @Test func `a policy service that only answers DUNNO is asked behind the other`() throws {
        let restrictions =
            "permit_mynetworks, reject_unauth_destination, check_policy_service unix:private/policyd-spf"
        let service =
            "policyd-spf unix - n n - 0 spawn\n  user=policyd-spf argv=/usr/bin/policyd-spf\n"
        let tree = try PeerTree([
            "etc/postfix-policyd-spf-python/policyd-spf.conf": "HELO_reject = Fail\n",
            "etc/postfix/main.cf": "smtpd_recipient_restrictions = \(restrictions)\n",
            "etc/postfix/master.cf": service,
        ])
        let result = try tree.migrate(["--shadow"])
        let value = "\(restrictions), check_policy_service unix:signet/spf.sock"
        #expect(
            result.output.contains("postconf -e 'smtpd_recipient_restrictions = \(value)'"),
            "\(result.output)")
        try tree.write("etc/postfix/main.cf", "smtpd_recipient_restrictions = \(value)\n")
        #expect(try tree.migrate(["--finish"]).succeeded)
        #expect(
            tree.text("etc/postfix/main.cf")
                == "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, "
                + "check_policy_service unix:signet/spf.sock\n")
    }

    /// Debian's file names it, and the package that has it may not be there.
    @Test func `a trust anchor that is missing is left out, and said`() throws {
        let tree = try Self.openDKIM(
            "TrustAnchorFile /usr/share/dns/root.key\nOversignHeaders From\n")
        let result = try tree.migrate(["--copy-keys"])
        #expect(result.succeeded, "\(result.errors)\(result.output)")
        #expect(result.output.contains("/usr/share/dns/root.key is missing: left out"))
        #expect(!tree.text("etc/signet/dkim.conf").contains("TrustAnchorFile"))
        #expect(result.output.contains("OversignHeaders stays as it is"))
        #expect(!result.output.contains("brings the old way back"))
    }

    @Test func `policyd-spf's restriction and its service are swapped`() throws {
        let tree = try PeerTree([
            "etc/postfix-policyd-spf-python/policyd-spf.conf":
                "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\n",
            "etc/postfix/main.cf": """
            policyd-spf_time_limit = 3600
            smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination,
              check_client_access hash:/etc/postfix/spf_exceptions,
              check_policy_service unix:private/policyd-spf

            """,
            "etc/postfix/master.cf": """
            policyd-spf unix - n n - 0 spawn
              user=policyd-spf argv=/usr/bin/policyd-spf

            """,
        ])
        try tree.migrate()
        let check = try tree.check("spf")
        #expect(check.succeeded, "\(check.errors)")
        let result = try tree.migrate(["--finish"])
        #expect(result.succeeded, "\(result.output)")
        #expect(
            tree.text("etc/postfix/main.cf") == """
                smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination,
                  check_client_access hash:/etc/postfix/spf_exceptions,
                  check_policy_service unix:signet/spf.sock

                """)
        #expect(tree.text("etc/postfix/master.cf").isEmpty)
    }

    @Test func `dkimproxy's key signs behind the milter`() throws {
        let tree = try PeerTree([
            "etc/dkimproxy/dkimproxy_out.conf": """
            listen    127.0.0.1:10028
            relay     127.0.0.1:10029
            domain    example.org
            signature dkim(c=relaxed)
            signature domainkeys(c=nofws)
            keyfile   /etc/dkimproxy/private.key
            selector  selector1

            """
        ])
        try tree.writeKey("etc/dkimproxy/private.key")
        let result = try tree.migrate(["--copy-keys"])
        #expect(result.succeeded, "\(result.output)")
        let text = tree.text("etc/signet/dkim.conf")
        #expect(text.contains("Canonicalization    relaxed\n"))
        #expect(
            text.contains("KeyFile             /etc/signet/keys/example.org/selector1.private\n"))
        let check = try tree.check("dkim")
        #expect(check.succeeded, "\(check.errors)")
    }

    @Test(arguments: ["KeyTable dsn:mysql://a@b/c\n", "SigningTable ldap://host/x\n"])
    func `a table in a database stops the migration`(_ line: String) throws {
        let tree = try PeerTree(["etc/opendkim.conf": line])
        let result = try tree.migrate()
        #expect(result.end == .exited(78))
        #expect(result.output.contains("write the table to a file"))
        #expect(tree.text("etc/signet/dkim.conf").isEmpty)
    }

    @Test func `a key that stays where signet-dkim cannot read it is said`() throws {
        let tree = try Self.openDKIM()
        let result = try tree.migrate(["--json"])
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let findings = try #require(object["findings"] as? [[String: Any]])
        #expect(findings.contains { ($0["what"] as? String)?.contains("--copy-keys") == true })
        #expect(findings.contains { $0["directive"] as? String == "Socket" })
        #expect(tree.text("etc/signet/KeyTable") == Self.keyTable)
    }

    @Test func `hostile tables lead nowhere`() throws {
        let tree = try Self.openDKIM()
        try tree.write(
            "etc/opendkim/KeyTable",
            "a ../../evil:mail:/etc/opendkim/keys/mail.private\nb\nc ::\n"
                + "d x:../y:/etc/opendkim/keys/mail.private\n")
        let result = try tree.migrate(["--copy-keys"])
        #expect(result.succeeded, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(tree.path)/etc/signet/keys"))
        #expect(!FileManager.default.fileExists(atPath: "\(tree.path)/etc/evil"))
    }

    @Test func `what no daemon accepts is left out by the tables`() throws {
        let tree = try Self.openDKIM(
            "ResignAll yes\nLDAPTimeout 3\nVBR-Type all\nAutoRestartRate 10/1h\nStatistics /x\n")
        let result = try tree.migrate(["--copy-keys"])
        #expect(result.succeeded)
        #expect(result.output.contains("ResignAll: mail that passes through keeps"))
        let check = try tree.check("dkim")
        #expect(check.succeeded, "\(check.errors)")
        #expect(DirectiveTable.dkim.names.count > 60)
    }

    // MARK: The configurations that guides and Debian hand out

    @Test(
        .enabled(if: PeerTree.fixtures != nil, "no fixtures here"),
        arguments: [
            ("debian-defaults/opendkim.conf", "etc/opendkim.conf", "dkim"),
            ("debian-defaults/opendmarc.conf", "etc/opendmarc.conf", "dmarc"),
            ("guide-opendmarc/opendmarc.conf", "etc/opendmarc.conf", "dmarc"),
            (
                "debian-defaults/policyd-spf.conf",
                "etc/postfix-policyd-spf-python/policyd-spf.conf", "spf"
            ),
            (
                "debian-defaults/dkimpy-milter.conf", "etc/dkimpy-milter/dkimpy-milter.conf",
                "dkim"
            ),
        ])
    func `each daemon accepts what is made of it`(
        _ fixture: String, _ place: String, _ daemon: String
    ) throws {
        let tree = try PeerTree([
            place: PeerTree.fixture(fixture), "etc/opendmarc/ignore.hosts": "127.0.0.1\n",
        ])
        let result = try tree.migrate()
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let check = try tree.check(daemon)
        #expect(check.succeeded, "\(check.errors)")
    }

    @Test(.enabled(if: PeerTree.fixtures != nil, "no fixtures here"))
    func `the tutorial's host signs as before`() throws {
        let folder = "tutorial-opendkim"
        let tree = try PeerTree([
            "etc/opendkim.conf": PeerTree.fixture("\(folder)/opendkim.conf"),
            "etc/opendkim/TrustedHosts": PeerTree.fixture("\(folder)/TrustedHosts"),
            "etc/opendkim/KeyTable": PeerTree.fixture("\(folder)/KeyTable"),
            "etc/opendkim/SigningTable": PeerTree.fixture("\(folder)/SigningTable"),
        ])
        try tree.writeKey("etc/opendkim/keys/yourdomain.com/mail.private")
        #expect(try tree.migrate(["--copy-keys"]).succeeded)
        let ours = try DaemonProcess(
            "signet-dkim",
            configuration: String(contentsOfFile: tree.placed("dkim"), encoding: .utf8)
                + "\nSocket unix:\(tree.path)/ours\n")
        let theirs = try Self.startOpenDKIM(of: tree)
        defer { theirs.kill() }
        for sender in ["ann@yourdomain.com", "ann@elsewhere.example", "ann@sub.yourdomain.com"] {
            let text = """
                From: Ann <\(sender)>
                To: bob@example.com
                Subject: one  two
                Date: Sat, 21 Nov 2026 08:00:00 +0000
                Message-ID: <a@b>

                Hello,  \("\t")
                 there


                """
            var envelope = Envelope()
            envelope.clientAddress = "127.0.0.1"
            envelope.clientName = "localhost"
            let tags = try ["ours", "theirs.sock"].map { name in
                let outcome = try FakeMTA(.unix("\(tree.path)/\(name)")).deliver(
                    MailMessage(text), envelope)
                return outcome.message.values("DKIM-Signature").map(PeerText.signature)
            }
            #expect(tags[0] == tags[1], "\(sender)")
            #expect(tags[0].count == (sender == "ann@yourdomain.com" ? 1 : 0))
        }
        #expect(try ours.stop() == .exited(0), "\(ours.log)")
    }

    /// Runs the incumbent with the tree's own configuration, its paths being those of the tree.
    ///
    /// The tree lies in /tmp, which OpenDKIM would not call safe for a key.
    private static func startOpenDKIM(of tree: PeerTree) throws -> ChildProcess {
        let text = PeerText.configuration(
            tree.text("etc/opendkim.conf"),
            without: ["Socket", "UserID", "AutoRestart", "AutoRestartRate", "PidFile"]
        ).replacing("/etc/", with: "\(tree.path)/etc/")
        try tree.write(
            "theirs/opendkim.conf",
            "\(text)Socket local:\(tree.path)/theirs.sock\nRequireSafeKeys no\n")
        try tree.write(
            "etc/opendkim/KeyTable",
            tree.text("etc/opendkim/KeyTable").replacing(":/etc/", with: ":\(tree.path)/etc/"))
        let process = try ChildProcess(
            "/usr/sbin/opendkim", ["-f", "-x", "\(tree.path)/theirs/opendkim.conf"])
        try wait(for: "OpenDKIM to listen") {
            try? LoopbackSocket.connect(path: "\(tree.path)/theirs.sock")
        }.shut()
        return process
    }
}

import Foundation
import TestKit
import Testing

/// `signet setup` on stock Debian trees: what it changes, that it does so once, and that it leaves no trace when undone.
@Suite struct SetupCommandTests {
    /// The configurations that guides and Debian hand out; nil where they are not at hand.
    private static let fixtures: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../shared/fixtures").standardized.path
        let path = ProcessInfo.processInfo.environment["SIGNET_FIXTURES"] ?? root
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    private static let guides: [(files: [String: String], main: String, master: String)] = [
        (
            [
                "etc/opendkim.conf": "tutorial-opendkim/opendkim.conf",
                "etc/opendkim/KeyTable": "tutorial-opendkim/KeyTable",
                "etc/opendkim/SigningTable": "tutorial-opendkim/SigningTable",
                "etc/opendkim/TrustedHosts": "tutorial-opendkim/TrustedHosts",
            ], "smtpd_milters = inet:localhost:12145\nnon_smtpd_milters = $smtpd_milters\n", ""
        ),
        (
            ["etc/opendmarc.conf": "guide-opendmarc/opendmarc.conf"],
            "smtpd_milters = local:opendmarc/opendmarc.sock\n", ""
        ),
        (
            [
                "etc/opendkim.conf": "debian-defaults/opendkim.conf",
                "etc/opendmarc.conf": "debian-defaults/opendmarc.conf",
            ],
            "smtpd_milters = local:opendkim/opendkim.sock, local:opendmarc/opendmarc.sock\n", ""
        ),
        (
            [
                "etc/postfix-policyd-spf-python/policyd-spf.conf":
                    "debian-defaults/policyd-spf.conf"
            ],
            "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, "
                + "check_policy_service unix:private/policyd-spf\n",
            "policyd-spf unix - n n - 0 spawn\n  user=nobody argv=/usr/bin/policyd-spf\n"
        ),
    ]

    @Test(
        .enabled(if: fixtures != nil, "no fixtures here"), arguments: guides.indices,
        HostTree.Release.allCases)
    func `a guide's host is set up once it is migrated, and put back to the octet`(
        _ number: Int, _ release: HostTree.Release
    ) throws {
        let guide = Self.guides[number]
        let host = try HostTree(release, main: guide.main, master: guide.master)
        for folder in ["etc/opendkim", "etc/postfix-policyd-spf-python"] {
            try host.makeDirectory(folder)
        }
        for (name, fixture) in guide.files {
            let path = "\(Self.fixtures ?? "")/\(fixture)"
            try host.write(name, String(contentsOfFile: path, encoding: .utf8))
        }
        let before = try host.snapshot()
        // Beside a filter that does the same nothing is changed.
        #expect(try host.apply().end == .exited(78))
        #expect(try host.snapshot() == before)
        for step in [["migrate", "--copy-keys"], ["migrate", "--finish"]] {
            let result = try host.signet(step)
            #expect(result.succeeded, "\(step): \(result.output)\(result.errors)")
        }
        let migrated = try host.snapshot()
        let applied = try host.apply()
        #expect(applied.succeeded, "\(applied.output)\(applied.errors)")
        let done = try host.snapshot()
        #expect(try host.apply().output.hasPrefix("This host is set up"))
        #expect(try host.snapshot() == done)
        #expect(try host.signet(["setup", "--undo", "--yes"]).succeeded)
        #expect(try host.snapshot() == migrated)
        for _ in 0..<2 { #expect(try host.signet(["migrate", "--undo", "--yes"]).succeeded) }
        #expect(try host.snapshot() == before)
    }

    @Test func `where KeyDirectory is, keys go there, and no table goes before it`() throws {
        let host = try HostTree()
        try host.write(
            "etc/signet/dkim.conf", "KeyDirectory /etc/signet/keys\nMode s\n")
        let before = try host.snapshot()
        #expect(try host.apply().succeeded)
        #expect(host.text("etc/signet/dkim.conf") == "KeyDirectory /etc/signet/keys\nMode s\n")
        for table in ["KeyTable", "SigningTable"] {
            #expect(host.text("etc/signet/\(table)").isEmpty)
        }
        let list = host.text("etc/signet/keys/example.org/signing")
        #expect(list.hasPrefix("# ") && list.hasSuffix("\nmail\nmail-ed25519\n"), "\(list)")
        #expect(host.text("etc/signet/keys/example.org/mail.private").contains("PRIVATE KEY"))
        // What the rotation has made of it since is kept, and published.
        let text = host.text("etc/signet/keys/example.org/mail.private")
        try host.write("etc/signet/keys/example.org/next.private", text, mode: 0o600)
        try host.write("etc/signet/keys/example.org/signing", "next\n")
        let again = try host.apply(["--json"])
        #expect(again.output.contains("next._domainkey.example.org"), "\(again.output)")
        #expect(!again.output.contains("mail._domainkey.example.org"))
        #expect(host.text("etc/signet/keys/example.org/signing") == "next\n")
        try host.write("etc/signet/keys/example.org/signing", list)
        try Command.require("rm", ["\(host.path)/etc/signet/keys/example.org/next.private"])
        let undone = try host.signet(["setup", "--undo", "--yes"])
        #expect(undone.succeeded, "\(undone.output)\(undone.errors)")
        #expect(try host.snapshot() == before)
    }

    @Test(arguments: HostTree.Release.allCases)
    func `a stock host is set up, once, and undone to the octet`(
        _ release: HostTree.Release
    ) throws {
        let host = try HostTree(release)
        let before = try host.snapshot()
        let result = try host.apply()
        #expect(result.succeeded, "\(result.errors)\(result.output)")

        #expect(
            try host.postconf(["-h", "smtpd_milters"])
                == "unix:signet/scrub.sock, unix:signet/dkim.sock, unix:signet/dmarc.sock\n")
        #expect(try host.postconf(["-h", "non_smtpd_milters"]) == "unix:signet/dkim.sock\n")
        #expect(
            try host.postconf(["-h", "smtpd_recipient_restrictions"]).contains(
                "reject_unauth_destination, check_policy_service unix:signet/spf.sock"))
        let options = try host.postconf(["-P"])
        switch release {
        case .bookworm:
            #expect(
                options.contains(
                    "submission/inet/cleanup_service_name = submission-cleanup"))
            #expect(host.text("etc/postfix/scrub_header_checks").contains("mail\\.example\\.org"))
        case .trixie: #expect(options.contains("submission/inet/smtpd_hide_client_session = yes"))
        }
        #expect(host.text("etc/aliases").hasSuffix("dmarc-reports: postmaster\n"))
        let keys = try host.snapshot().filter { $0.key.hasPrefix("etc/signet/keys") }
        #expect(keys["etc/signet/keys"]?.hasPrefix("d 750 0 991") == true)
        #expect(keys["etc/signet/keys/example.org"]?.hasPrefix("d 700 990 991") == true)
        for name in ["mail", "mail-ed25519"] {
            let file = keys["etc/signet/keys/example.org/\(name).private"]
            #expect(file?.hasPrefix("f 600 990 991") == true)
        }

        let after = try host.snapshot()
        let again = try host.apply()
        #expect(again.succeeded)
        #expect(again.output.hasPrefix("This host is set up for example.org."))
        #expect(try host.snapshot() == after)

        let undone = try host.signet(["setup", "--undo", "--yes"])
        #expect(undone.succeeded, "\(undone.errors)")
        #expect(try host.snapshot() == before)
    }

    @Test func `without --apply nothing is written, and no key is shown that will not be kept`()
        throws
    {
        let host = try HostTree()
        let before = try host.snapshot()
        let result = try host.signet(["setup", "example.org"])
        #expect(result.succeeded)
        #expect(result.output.contains("+smtpd_milters = "))
        #expect(!result.output.contains("p=MI"))
        #expect(try host.snapshot() == before)
        #expect(host.text("var/lib/signet/setup/lock").isEmpty)
    }

    @Test func `a root that is not there is named`() throws {
        let host = try HostTree()
        for command in [["setup", "example.org"], ["setup", "--undo"], ["migrate"]] {
            let result = try Command.run(
                DaemonProcess.path(of: "signet"), command + ["--root", "\(host.path)/gone"])
            #expect(result.end == .exited(66))
            #expect(result.errors.contains("/gone is no directory that can be read"))
        }
    }

    @Test func `where nobody can be asked nothing is changed`() throws {
        let host = try HostTree()
        let before = try host.snapshot()
        let result = try host.signet(["setup", "example.org", "--apply"])
        #expect(result.end == .exited(64))
        #expect(try host.snapshot() == before)
    }

    @Test func `the published keys are those in the files`() throws {
        let host = try HostTree()
        let result = try host.apply(["--json"])
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(object["applied"] as? Bool == true)
        let records = try #require(object["records"] as? [[String: Any]])
        for selector in ["mail", "mail-ed25519"] {
            let shown = try Command.require(
                DaemonProcess.path(of: "signet"),
                ["key", "show", "\(host.path)/etc/signet/keys/example.org/\(selector).private"])
            let record = records.first {
                $0["name"] as? String == "\(selector)._domainkey.example.org"
            }
            let value = try #require(record?["value"] as? String)
            #expect(shown.contains(value))
        }
        let text = result.output
        #expect(!text.contains("PRIVATE KEY"))
        #expect(text.contains("v=spf1 ip4:192.0.2.1 ~all"))
    }

    @Test func `an undo keeps what was edited elsewhere since, and says so`() throws {
        let host = try HostTree()
        let before = try host.snapshot()
        try host.apply()
        let main = host.text("etc/postfix/main.cf")
        try host.write("etc/postfix/main.cf", "mydomain = here\n\(main)biff = yes\n")
        try host.write("etc/aliases", host.text("etc/aliases") + "info: ann\n")
        let result = try host.signet(["setup", "--undo", "--yes"])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(result.output.contains("your edits since are kept"))
        let without = host.text("etc/postfix/main.cf").dropFirst("mydomain = here\n".count)
            .dropLast("biff = yes\n".count)
        try host.write("etc/postfix/main.cf", String(without))
        let aliases = host.text("etc/aliases").dropLast("info: ann\n".count)
        try host.write("etc/aliases", String(aliases))
        #expect(try host.snapshot() == before)
    }

    @Test func `an edit of lines that setup wrote is named, and the commands that are shown go on`()
        throws
    {
        let host = try HostTree()
        let before = try host.snapshot()
        try host.apply()
        let main = host.text("etc/postfix/main.cf")
        try host.write(
            "etc/postfix/main.cf",
            main.replacing("unix:signet/scrub.sock", with: "inet:localhost:11332"))
        let list = "etc/signet/keys/example.org/mail.private"
        try host.write(list, host.text(list) + "\n", mode: 0o600)
        let changed = try host.snapshot()
        let result = try host.signet(["setup", "--undo", "--yes"])
        #expect(result.end == .exited(78))
        #expect(result.output.contains("+smtpd_milters = inet:localhost:11332"))
        #expect(try host.snapshot() == changed)
        let commands = result.output.split(separator: "\n").map { $0.drop { $0 == " " } }
            .filter { $0.hasPrefix("cp ") || $0.hasPrefix("signet setup --undo") }
        #expect(commands.count == 3, "\(result.output)")
        for command in commands where command.hasPrefix("cp ") {
            try Command.require("sh", ["-c", String(command)])
        }
        let words = try #require(commands.last).split(separator: " ").dropFirst().map(String.init)
        try Command.require(DaemonProcess.path(of: "signet"), words + ["--yes"])
        #expect(try host.snapshot() == before)
    }

    @Test func `what is there already is added to`() throws {
        let host = try HostTree(
            main: """
                smtpd_milters = inet:localhost:11332,
                  # ours come behind
                  unix:clamav/clamav.sock
                smtpd_recipient_restrictions =
                  permit_mynetworks
                  reject_unauth_destination
                  check_client_access hash:/etc/postfix/clients
                  check_sender_access hash:/etc/postfix/spf_exceptions
                  permit
                header_checks = regexp:/etc/postfix/checks

                """,
            master: """
                127.0.0.1:10025 inet n - y - - smtpd
                  -o smtpd_milters=
                  -o content_filter=
                465 inet n - y - - smtpd
                  -o smtpd_milters=inet:localhost:11332
                  -o cleanup_service_name=other

                """)
        let result = try host.apply()
        #expect(result.succeeded, "\(result.output)")
        let main = host.text("etc/postfix/main.cf")
        #expect(
            main.contains(
                """
                  unix:clamav/clamav.sock, unix:signet/scrub.sock, unix:signet/dkim.sock, unix:signet/dmarc.sock
                """))
        #expect(
            main.contains(
                """
                  reject_unauth_destination
                  check_policy_service unix:signet/spf.sock, check_client_access hash:/etc/postfix/clients
                """))
        let options = try host.postconf(["-P"])
        #expect(options.contains("127.0.0.1:10025/inet/smtpd_milters =\n"))
        #expect(
            options.contains(
                "465/inet/smtpd_milters = inet:localhost:11332,unix:signet/scrub.sock,unix:signet/dkim.sock\n"
            ))
        #expect(
            options.contains(
                "submission-cleanup/unix/header_checks = regexp:$config_directory/scrub_header_checks,regexp:/etc/postfix/checks\n"
            ))
        #expect(result.output.contains("cleanup service of its own, other"))
        #expect(try host.apply().output.hasPrefix("This host is set up"))
    }

    @Test(arguments: [
        ("smtpd_milters = inet:localhost:8891\n", "another DKIM filter"),
        ("smtpd_milters = local:opendmarc/opendmarc.sock\n", "another DMARC filter"),
        (
            "smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/policyd-spf\n",
            "another SPF filter"
        ), ("nonsense\n", "Postfix refuses line"),
    ])
    func `what stands in the way is said, and nothing is changed`(
        _ main: String, _ words: String
    ) throws {
        let host = try HostTree(main: main)
        let before = try host.snapshot()
        let result = try host.apply()
        #expect(result.end == .exited(78))
        #expect(result.output.contains(words), "\(result.output)")
        #expect(try host.snapshot() == before)
    }

    @Test(arguments: [
        ("Mode v\n", "with which nothing is signed"),
        ("Domain example.org\nMode s\n", "add Selector and KeyFile"),
        (
            "SigningTable csl:*@example.net=key\nMode s\n",
            "add \"KeyDirectory /etc/signet/keys\" to /etc/signet/dkim.conf"
        ),
    ])
    func `a dkim.conf that a key cannot be added to is said, with what to do`(
        _ text: String, _ words: String
    ) throws {
        let host = try HostTree()
        try host.write("etc/signet/dkim.conf", text)
        let before = try host.snapshot()
        let result = try host.apply()
        #expect(result.end == .exited(78))
        #expect(result.output.contains(words), "\(result.output)")
        #expect(try host.snapshot() == before)
        guard text.contains("csl:") else { return }
        try host.write("etc/signet/dkim.conf", "\(text)KeyDirectory /etc/signet/keys\n")
        #expect(try host.apply().succeeded)
        #expect(host.text("etc/signet/keys/example.org/signing").contains("\nmail\n"))
    }

    /// README's way by hand: one domain with Domain and KeyFile, and then another one.
    @Test func `beside Domain and KeyFile a further domain has its keys in KeyDirectory`() throws {
        let host = try HostTree()
        let path = "etc/signet/keys/example.com"
        for folder in ["etc/signet/keys", path, "etc/signet/keys/old.example"] {
            try host.makeDirectory(folder)
        }
        for folder in [path, "etc/signet/keys/old.example"] {
            try host.write("\(folder)/mail.private", "not looked at", mode: 0o600)
        }
        let lines = "Domain example.com\nSelector mail\nKeyFile /\(path)/mail.private\n"
        try host.write("etc/signet/dkim.conf", lines)
        let before = try host.snapshot()
        let result = try host.apply()
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(
            host.text("etc/signet/dkim.conf")
                == lines + "KeyDirectory      /etc/signet/keys\nMode              s\n")
        #expect(result.output.contains("the keys of old.example in /etc/signet/keys sign as well"))
        #expect(host.text("etc/signet/KeyTable").isEmpty)
        #expect(try host.apply().output.hasPrefix("This host is set up"))
        #expect(try host.signet(["setup", "--undo", "--yes"]).succeeded)
        #expect(try host.snapshot() == before)
    }

    @Test func `a relay that signs needs no key here, but its records`() throws {
        let host = try HostTree(main: "relayhost = [smtp.sendgrid.net]:587\n")
        let result = try host.apply()
        #expect(result.succeeded)
        #expect(result.output.contains("SendGrid signs"))
        #expect(result.output.contains("s1._domainkey.example.org.\tIN\tCNAME"))
        #expect(host.text("etc/signet/KeyTable").isEmpty)
        #expect(
            try host.postconf(["-h", "smtpd_milters"])
                == "unix:signet/scrub.sock, unix:signet/dmarc.sock\n")
        #expect(
            try host.apply(["--signer", "here"]).output.contains("mail._domainkey.example.org"))
        #expect(!host.text("etc/signet/KeyTable").isEmpty)
    }

    @Test func `Dovecot's submissions are recognized in both syntaxes`() throws {
        for text in [
            "protocols = imap submission\nsubmission_relay_host = localhost\n",
            "protocols {\n  imap = yes\n  submission = yes\n}\nsubmission_relay_host = localhost\n",
        ] {
            let host = try HostTree(withSubmission: false)
            try host.makeDirectory("etc/dovecot")
            try host.makeDirectory("etc/dovecot/conf.d")
            try host.write("etc/dovecot/dovecot.conf", "!include conf.d/*.conf\n")
            try host.write("etc/dovecot/conf.d/20-submission.conf", text)
            let result = try host.apply()
            #expect(result.output.contains("\n_submissions._tcp.example.org.\tIN"))
            #expect(result.output.contains("\n_imaps._tcp.example.org.\tIN"))
            #expect(
                host.text("etc/signet/scrub.conf").contains("\nInternalHosts     127.0.0.1, ::1"))
        }
    }

    @Test func `another domain gets keys of its own, and the first one keeps its`() throws {
        let host = try HostTree()
        try host.apply()
        let first = try host.snapshot().filter { $0.key.hasSuffix(".private") }
        let result = try host.signet([
            "setup", "example.org", "example.net", "--apply", "--yes", "--json",
        ])
        #expect(result.succeeded)
        let second = try host.snapshot().filter { $0.key.hasSuffix(".private") }
        #expect(second.count == 4)
        #expect(second.filter { first[$0.key] != nil } == first)
        #expect(host.text("etc/signet/SigningTable").split(separator: "\n").count == 4)
        // Only the last one is undone.
        #expect(try host.signet(["setup", "--undo", "--yes"]).succeeded)
        #expect(try host.snapshot().filter { $0.key.hasSuffix(".private") } == first)
    }

    /// The command is killed at random moments of its life, and run again.
    @Test func `killed at thirty random moments, the next run completes or nothing was begun`()
        throws
    {
        var random = SeededGenerator(seed: 30)
        var partial = 0
        let whole = try HostTree()
        let clock = ContinuousClock()
        let duration = try clock.measure { _ = try whole.apply() }
        let complete = try whole.snapshot().filter { !$0.key.contains("/keys/") }.keys.sorted()
        for _ in 0..<30 {
            let host = try HostTree()
            let before = try host.snapshot()
            let process = try ChildProcess(
                DaemonProcess.path(of: "signet"),
                [
                    "setup", "example.org", "--apply", "--yes", "--address", "192.0.2.1", "--root",
                    host.path,
                ])
            let part = Double.random(in: 0...1.2, using: &random)
            usleep(UInt32(part * Double(duration.components.attoseconds) / 1e12))
            process.kill()
            let isBegun = host.text("var/lib/signet/setup/000001/manifest").isEmpty == false
            if isBegun, host.text("var/lib/signet/setup/000001/applied") != "" { partial += 1 }
            if !isBegun { #expect(try host.snapshot() == before) }
            let again = try host.apply()
            #expect(again.succeeded, "\(again.errors)")
            let now = try host.snapshot()
            #expect(now.filter { !$0.key.contains("/keys/") }.keys.sorted() == complete)
            #expect(try host.apply().output.hasPrefix("This host is set up"))
            #expect(try host.signet(["setup", "--undo", "--yes"]).succeeded)
            #expect(try host.snapshot() == before)
        }
    }
}

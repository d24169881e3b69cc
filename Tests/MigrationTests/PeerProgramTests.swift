import Foundation
import TestKit
import Testing

@testable import Migration

/// dkimpy-milter and policyd-spf themselves beside what is made of their configurations: the same messages, the same signatures and
/// verdicts, or a difference that is listed here with its reason.
@Suite(
    .serialized,
    .enabled(if: PeerNetwork.isPossible, "NSD or a network of its own is not to be had"))
struct PeerProgramTests {
    private static func isHere(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: path)
    }

    // MARK: policyd-spf

    /// One question, and how the answers differ where they do.
    private struct Question {
        let client: String
        let helo: String
        let sender: String
        var difference: (theirs: String, ours: String, why: String)?

        var text: String {
            """
            request=smtpd_access_policy
            protocol_state=RCPT
            protocol_name=ESMTP
            client_address=\(client)
            client_name=unknown
            helo_name=\(helo)
            sender=\(sender)
            recipient=bob@example.org
            recipient_count=0
            instance=\(client).\(helo).\(sender)


            """
        }
    }

    private static let zone = """
        host.example.   IN TXT "v=spf1 a -all"
        host.example.   IN A 192.0.2.1
        pass.example.   IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        fail.example.   IN TXT "v=spf1 -all"
        soft.example.   IN TXT "v=spf1 ~all"
        neutral.example. IN TXT "v=spf1 ?all"
        none.example.   IN A 192.0.2.9
        two.example.    IN TXT "v=spf1 -all"
        two.example.    IN TXT "v=spf1 +all"
        bad.example.    IN TXT "v=spf1 ip4:none -all"
        loop.example.   IN TXT "v=spf1 include:loop.example -all"
        six.example.    IN TXT "v=spf1 ip6:2001:db8::/32 -all"

        """

    private static let questions: [Question] = [
        Question(client: "192.0.2.1", helo: "host.example", sender: "a@pass.example"),
        Question(client: "198.51.100.1", helo: "none.example", sender: "a@pass.example"),
        Question(client: "192.0.2.1", helo: "host.example", sender: "a@fail.example"),
        Question(client: "192.0.2.1", helo: "host.example", sender: "a@soft.example"),
        Question(client: "192.0.2.1", helo: "host.example", sender: "a@neutral.example"),
        Question(client: "192.0.2.1", helo: "none.example", sender: "a@none.example"),
        Question(client: "192.0.2.1", helo: "none.example", sender: "a@two.example"),
        Question(client: "192.0.2.1", helo: "none.example", sender: "a@bad.example"),
        Question(client: "192.0.2.1", helo: "none.example", sender: "a@loop.example"),
        Question(client: "192.0.2.1", helo: "fail.example", sender: "a@pass.example"),
        Question(client: "192.0.2.1", helo: "host.example", sender: ""),
        Question(client: "198.51.100.1", helo: "host.example", sender: ""),
        Question(client: "2001:db8::1", helo: "none.example", sender: "a@six.example"),
        Question(client: "127.0.0.1", helo: "none.example", sender: "a@fail.example"),
    ]

    /// What an answer decides: the reply's code, or the result and its identity in the field that is prepended.
    private static func decision(_ answer: Substring) -> String {
        let words = answer.split(separator: " ").map(String.init)
        guard words.first?.lowercased() == "prepend", words.count > 2 else {
            return words.prefix(2).joined(separator: " ").uppercased()
        }
        let identity = words.first { $0.hasPrefix("identity=") } ?? ""
        return ([words[1], words[2].lowercased()] + (identity.isEmpty ? [] : [identity]))
            .joined(separator: " ")
    }

    @Test(.enabled(if: isHere("/usr/bin/policyd-spf"), "policyd-spf is not installed"))
    func `policyd-spf's answers are ours, and --shadow compares them by its log`() throws {
        let place = "etc/postfix-policyd-spf-python/policyd-spf.conf"
        let restrictions = "check_policy_service unix:private/policyd-spf"
        let tree = try PeerTree([
            place: PeerTree.fixtures == nil
                ? "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\n"
                    + "PermError_reject = False\nTempError_Defer = False\n"
                    + "skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1\n"
                : PeerTree.fixture("debian-defaults/policyd-spf.conf"),
            "etc/postfix/main.cf": "smtpd_recipient_restrictions = \(restrictions)\n",
            "etc/postfix/master.cf":
                "policyd-spf unix - n n - 0 spawn\n  user=policyd-spf argv=/usr/bin/policyd-spf\n",
        ])
        #expect(try tree.migrate(["--shadow"]).succeeded)
        try tree.write(
            "etc/postfix/main.cf",
            "smtpd_recipient_restrictions = \(restrictions), check_policy_service unix:signet/spf.sock\n"
        )
        let shadow = tree.text("etc/signet/spf.conf")
        let here = "Nameservers 127.0.0.1\nMetrics none\n"
        try tree.write(
            "run/acting.conf",
            shadow.replacing("Shadow", with: "# Shadow") + here + "FlightRecord none\n")
        try tree.write(
            "run/shadow.conf",
            shadow + here + "FlightRecord \(tree.path)/var/lib/signet-spf/flight\n")
        try tree.write("var/lib/signet-spf/README", "")
        try tree.write("run/questions", Self.questions.map(\.text).joined())
        let ours = try DaemonProcess.path(of: "signet-spf")
        let run = "\(tree.path)/run"
        let network = try PeerNetwork(Self.zone)
        defer { withExtendedLifetime(network) {} }
        let result = try Command.run(
            "/usr/bin/unshare",
            network.arguments(
                """
                /usr/bin/policyd-spf "\(tree.path)/\(place)" < \(run)/questions > \(run)/theirs
                "\(ours)" --stdio -x \(run)/acting.conf < \(run)/questions > \(run)/ours
                "\(ours)" --stdio -x \(run)/shadow.conf < \(run)/questions > \(run)/silent
                """), seconds: 120)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let answers = ["theirs", "ours", "silent"].map { name in
            tree.text("run/\(name)").split(separator: "\n").map { $0.dropFirst("action=".count) }
        }
        try #require(answers.allSatisfy { $0.count == Self.questions.count }, "\(answers)")
        #expect(answers[2].allSatisfy { $0 == "DUNNO" })
        for (index, question) in Self.questions.enumerated() {
            let (theirs, own) = (
                Self.decision(answers[0][index]), Self.decision(answers[1][index])
            )
            #expect(
                theirs == question.difference?.theirs ?? own, "\(question): \(answers[1][index])")
            #expect(own == question.difference?.ours ?? theirs, "\(question): \(answers[0][index])")
        }
        try compareShadow(tree, answers[0])
    }

    /// The lines that the program writes to syslog are its answers: in a tree they stand in mail.log.
    private func compareShadow(_ tree: PeerTree, _ answers: [Substring]) throws {
        let date = ISO8601DateFormatter().string(from: Date())
        func write(_ answers: [String]) throws {
            let lines = answers.map { "\(date) host policyd-spf[17]: \($0)\n" }
            try tree.write("var/log/mail.log", lines.joined())
        }
        let lines = answers.map(String.init)
        try write(lines)
        let same = try tree.migrate(["--shadow"])
        let compared = answers.count { $0.contains("identity=") }
        #expect(
            same.output.hasPrefix("✔ no difference in \(compared) comparisons"), "\(same.output)")
        // Had the other one found something else.
        try write(
            lines.map {
                $0.contains("pass.example") ? $0.replacing("SPF: Pass", with: "SPF: Softfail") : $0
            })
        let other = try tree.migrate(["--shadow"])
        #expect(other.output.contains("spf=softfail there, pass here"), "\(other.output)")
        // Without its lines nothing is claimed.
        try write([])
        #expect(try tree.migrate(["--shadow"]).output.contains("debugLevel 1 or more"))
    }

    @Test(arguments: [
        (
            "prepend Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; "
                + "helo=host.example; envelope-from=a@pass.example; receiver=<UNKNOWN> ",
            "pass", false, "a@pass.example"
        ),
        (
            "prepend Received-SPF: None (no SPF record) identity=helo; client-ip=192.0.2.1; "
                + "helo=host.example; envelope-from=<>; receiver=<UNKNOWN> ", "none", true, "<>"
        ),
        (
            "prepend Authentication-Results: mx.example; spf=fail (SPF fail - not authorized) "
                + "smtp.mailfrom=fail.example (client-ip=192.0.2.1; helo=host.example; "
                + "envelope-from=a@fail.example; receiver=b@example.org)", "fail", false,
            "a@fail.example"
        ),
    ])
    func `a line of policyd-spf is read`(
        _ text: String, _ result: String, _ isOfHelo: Bool, _ sender: String
    ) throws {
        let line = try #require(PolicydLine(text))
        #expect(line.result == result)
        #expect(line.isOfHelo == isOfHelo)
        #expect(line.sender == sender)
        #expect(line.client == "192.0.2.1")
        #expect(line.helo == "host.example")
    }

    @Test(arguments: [
        "", "550 5.7.23 Message rejected", "prepend X-Comment: skipped", "Received-SPF: ",
    ])
    func `any other line is none`(_ text: String) { #expect(PolicydLine(text) == nil) }

    // MARK: dkimpy-milter

    private static let message = """
        From: Ann <ann@example.org>
        To: bob@example.com
        Subject: one  two
        Date: Sat, 21 Nov 2026 08:00:00 +0000
        Message-ID: <a@b>

        Hello,  \("\t")
         there


        """

    @Test(.enabled(if: isHere("/usr/bin/dkimpy-milter"), "dkimpy-milter is not installed"))
    func `dkimpy-milter's signatures and verdicts are ours`() throws {
        let keys = try SigningKeys()
        let place = "etc/dkimpy-milter/dkimpy-milter.conf"
        let fixture =
            PeerTree.fixtures == nil
            ? "Syslog yes\nUMask 007\n" : try PeerTree.fixture("debian-defaults/dkimpy-milter.conf")
        let tree = try PeerTree([:])
        try tree.write(
            place,
            fixture
                + """

                Mode sv
                Domain example.org
                Selector mail
                KeyFile \(keys.directory.file("mail.private"))
                Canonicalization relaxed/simple
                AuthservID mx.example.org
                InternalHosts 127.0.0.1

                """)
        let migrated = try tree.migrate()
        #expect(tree.text("etc/signet/dkim.conf").contains("KeyFile"), "\(migrated.output)")
        let dns = try NSDServer(keys.zone)
        defer { dns.stop() }
        let ours = try DaemonProcess(
            "signet-dkim",
            configuration: Self.here(tree.text("etc/signet/dkim.conf"))
                + "Socket unix:\(tree.path)/ours\nNameservers \(dns.nameserver)\n")
        defer { ours.kill() }
        try tree.write(
            "theirs.conf",
            Self.here(tree.text(place))
                + "UserID root\nPidFile \(tree.path)/theirs.pid\nSocket local:\(tree.path)/theirs\n"
        )
        let network = try PeerNetwork(keys.zone)
        defer { withExtendedLifetime(network) {} }
        let theirs = try ChildProcess(
            "/usr/bin/unshare",
            network.arguments("/usr/bin/dkimpy-milter \(tree.path)/theirs.conf"))
        defer { theirs.kill() }
        _ = try wait(for: "dkimpy-milter to listen") {
            try? LoopbackSocket.connect(path: "\(tree.path)/theirs")
        }
        var own = Envelope()
        (own.clientAddress, own.clientName) = ("127.0.0.1", "localhost")
        var signed: [MailMessage] = []
        let tags = try ["ours", "theirs"].map { name in
            let outcome = try FakeMTA(.unix("\(tree.path)/\(name)")).deliver(
                MailMessage(Self.message), own)
            signed.append(outcome.message)
            return outcome.message.values("DKIM-Signature").map(PeerText.signature)
        }
        #expect(tags[0] == tags[1])
        #expect(tags[0].count == 1)
        // Each verifies what the other has signed, and finds the same in what was changed.
        for message in signed {
            var other = message
            other.body = Array("Changed.\r\n".utf8)
            for (changed, result) in [(message, "pass"), (other, "fail")] {
                let verdicts = try ["ours", "theirs"].map { name in
                    let outcome = try FakeMTA(.unix("\(tree.path)/\(name)")).deliver(
                        changed, Envelope())
                    return outcome.message.values("Authentication-Results").map(Self.verdict)
                }
                #expect(verdicts[0] == verdicts[1])
                #expect(verdicts[0] == ["dkim=\(result)"])
            }
        }
    }

    /// A configuration without what says how the program runs on its host.
    private static func here(_ text: String) -> String {
        PeerText.configuration(text, without: ["Socket", "UserID", "PidFile", "Syslog", "UMask"])
    }

    /// The result of a field, without its comment and properties.
    private static func verdict(_ value: String) -> String {
        value.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("dkim=") }
            .map(String.init) ?? value
    }
}

import Foundation
import ReportStore
import TestKit
import Testing

/// `signet report preview` as scripts use it.
@Suite("signet report")
struct ReportCommandTests {
    /// 2026-11-18.
    private static let day: Int64 = 20_775

    private func makeStore(_ path: String, day: Int64 = Self.day) throws {
        var evaluation = Evaluation(
            received: day * 86_400, reporter: "mx.receiver.example", headerFrom: "example.com",
            result: "pass", disposition: "none")
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.policy = Evaluation.Policy(
            domain: "example.com", applied: "none", p: "none",
            reportAddresses: ["mailto:d@example.com", "https://example.com/d"])
        var second = evaluation
        second.policy?.domain = "second.example"
        var silent = evaluation
        silent.policy = Evaluation.Policy(domain: "silent.example", applied: "none", p: "none")
        try SQLiteReportStore(path: path).write([evaluation, evaluation, second, silent])
    }

    @Test func `each report's recipients, subject and file are printed`() throws {
        let folder = try TemporaryDirectory("signet-preview")
        try makeStore(folder.file("reports.db"))
        let arguments = [
            "report", "preview", "--store", folder.file("reports.db"), "--day", "2026-11-18",
            "--email", "dmarc@receiver.example",
        ]
        let all = try SignetCommand.run(arguments)
        #expect(all.status == 0, "\(all.errors)")
        let lines = all.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 8)
        #expect(lines.first == "example.com 2026-11-18: 2 messages in 1 record")
        #expect(lines[1] == "  To: mailto:d@example.com")
        #expect(
            lines[2].hasPrefix(
                "  Subject: Report Domain: example.com Submitter: receiver.example Report-ID: <"))
        #expect(lines[3].hasPrefix("  File: receiver.example!example.com!1794960000!1795046399!"))
        #expect(lines[4] == "second.example 2026-11-18: 1 message in 1 record")

        let one = try SignetCommand.run(
            arguments + ["--xml", "--organization", "A & B", "Second.example"])
        #expect(one.output.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback "))
        #expect(one.output.components(separatedBy: "</feedback>").count == 2)
        #expect(one.output.contains("<org_name>A &amp; B</org_name>"))
        #expect(one.output.contains("<domain>second.example</domain>"))
        // Nothing on other days.
        let none = try SignetCommand.run([
            "report", "preview", "--store", folder.file("reports.db"), "--day", "2026-11-17",
        ])
        #expect(none.status == 0)
        #expect(none.output.isEmpty)
        #expect(none.errors == "signet: no message was counted on 2026-11-17\n")
    }

    @Test func `a domain without a report is told why`() throws {
        let folder = try TemporaryDirectory("signet-preview")
        try makeStore(folder.file("reports.db"))
        for (domain, reason) in [
            ("exmaple.com", "no message was counted on 2026-11-18 under the policy of exmaple.com"),
            (
                "silent.example",
                "silent.example: its DMARC record of 2026-11-18 names no mail address for reports"
            ),
        ] {
            let run = try SignetCommand.run([
                "report", "preview", "--store", folder.file("reports.db"), "--day", "2026-11-18",
                domain,
            ])
            #expect(run.status == 0 && run.output.isEmpty)
            #expect(run.errors == "signet: \(reason)\n")
        }
    }

    /// Arguments with which everything stays in a folder: the program appends each mail to `mails`.
    private func sending(
        _ folder: TemporaryDirectory, day: String? = "2026-11-18"
    ) throws -> [String] {
        let script = """
            #!/bin/sh
            dir=\(folder.path)
            copy=$(mktemp "$dir/mail.XXXXXX")
            { printf '%s\\n' "$*"; cat; } > "$copy"
            mv "$copy" "$dir/taken.${copy##*.}"
            """
        let program = try folder.write(script, to: "sendmail", mode: 0o755)
        _ = try folder.write(Array("$ORIGIN .\n".utf8), to: "zone")
        return [
            "report", "send", "--store", folder.file("reports.db"), "--organization", "Receiver",
            "--email", "dmarc@receiver.example", "--sendmail", program, "--zone",
            folder.file("zone"), "--per-minute", "0",
        ] + (day.map { ["--day", $0] } ?? [])
    }

    /// The mails that were handed over.
    private func mails(_ folder: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("taken.") }
            .map { try String(contentsOfFile: folder.file($0), encoding: .utf8) }
    }

    @Test func `reports are sent once, and their state is told`() throws {
        let folder = try TemporaryDirectory("signet-send")
        try makeStore(folder.file("reports.db"))
        let arguments = try sending(folder)
        let dry = try SignetCommand.run(arguments + ["--dry-run"])
        #expect(dry.status == 0, "\(dry.errors)")
        #expect(
            dry.output == """
                example.com 2026-11-18: 2 messages in 1 record
                  to mailto:d@example.com
                second.example 2026-11-18: 1 message in 1 record
                  not to mailto:d@example.com: second.example._report._dmarc.example.com does not say that example.com wants them

                """)
        #expect(try mails(folder).isEmpty)
        for run in 0..<2 {
            let sent = try SignetCommand.run(arguments)
            #expect(sent.status == 0, "\(sent.errors)")
            #expect(
                sent.output.hasSuffix(
                    run == 0
                        ? "sent 1, waiting 0, failed 0, refused 1, suppressed 0\n"
                        : "sent 0, waiting 0, failed 0, refused 0, suppressed 0\n"))
        }
        let mails = try mails(folder)
        #expect(mails.count == 1)
        #expect(
            mails.first?.hasPrefix(
                "-i -f dmarc@receiver.example -- d@example.com\nTo: <d@example.com>\n"
                    + "From: \"Receiver\" <dmarc@receiver.example>\n") == true)
        let status = try SignetCommand.run([
            "report", "status", "--store", folder.file("reports.db"),
        ])
        #expect(
            status.output == """
                sent 1, waiting 0, failed 0, refused 1, suppressed 0
                refused: second.example 2026-11-18 to mailto:d@example.com: second.example._report._dmarc.example.com does not say that example.com wants them

                """)
        let json = try SignetCommand.run([
            "report", "status", "--json", "--store", folder.file("reports.db"),
        ]).object()
        #expect(json?["sent"] as? Int == 1 && json?["refused"] as? Int == 1)
        let reports = try #require(json?["reports"] as? [[String: Any]])
        #expect(reports.map { $0["state"] as? String } == ["sent", "refused"])
        #expect(reports.first?["domain"] as? String == "example.com")
        #expect(reports.first?["day"] as? String == "2026-11-18")
    }

    /// What the stores have can be looked at on a disk that has become read-only.
    @Test(.enabled(if: getuid() == 0, "only root may mount"))
    func `stores on a disk that nobody can write are read`() throws {
        let folder = try TemporaryDirectory("signet-read-only")
        try folder.makeDirectory("disk 50%3F")
        let disk = folder.file("disk 50%3F")
        try makeStore("\(disk)/reports.db")
        try folder.write(ReportImportTests.report(), to: "1.xml")
        let taken = try SignetCommand.run([
            "report", "import", "--any-domain", "--store", "\(disk)/r.db", folder.file("1.xml"),
        ])
        #expect(taken.status == 0, "\(taken.errors)")
        func run(_ arguments: String...) throws -> Command.Result {
            let mounts = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\""
            return try Command.run(
                "/usr/bin/unshare",
                [
                    "--mount", "--propagation", "private", "/bin/sh", "-c",
                    "\(mounts) && exec \"$@\"", disk, try DaemonProcess.path(of: "signet"),
                    "report",
                ] + arguments)
        }
        let preview = try run(
            "preview", "--store", "\(disk)/reports.db", "--day", "2026-11-18", "--email",
            "dmarc@receiver.example")
        #expect(preview.output.hasPrefix("example.com 2026-11-18: 2 messages"), "\(preview.errors)")
        #expect(try run("status", "--store", "\(disk)/reports.db").output.hasPrefix("sent 0, "))
        #expect(try run("show", "--store", "\(disk)/r.db").output.hasPrefix("example.org: 100 %"))
        let refused = try run("import", "--any-domain", "--store", "\(disk)/r.db", "/dev/null")
        #expect(refused.end == .exited(75), "\(refused.output)\(refused.errors)")
    }

    /// A run by a clock that was days ahead has recorded that those days are done.
    @Test func `days that a clock was ahead by get their reports`() throws {
        let folder = try TemporaryDirectory("signet-send")
        let path = folder.file("reports.db")
        let yesterday = Int64(Date().timeIntervalSince1970) / 86_400 - 1
        try makeStore(path, day: yesterday)
        for ahead in 2...4 {
            try SQLiteReportOutbox(path: path).finish(yesterday + Int64(ahead))
        }
        let arguments = try sending(folder, day: nil)
        let dry = try SignetCommand.run(arguments + ["--dry-run"])
        #expect(dry.output.hasPrefix("example.com "), "\(dry.output)\(dry.errors)")
        let sent = try SignetCommand.run(arguments)
        #expect(sent.output.contains(": 2 reports made\n"), "\(sent.output)\(sent.errors)")
        let outbox = try SQLiteReportOutbox(path: path, isReadOnly: true)
        #expect(try outbox.lastDay(before: .max) == yesterday)
    }

    @Test func `the configuration says who reports and who gets none`() throws {
        let folder = try TemporaryDirectory("signet-send")
        try makeStore(folder.file("reports.db"))
        let arguments = try sending(folder)
        let configuration = """
            # What the daemon alone needs is passed over.
            RejectFailures yes
            ReportStore \(folder.file("reports.db"))
            OrganizationName Receiver & Sons
            ReportEmail reports@receiver.example
            NoReports second.example
            """
        let path = try folder.write(Array(configuration.utf8), to: "dmarc.conf")
        let own = ["--store", "--organization", "--email"]
        var rest: [String] = []
        var index = 0
        while index < arguments.count {
            if own.contains(arguments[index]) {
                index += 2
            } else {
                rest.append(arguments[index])
                index += 1
            }
        }
        let sent = try SignetCommand.run(rest + ["-x", path])
        #expect(sent.status == 0, "\(sent.errors)")
        #expect(
            sent.output.hasSuffix("sent 1, waiting 0, failed 0, refused 0, suppressed 0\n"),
            "\(sent.output)")
        #expect(try mails(folder).first?.contains("\nFrom: \"Receiver & Sons\" <reports@") == true)
        let status = try SignetCommand.run(["report", "status", "-x", path])
        #expect(status.output.contains("suppressed: second.example 2026-11-18 to mailto:d@"))
        // Without a reporter nothing is sent; the timer's run takes that as it is.
        _ = try folder.write(Array("ReportStore \(folder.file("reports.db"))\n".utf8), to: "bare")
        let bare = try SignetCommand.run(rest + ["-x", folder.file("bare")])
        #expect(bare.status == 78)
        #expect(bare.errors.contains("OrganizationName and ReportEmail are not both set"))
        #expect(
            try SignetCommand.run(["report", "send", "--scheduled", "-x", folder.file("bare")])
                .status == 0)
        _ = try folder.write(Array("ReportEmail nobody\n".utf8), to: "wrong")
        let wrong = try SignetCommand.run(rest + ["-x", folder.file("wrong")])
        #expect(wrong.status == 78)
        #expect(wrong.errors.contains("is not a mail address"))
    }

    @Test func `a program that is missing or busy leaves everything for the next run`() throws {
        let folder = try TemporaryDirectory("signet-send")
        try makeStore(folder.file("reports.db"))
        let arguments = try sending(folder)
        let missing = try SignetCommand.run(arguments + ["--sendmail", folder.file("missing")])
        #expect(missing.status == 69)
        #expect(missing.errors.contains("cannot be run"))
        let busy = try folder.write(
            "#!/bin/sh\ncat >/dev/null; echo busy >&2; exit 75\n", to: "busy", mode: 0o755)
        let later = try SignetCommand.run(arguments + ["--sendmail", busy])
        #expect(later.status == 75)
        #expect(later.output.contains("waiting: example.com 2026-11-18 to mailto:d@example.com: "))
        #expect(later.output.contains("ended with status 75: busy"))
        // Not before its time.
        #expect(try SignetCommand.run(arguments).status == 0)
        #expect(try mails(folder).isEmpty)
    }

    /// Whatever ends a run, at whatever moment: no report is missing, and none is another one.
    @Test func `a run that is killed and run again sends each report, and the same`() throws {
        let folder = try TemporaryDirectory("signet-send")
        let domains = (0..<60).map { "d\($0).example" }
        try SQLiteReportStore(path: folder.file("reports.db")).write(
            domains.map { domain in
                var evaluation = Evaluation(
                    received: Self.day * 86_400, reporter: "mx.receiver.example",
                    headerFrom: domain, result: "pass", disposition: "none")
                evaluation.sourceAddress = "192.0.2.1"
                evaluation.policy = Evaluation.Policy(
                    domain: domain, applied: "none", p: "none",
                    reportAddresses: ["mailto:d@\(domain)"])
                return evaluation
            })
        let arguments = try sending(folder)
        let command = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "signet").path
        for kill in 0..<50 {
            let run = try ChildProcess(
                command, arguments,
                descriptors: [.file(folder.file("out"), as: 1), .file(folder.file("err"), as: 2)])
            usleep(UInt32(5_000 + kill * 8_000))
            run.kill()
            _ = try run.waitForEnd(seconds: 60)
        }
        // A program that outlived its run has the mail by now.
        let last = try wait(for: "the last run", seconds: 60) {
            let last = try SignetCommand.run(arguments)
            return last.status == 0 ? last : nil
        }
        #expect(last.output.contains("waiting 0, failed 0"))
        var contents: [String: Set<String>] = [:]
        for mail in try mails(folder) {
            let recipient = try #require(
                mail.split(separator: "\n").first?.split(separator: " ").last)
            contents[String(recipient), default: []].insert(mail)
        }
        #expect(Set(contents.keys) == Set(domains.map { "d@\($0)" }))
        #expect(contents.values.allSatisfy { $0.count == 1 })
    }

    @Test func `what cannot be read is said`() throws {
        let folder = try TemporaryDirectory("signet-preview")
        let missing = try SignetCommand.run(["report", "preview", "--store", folder.file("x.db")])
        #expect(missing.status == 66)
        #expect(missing.errors.contains("the store cannot be read: "))
        #expect(!FileManager.default.fileExists(atPath: folder.file("x.db")))
        for command in ["send", "status"] {
            let result = try SignetCommand.run([
                "report", command, "--store", folder.file("x.db"), "--organization", "x",
                "--email", "x@example.org",
            ])
            #expect(result.status == 66, "\(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("x.db")))
        // No day that is not over.
        #expect(try SignetCommand.run(["report", "send", "--day", "9999-01-01"]).status == 64)
        for day in ["2026-02-29", "2026-13-01", "20261118", "1969-12-31", "2026-1-1", "a"] {
            #expect(try SignetCommand.run(["report", "preview", "--day", day]).status == 64)
            #expect(try SignetCommand.run(["report", "send", "--day", day]).status == 64)
        }
    }
}

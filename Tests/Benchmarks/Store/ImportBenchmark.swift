import Foundation
import ReportInsight
import ReportReading
import ReportStore
import Reports

/// Measures the way in: 100,000 reports of ten rows each over a year are read as the mails that they come in and stored, and then shown.
///
/// Each part runs in a process of its own, whose CPU time counts and whose memory at its most is printed. The exit status is 1 where fewer
/// than 2,000 reports a second come in or that takes more than 64 MB, and where the text or the page takes more than 2 seconds or 100 MB.
enum ImportBenchmark {
    private static let rows = 10
    private static let days: Int64 = 365
    private static let batch = 1000

    static func run(_ arguments: [String]) throws {
        if arguments.count == 3 {
            let (part, path) = (arguments[0], arguments[1])
            let count = Int(arguments[2]) ?? 0
            if part == "in" { try takeIn(path, count) } else { try show(path, part) }
            return
        }
        let count = arguments.first.flatMap { Int($0) } ?? 100_000
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "signet-import-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var isGood = true
        for part in ["in", "text", "page"] {
            let child = Process()
            child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            child.arguments = [
                "import", part, folder.appendingPathComponent("r.db").path, String(count),
            ]
            try child.run()
            child.waitUntilExit()
            isGood = isGood && child.terminationStatus == 0
        }
        if !isGood { exit(1) }
    }

    /// A mail with the report of one of 500 reporters about one of 50 domains and one day.
    private static func mail(_ number: Int) throws -> (octets: [UInt8], unpacked: Int) {
        let (domain, day) = (number % 50, 19_700 + Int64(number / 50) % days)
        let begin = day * 86_400
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <feedback><version>1.0</version><report_metadata><org_name>Reporter \(number % 500)</org_name>
            <email>d@reporter\(number % 500).example</email><report_id>r\(number)</report_id>
            <date_range><begin>\(begin)</begin><end>\(begin + 86_399)</end></date_range></report_metadata>
            <policy_published><domain>domain\(domain).example</domain><adkim>r</adkim><aspf>r</aspf>
            <p>none</p><sp>none</sp><pct>100</pct></policy_published>

            """
        for row in 0..<rows {
            // Most rows are of few sources; one in ten is of a stranger.
            let isStrange = row == 9
            let source =
                isStrange ? "203.0.\(number / 250 % 250).\(number % 250)" : "192.0.2.\(row)"
            let result = isStrange ? "fail" : "pass"
            text += """
                <record><row><source_ip>\(source)</source_ip><count>\(row + 1)</count><policy_evaluated>
                <disposition>none</disposition><dkim>\(result)</dkim><spf>\(result)</spf></policy_evaluated></row>
                <identifiers><header_from>domain\(domain).example</header_from></identifiers><auth_results>
                <dkim><domain>domain\(domain).example</domain><selector>s\(row % 2)</selector><result>\(result)</result></dkim>
                <spf><domain>domain\(domain).example</domain><result>\(result)</result></spf></auth_results></record>

                """
        }
        text += "</feedback>\n"
        let packed = Data(try Gzip.compressed(Array(text.utf8))).base64EncodedString(
            options: [.lineLength76Characters, .endLineWithCarriageReturn])
        let octets = Array(
            """
            From: d@reporter\(number % 500).example\r
            Subject: Report domain: domain\(domain).example\r
            MIME-Version: 1.0\r
            Content-Type: application/gzip; name="r.xml.gz"\r
            Content-Transfer-Encoding: base64\r
            \r
            \(packed)\r

            """.utf8)
        return (octets, text.utf8.count)
    }

    private static func takeIn(_ path: String, _ count: Int) throws {
        let store = try ReceivedReportStore(.file(path))
        var (spent, waited) = (0.0, Duration.zero)
        var unpacked = 0
        for start in stride(from: 0, to: count, by: batch) {
            let mails = try (start..<min(count, start + batch)).map(mail)
            unpacked += mails.reduce(0) { $0 + $1.unpacked }
            let before = cpuSeconds()
            waited += try ContinuousClock().measure {
                var reports: [ReceivedReport] = []
                for mail in mails {
                    for case .report(let report) in ReportReader.read(mail.octets) {
                        reports.append(report)
                    }
                }
                guard try store.add(reports, at: 0) == mails.map({ _ in true }) else { exit(1) }
            }
            spent += cpuSeconds() - before
        }
        let (rate, octets) = (Double(count) / spent, Double(unpacked) / 1e6 / spent)
        let megabytes = try peak()
        print(
            String(
                format:
                    "in    %8.0f reports/s  %6.1f MB/s of XML  %4.0f MB  (%.0f s by the clock)",
                rate, octets, megabytes, waited / .seconds(1)))
        if rate < 2000 && octets < 30 || megabytes > 64 { exit(1) }
    }

    private static func show(_ path: String, _ part: String) throws {
        var length = 0
        let before = cpuSeconds()
        let waited = try ContinuousClock().measure {
            let store = try ReceivedReportStore(.file(path), isReadOnly: true)
            var insight = try Insight(of: store, since: nil, today: 19_700 + days)
            insight.apply(InsightFacts())
            length =
                part == "text"
                ? InsightText(insight, width: 120).lines().count
                : InsightPage(insight).html().utf8.count
        }
        let (seconds, megabytes) = (cpuSeconds() - before, try peak())
        print(
            String(
                format: "%@  %8.1f s  %4.0f MB  (%.1f s by the clock)", part, seconds, megabytes,
                waited / .seconds(1)))
        if length == 0 || seconds > 2 || megabytes > 100 { exit(1) }
    }

    /// What this process has taken of the CPU, in seconds.
    private static func cpuSeconds() -> Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The most memory that this process had, in megabytes.
    private static func peak() throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Double(line.split(separator: " ").dropFirst().first ?? "") ?? 0) / 1024
    }
}

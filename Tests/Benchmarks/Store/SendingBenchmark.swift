import Foundation
import MailAuth
import MailDNS
import MailSyntax
import ReportStore
import Reports
import Threads

/// Measures how long the aggregate reports about 10,000 domains take, out of stores with 10⁴, 10⁵ and 10⁶ grouped rows, from the
/// store to a sink that takes every mail.
///
/// Each store is reported by a process of its own, whose memory at its most is printed. The exit status is 1 where a million rows take
/// more than 60 seconds or 200 MB.
enum SendingBenchmark {
    private static let domains = 10_000
    private static let timeLimit = 60.0
    private static let memoryLimit = 200.0

    static func run(_ arguments: [String]) throws {
        if arguments.count == 2, arguments[0] == "from" { return try send(from: arguments[1]) }
        let most = arguments.first.flatMap { Int($0) } ?? 1_000_000
        print("      rows  made in s  sent in s    MB")
        var rows = 10_000
        while rows <= most {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
                "signet-sending-\(ProcessInfo.processInfo.processIdentifier)-\(rows)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.appendingPathComponent("reports.db").path
            try fill(path, rows: rows)
            print(String(format: "%10d", rows), terminator: "")
            fflush(nil)
            let child = Process()
            child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            child.arguments = ["send", "from", path]
            try child.run()
            child.waitUntilExit()
            if child.terminationStatus != 0 { exit(1) }
            rows *= 10
        }
    }

    /// Writes so many rows, the same number for each domain.
    private static func fill(_ path: String, rows: Int) throws {
        let store = SQLiteReportStore(path: path, limit: 1 << 34)
        var batch: [Evaluation] = []
        for row in 0..<rows {
            let (domain, source) = (row % domains, row / domains)
            batch.append(evaluation(domain, source))
            if batch.count == 5000 {
                try store.write(batch)
                batch = []
            }
        }
        try store.write(batch)
    }

    private static func evaluation(_ domain: Int, _ source: Int) -> Evaluation {
        let name = "mail\(domain).example-company.test"
        let isForwarded = source % 10 == 9
        var evaluation = Evaluation(
            received: Traffic.day * 86_400, reporter: "mx.receiver.test", headerFrom: name,
            result: "pass", disposition: "none")
        evaluation.sourceAddress = "2001:db8:\(String(domain, radix: 16))::\(source)"
        evaluation.envelopeFrom = isForwarded ? "f\(source).forwarder.test" : "bounce.\(name)"
        evaluation.envelopeTo = "receiver.test"
        evaluation.policy = Evaluation.Policy(
            domain: name, applied: "quarantine", p: "quarantine",
            reportAddresses: ["mailto:dmarc@\(name)", "mailto:\(domain)@reports.test"])
        evaluation.isDKIMAligned = true
        evaluation.isSPFAligned = !isForwarded
        evaluation.authentications = [
            .init(mechanism: "dkim", domain: name, selector: "s\(source % 4)", result: "pass"),
            .init(
                mechanism: "spf", domain: evaluation.envelopeFrom ?? name, scope: "mfrom",
                result: isForwarded ? "softfail" : "pass"),
        ]
        return evaluation
    }

    private final class Sink: MailHandover {
        var mails = 0

        func send(
            _ mail: String, from sender: String, to recipient: String
        ) throws(ReportError) -> HandoverOutcome {
            mails += 1
            return .taken
        }
    }

    /// Says of every destination that it wants reports, and of no domain that it has a policy.
    private struct Willing: DNSResolver {
        func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
            guard question.type == .txt, question.name.ascii.contains("_report._dmarc") else {
                return .ready(.nameError(.insecure))
            }
            return .ready(.records([.text([Array("v=DMARC1".utf8)])], .insecure))
        }
    }

    private static func send(from path: String) throws {
        let reporter = Reporter(
            organization: "Receiver", email: "dmarc@receiver.test", domain: "receiver.test",
            generator: "Signet")
        let location = StoreLocation.file(path)
        let outbox = try location.outbox()
        let time = (Traffic.day + 1) * 86_400
        let sink = Sink()
        let composing = try ContinuousClock().measure {
            _ = try ReportComposer(
                from: location.store(), to: outbox, by: reporter, except: ReportExclusions()
            ).compose(Traffic.day, at: time)
        }
        let sending = try ContinuousClock().measure {
            _ = try ReportSender(
                outbox, by: reporter, except: ReportExclusions(), resolver: Willing(),
                options: DMARCOptions(), handover: sink
            ).run(now: { time })
        }
        let (made, sent) = (composing / .seconds(1), sending / .seconds(1))
        let megabytes = try peak()
        print(String(format: "  %9.1f  %9.1f  %4.0f", made, sent, megabytes))
        let isWhole = sink.mails == 2 * domains
        if !isWhole || made + sent > timeLimit || megabytes > memoryLimit { exit(1) }
    }

    /// The most memory that this process had, in megabytes.
    private static func peak() throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Double(line.split(separator: " ").dropFirst().first ?? "") ?? 0) / 1024
    }
}

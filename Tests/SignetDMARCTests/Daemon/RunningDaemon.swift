import Foundation
import MailDNS
import TestKit
import Testing

/// A signet-dmarc in a process of its own, with a DNS server of ours to ask.
final class RunningDaemon {
    let dns: ScriptedDNSServer
    let process: DaemonProcess
    /// Its configuration, socket and records.
    let directory: TemporaryDirectory
    private let frame: String

    /// evil.example may send from anywhere; victim.example is protected.
    static let zone = """
        evil.example. TXT "v=spf1 +all"
        _dmarc.evil.example. TXT "v=DMARC1; p=none"
        _dmarc.victim.example. TXT "v=DMARC1; p=reject"

        """

    /// `wrapper` is a command that becomes the daemon.
    init(_ text: String = "", zone: String = zone, wrapper: [String] = []) throws {
        dns = try ScriptedDNSServer(ZoneResolver(parsing: zone))
        directory = try TemporaryDirectory("signet-dmarc")
        frame = """
            Socket unix:\(directory.file("s"))
            Nameservers \(dns.nameserver)
            DNSTimeout 2
            ReportStore \(directory.file("reports.db"))
            HistoryFile \(directory.file("history"))

            """
        process = try DaemonProcess(
            "signet-dmarc", configuration: frame + text, directory: directory, wrapper: wrapper)
    }

    deinit { dns.stop() }

    var mta: FakeMTA {
        var mta = FakeMTA(.unix(directory.file("s")))
        // Other tests may keep the machine busy.
        mta.timeout = 60
        return mta
    }

    /// An envelope from evil.example.
    var envelope: Envelope {
        var envelope = Envelope()
        envelope.mail = ["<x@evil.example>"]
        return envelope
    }

    /// DMARC's results of a delivered message, from its only field of ours.
    func dmarc(_ message: MailMessage, _ envelope: Envelope? = nil) throws -> String? {
        Self.dmarc(try mta.deliver(message, envelope ?? self.envelope))
    }

    /// DMARC's result in a message.
    static func dmarc(_ outcome: Outcome) -> String? {
        let fields = outcome.message.values("Authentication-Results")
        guard fields.count == 1 else { return "\(fields.count) fields" }
        return fields[0].firstMatch(of: /dmarc=([a-z]+)/).map { String($0.1) }
    }

    /// Changes the configuration, asks for a reload and waits for a new line that has these words.
    func reload(_ text: String, until words: String) throws {
        try directory.write(frame + text, to: "signet-dmarc.conf")
        let before = log(words)
        process.send(SIGHUP)
        _ = try wait(for: "\(words) in \(process.log)") { log(words) > before ? true : nil }
    }

    /// How many lines of the log have these words.
    func log(_ words: String) -> Int { process.log.count { $0.contains(words) } }

    /// The most memory that the process has had resident, in bytes (proc(5), VmHWM).
    var peakMemory: Int {
        get throws {
            let status = try String(
                contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
            return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1])) * 1024
        }
    }

    /// How many files and sockets the process has open.
    var openFiles: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count
        }
    }

    /// How many evaluations the store has, once it has been written.
    func recorded() throws -> Int {
        #expect(try process.stop() == .exited(0))
        let count = try Command.require(
            "sqlite3",
            [directory.file("reports.db"), "SELECT coalesce(sum(messages), 0) FROM evaluation"])
        return Int(count.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    }
}

extension Outcome {
    /// The code and enhanced code of a refusal.
    var refusal: String? {
        guard case .replied(let text) = decision else { return nil }
        return text.split(separator: " ").prefix(2).joined(separator: " ")
    }
}

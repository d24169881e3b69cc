import DaemonKit
import Explanation
import FlightRecord
import Foundation

/// The MTA's log: files, or the journal.
enum MailLogSource {
    case files([MailLogFile])
    case journal(since: Int64)

    private static let usualFiles = [
        "/var/log/mail.log.1", "/var/log/mail.log", "/var/log/maillog",
    ]
    /// The most octets of a log that are looked through: its end.
    private static let limit = 256 << 20
    /// The most that journalctl may give.
    private static let journalLimit = 16 << 20

    /// Opens the files that are named; without any, the usual ones, or the journal where there are none.
    init(named files: [String], since: Int64) throws {
        if files.isEmpty {
            let there = Self.usualFiles.compactMap(Self.octets)
            self = there.isEmpty ? .journal(since: since) : .files(there.map { MailLogFile($0) })
            return
        }
        self = .files(
            try files.map { path in
                guard let octets = Self.octets(path) else {
                    throw CommandFailure(.noInput, "\(path) cannot be read")
                }
                return MailLogFile(octets)
            })
    }

    private static func octets(_ path: String) -> [UInt8]? {
        guard let file = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)) else {
            return nil
        }
        defer { try? file.close() }
        guard let end = try? file.seekToEnd() else { return nil }
        try? file.seek(toOffset: end > UInt64(limit) ? end - UInt64(limit) : 0)
        do {
            // There is nothing at the end of an empty file.
            return Array(try file.read(upToCount: limit) ?? Data())
        } catch {
            return nil
        }
    }

    /// The lines in which one of some texts stands.
    func lines(with texts: [String]) -> [MailLogLine] {
        switch self {
        case .files(let files):
            return files.flatMap { $0.lines(with: texts, calendar: Self.calendar) }
        case .journal(let since):
            guard let octets = Self.journal(texts, since: since) else { return [] }
            return MailLogFile(octets).lines(with: texts, calendar: Self.calendar)
        }
    }

    /// What the journal has of the mail facility; nil where there is no journal.
    private static func journal(_ texts: [String], since: Int64) -> [UInt8]? {
        let path = "/usr/bin/journalctl"
        guard FileManager.default.isExecutableFile(atPath: path), !texts.isEmpty else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        let pattern = texts.map { NSRegularExpression.escapedPattern(for: $0) }.joined(
            separator: "|")
        process.arguments = [
            "--quiet", "--no-pager", "--output=short-unix", "--since=@\(since / 1_000_000)",
            "--case-sensitive=yes", "--grep=\(pattern)", "SYSLOG_FACILITY=2",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let octets = (try? output.fileHandleForReading.read(upToCount: journalLimit)) ?? Data()
        process.terminate()
        return Array(octets)
    }

    /// The traditional form has neither year nor zone: the last such moment by this host's clock.
    private static let calendar: MailLogLine.Calendar = { date in
        let now = Date()
        let calendar = Calendar(identifier: .gregorian)
        let year = calendar.component(.year, from: now)
        for year in [year, year - 1] {
            let fields = DateComponents(
                year: year, month: date.month, day: date.day, hour: date.hour,
                minute: date.minute, second: date.second)
            guard let moment = calendar.date(from: fields) else { return nil }
            if moment.timeIntervalSince(now) <= 86_400 {
                return Int64(moment.timeIntervalSince1970)
            }
        }
        return nil
    }
}

/// The records and the log of this host.
struct HostEvidence: Evidence {
    let reader: FlightReader
    let log: MailLogSource
    /// Entries before it are not looked at; in microseconds since 1970.
    let since: Int64

    func entries(with texts: [String], in span: ClosedRange<Int64>?) -> [FlightEntry] {
        reader.entries(
            with: texts, since: max(since, span?.lowerBound ?? since),
            until: span?.upperBound ?? .max
        ) { _ in true }
    }

    func lines(with texts: [String]) -> [MailLogLine] {
        log.lines(with: texts).filter { $0.time >= since }
    }

    func forms(of text: String) -> Set<String> { reader.forms(of: text) }
}

import DaemonKit
import Explanation
import FlightRecord
import Foundation
import Glibc

/// The MTA's log: files, or the journal.
struct MailLogSource {
    /// The oldest first.
    private let files: [MailLogFile]

    private static let usualFiles = [
        "/var/log/mail.log.1", "/var/log/mail.log", "/var/log/maillog",
    ]
    /// The most octets of a log that are looked through: its end.
    private static let limit = 256 << 20
    /// Opens the files that are named; without any, the usual ones, or the journal where there are none.
    ///
    /// - Parameters:
    ///   - names: the files that are named.
    ///   - journal: the journal, which is read only where it is needed.
    ///   - isJournalNamed: whether the journal is asked for, whatever files there are.
    /// - Throws: which file cannot be read.
    init(named names: [String], _ journal: MailJournal, isJournalNamed: Bool) throws {
        if names.isEmpty {
            let there = isJournalNamed ? [] : Self.usualFiles.compactMap(Self.file)
            files = there.isEmpty ? [MailLogFile(journal.octets())] : there
            return
        }
        files = try names.map { path in
            guard let file = Self.file(path) else {
                throw CommandFailure(.noInput, "\(path) cannot be read")
            }
            return file
        }
    }

    /// The end of a file, which is read as it is searched: it may be large, and grows.
    private static func file(_ path: String) -> MailLogFile? {
        guard let file = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)),
            let size = (try? file.seekToEnd()).flatMap({ Int(exactly: $0) })
        else { return nil }
        let start = max(0, size - limit)
        return MailLogFile(size: size - start) { range in
            octets(of: file.fileDescriptor, from: start + range.lowerBound, range.count)
        }
    }

    /// Octets of a file; fewer where it has been cut meanwhile.
    private static func octets(of file: Int32, from start: Int, _ wanted: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
            while count < wanted {
                let free = unsafe buffer.baseAddress?.advanced(by: count)
                let found = unsafe pread(file, free, wanted - count, off_t(start + count))
                if found < 0, errno == EINTR { continue }
                guard found > 0 else { return }
                count += found
            }
        }
    }

    /// The lines in which one of some texts stands, in the order of the log: of many the last.
    func lines(
        with texts: [String], in span: ClosedRange<Int64> = .min ... .max, limit: Int = 20_000,
        until isEnough: MailLogFile.Sufficiency = { _, _ in false }
    ) -> [MailLogLine] {
        var found: [MailLogLine] = []
        var isDone = false
        for file in files.reversed() where found.count < limit && !isDone {
            let older = file.lines(
                with: texts, in: span, limit: limit - found.count, calendar: Self.calendar
            ) { since, lines in
                isDone = isEnough(since, lines)
                return isDone
            }
            found = older + found
        }
        return found
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

    func entries(with texts: [String], _ scope: FlightScope, limit: Int) -> [FlightEntry] {
        reader.entries(with: texts, scope.since(since), limit: limit) { _ in true }
    }

    func lines(
        with texts: [String], in span: ClosedRange<Int64>?, limit: Int,
        until isEnough: MailLogFile.Sufficiency
    ) -> [MailLogLine] {
        let span = span ?? Int64.min...Int64.max
        guard span.upperBound >= since else { return [] }
        return log.lines(
            with: texts, in: max(since, span.lowerBound)...span.upperBound, limit: limit,
            until: isEnough)
    }

    func forms(of text: String) -> Set<String> { reader.forms(of: text) }
}

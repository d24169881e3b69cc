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
    /// The most octets of a pipe that are kept in memory.
    private static let pipeLimit = 64 << 20

    /// Opens the files that are named; without any, the usual ones, or the journal where there are none.
    ///
    /// - Parameters:
    ///   - names: the files that are named.
    ///   - journal: the journal, which is read only where it is needed.
    ///   - isJournalNamed: whether the journal is asked for, whatever files there are.
    /// - Throws: which file cannot be read.
    init(named names: [String], _ journal: MailJournal, isJournalNamed: Bool) throws {
        if names.isEmpty {
            let there = isJournalNamed ? [] : Self.usualFiles.compactMap { try? Self.file($0) }
            files = there.isEmpty ? [MailLogFile(journal.octets())] : there
            return
        }
        files = try names.map { try Self.file($0) }
    }

    /// The end of a file, which is read as it is searched, as it may be large, and grows; of a pipe all is read first.
    ///
    /// - Throws: why it cannot be read.
    private static func file(_ path: String) throws -> MailLogFile {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .noInput, "\(path) cannot be read: \(unsafe String(cString: strerror(errno)))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        unsafe fstat(descriptor, &status)
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            let size = Int(status.st_size)
            let magic = octets(of: descriptor, from: 0, 6)
            if compressed.contains(where: { magic.starts(with: $0) }) {
                throw CommandFailure(
                    .noInput,
                    "\(path) is compressed: give what it unpacks to, --log <(zcat \(path))")
            }
            let start = max(0, size - limit)
            return MailLogFile(size: size - start) { range in
                octets(of: file.fileDescriptor, from: start + range.lowerBound, range.count)
            }
        case S_IFIFO: return MailLogFile(end(ofPipe: descriptor))
        default: throw CommandFailure(.noInput, "\(path) is no file")
        }
    }

    /// What files that gzip(1), xz(1), bzip2(1) and zstd(1) have made begin with.
    private static let compressed: [[UInt8]] = [
        [0x1F, 0x8B], [0xFD, 0x37, 0x7A, 0x58, 0x5A], Array("BZh".utf8), [0x28, 0xB5, 0x2F, 0xFD],
    ]

    /// The last octets of what a pipe gives until it ends.
    private static func end(ofPipe file: Int32) -> [UInt8] {
        var end: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { memory in
                unsafe read(file, memory.baseAddress, memory.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            if end.count + count > 2 * pipeLimit { end.removeFirst(end.count - pipeLimit) }
            end += piece[..<count]
        }
        return end.count > pipeLimit ? Array(end.suffix(pipeLimit)) : end
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

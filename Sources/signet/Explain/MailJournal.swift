import Foundation
import Glibc
import Threads

/// What the journal has of the mail facility, as journalctl gives it: bounded in time, size and lines.
struct MailJournal {
    /// journalctl.
    var program = "/usr/bin/journalctl"
    /// The first moment that is asked for, in microseconds since 1970.
    let since: Int64
    /// The last one; nil for all that is there.
    var until: Int64?

    /// How long journalctl may take, in seconds: what has come by then is looked at.
    private static let patience = 10.0
    /// The most lines that are asked for, and the most octets that are kept: the newest.
    private static let mostLines = 1_000_000
    private static let mostOctets = 128 << 20
    /// How long a message may be in the queue, in microseconds: five days (postconf(5), maximal_queue_lifetime).
    private static let queueLifetime: Int64 = 5 * 86_400_000_000

    /// Asks for what a question needs: of one that names a time, what a message of then may have left.
    ///
    /// - Parameters:
    ///   - program: journalctl; nil for the system's.
    ///   - since: how far to look back, in microseconds since 1970.
    ///   - near: the time that is named; nil for none.
    init(_ program: String?, since: Int64, near: Int64?) {
        if let program { self.program = program }
        self.since = max(since, near.map { $0 - Self.queueLifetime } ?? since)
        until = near.map { $0 + Self.queueLifetime }
    }

    /// The lines, the oldest first; none where there is no journal.
    func octets() -> [UInt8] {
        guard FileManager.default.isExecutableFile(atPath: program) else { return [] }
        let process = Process()
        process.executableURL = URL(filePath: program)
        // From the end back: with --since alone journalctl begins there, and gives the oldest of too many lines.
        process.arguments =
            [
                "--quiet", "--no-pager", "--output=short-unix", "--reverse",
                "--since=@\(since / 1_000_000)",
            ] + (until.map { ["--until=@\($0 / 1_000_000 + 1)"] } ?? [])
            + ["--lines=\(Self.mostLines)", "SYSLOG_FACILITY=2"]
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return [] }
        let (octets, isWhole) = Self.read(output.fileHandleForReading.fileDescriptor)
        if !isWhole {
            complain("the journal is not read to its end: lines that are older may be missing")
            kill(process.processIdentifier, SIGKILL)
        }
        process.waitUntilExit()
        return Self.reversed(octets)
    }

    /// Reads to the end, or as much and as long as is allowed.
    private static func read(_ file: Int32) -> (octets: [UInt8], isWhole: Bool) {
        let deadline = MonotonicTime.now() + patience
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while octets.count < mostOctets {
            let left = deadline.seconds(since: .now())
            var waiting = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&waiting, 1, Int32(max(0, left * 1_000)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0, left > 0 else { return (octets, false) }
            let count = unsafe piece.withUnsafeMutableBytes { memory in
                unsafe Glibc.read(file, memory.baseAddress, memory.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (octets, count == 0) }
            octets += piece[..<count]
        }
        return (octets, false)
    }

    /// The lines in the other order; the last one may have been cut, and is left out then.
    private static func reversed(_ octets: [UInt8]) -> [UInt8] {
        var reversed: [UInt8] = []
        reversed.reserveCapacity(octets.count)
        unsafe octets.withUnsafeBytes { octets in
            var end = octets.count
            while end > 0, unsafe octets[end - 1] != 0x0A { end -= 1 }
            while end > 0 {
                var start = end - 1
                while start > 0, unsafe octets[start - 1] != 0x0A { start -= 1 }
                unsafe reversed.append(contentsOf: octets[start..<end])
                end = start
            }
        }
        return reversed
    }
}

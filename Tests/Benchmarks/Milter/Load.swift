internal import Glibc
internal import TestKit

/// Messages on several connections at once, from one thread.
enum Load {
    /// Delivers `count` messages on `connections` new connections, each busy all the time.
    ///
    /// - Throws: where the filter refuses one, or the first answer does not show its work.
    static func deliver(_ count: Int, to subject: Subject, connections: Int = 8) throws {
        let lines = try (0..<min(connections, count)).map { _ in
            try MilterLine(subject.socket, subject.mail)
        }
        defer { for line in lines { line.quit() } }
        var begun = lines.count
        var ended = 0
        for line in lines { try line.begin() }
        while ended < count {
            for line in try Self.wait(for: lines) where try line.advance() {
                if ended == 0 { try subject.check(line.answer) }
                ended += 1
                guard begun < count else { continue }
                begun += 1
                try line.begin()
            }
        }
    }

    /// The lines on which something has come.
    static func wait(for lines: [MilterLine], seconds: Double = 60) throws -> [MilterLine] {
        var polled = lines.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        let ready = unsafe poll(&polled, nfds_t(polled.count), Int32(seconds * 1000))
        guard ready >= 0 || errno == EINTR else { throw TestKitError("poll: errno \(errno)") }
        return zip(lines, polled).filter { $0.1.revents != 0 }.map(\.0)
    }
}

import Configuration
import Foundation
import Glibc
import Threads

/// Waits for the next message in one of some places.
///
/// Trust: the mailboxes belong to their users, who may put anything there: only regular files are read, up to a limit.
struct MailboxWatch {
    private let places: [MailboxPlace]
    private var before: [MailboxPlace: State]

    /// What is in a place: the names of a Maildir's messages, or the length of a mbox.
    private enum State {
        case names(Set<String>)
        case length(Int)
    }

    /// The longest message that is read, in octets.
    private static let longest = 64 << 20
    /// How often the places are looked at, in seconds.
    private static let interval = 0.2

    /// Notes what is there.
    init(_ places: [MailboxPlace]) {
        self.places = places
        before = Dictionary(uniqueKeysWithValues: places.map { ($0, Self.state(of: $0)) })
    }

    /// The next message; nil where none comes in time.
    mutating func next(seconds: Double) -> [UInt8]? {
        let deadline = MonotonicTime.now() + seconds
        while MonotonicTime.now() < deadline {
            for place in places {
                if let message = message(in: place) { return message }
            }
            usleep(UInt32(Self.interval * 1e6))
        }
        return nil
    }

    private static func state(of place: MailboxPlace) -> State {
        switch place {
        case .maildir(let path): .names(names(in: path))
        case .mbox(let path): .length(length(of: path))
        }
    }

    /// The names of messages: what stands behind a colon are flags, which change.
    private static func names(in maildir: String) -> Set<String> {
        Set(
            ["new", "cur"].flatMap { folder in
                (try? FileManager.default.contentsOfDirectory(atPath: "\(maildir)/\(folder)")) ?? []
            }.map { String($0.prefix { $0 != ":" }) })
    }

    private static func length(of path: String) -> Int {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private mutating func message(in place: MailboxPlace) -> [UInt8]? {
        switch (place, before[place]) {
        case (.maildir(let path), .names(let known)):
            for folder in ["new", "cur"] {
                let names =
                    (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)"))
                    ?? []
                for name in names.sorted()
                where !name.hasPrefix(".") && !known.contains(String(name.prefix { $0 != ":" })) {
                    // A message is moved here when it is complete.
                    if let octets = FileContents.ifReadable(
                        "\(path)/\(folder)/\(name)", limit: Self.longest)
                    {
                        return octets
                    }
                }
            }
            return nil
        case (.mbox(let path), .length(let length)):
            // Shorter than it was: somebody has taken mail out, and what is left was there before.
            let now = Self.length(of: path)
            if now < length { before[place] = .length(now) }
            return appended(path, from: length)
        default: return nil
        }
    }

    /// The first message that was added to a mbox; nil while there is none, or it is still written.
    private func appended(_ path: String, from start: Int) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        guard status.st_size > start, !Self.isLocked(file) else { return nil }
        let count = min(Int(status.st_size) - start, Self.longest)
        var octets = [UInt8](repeating: 0, count: count)
        let found = unsafe pread(file, &octets, count, off_t(start))
        guard found > 0 else { return nil }
        octets.removeLast(count - found)
        return Self.firstMessage(of: octets)
    }

    /// Whether a program that delivers holds the file (mailbox_delivery_lock has fcntl on Debian).
    private static func isLocked(_ file: Int32) -> Bool {
        var lock = flock()
        lock.l_type = Int16(F_RDLCK)
        lock.l_whence = Int16(SEEK_SET)
        return unsafe fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// Up to the next line that begins a message.
    private static func firstMessage(of octets: [UInt8]) -> [UInt8] {
        let separator = Array("\n\nFrom ".utf8)
        let end = octets.indices.first {
            octets[$0] == 0x0A && octets[$0...].starts(with: separator)
        }
        return end.map { Array(octets[...$0]) } ?? octets
    }
}

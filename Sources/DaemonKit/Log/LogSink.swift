import Glibc

/// Takes finished lines; called by one thread at a time.
protocol LogSink: Sendable {
    /// Writes one line, already safe, without a line end. Must not block beyond a tenth of a second.
    mutating func write(_ line: [UInt8], level: Log.Level)
}

/// Hands lines to a function.
struct FunctionSink: LogSink {
    let body: @Sendable (Log.Level, String) -> Void

    func write(_ line: [UInt8], level: Log.Level) {
        body(level, String(decoding: line, as: UTF8.self))
    }
}

/// How long lines may wait for a reader that does not read.
///
/// The first line waits a tenth of a second in all; the next ones do not wait until one has gone through again.
struct Patience {
    private var isExhausted = false
    /// Lines that nobody took since the last one that went through.
    private(set) var lost = 0

    /// Waits until a descriptor takes more, within what is left of `deadline`.
    func wait(for descriptor: Int32, until deadline: timespec) -> Bool {
        let left = isExhausted ? 0 : max(0, Self.milliseconds(until: deadline))
        var descriptors = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&descriptors, 1, Int32(left)) == 1
            && descriptors.revents & Int16(POLLOUT) != 0
    }

    mutating func succeeded() {
        isExhausted = false
        lost = 0
    }

    mutating func failed() {
        isExhausted = true
        lost = lost < .max ? lost + 1 : lost
    }

    /// A tenth of a second from now.
    static func deadline() -> timespec {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        now.tv_nsec += 100_000_000
        if now.tv_nsec >= 1_000_000_000 {
            now.tv_nsec -= 1_000_000_000
            now.tv_sec += 1
        }
        return now
    }

    private static func milliseconds(until deadline: timespec) -> Int {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return (deadline.tv_sec - now.tv_sec) * 1000 + (deadline.tv_nsec - now.tv_nsec) / 1_000_000
    }
}

/// Writes lines to a descriptor: a terminal, a file, a pipe, or the journal's stream.
struct DescriptorSink: LogSink {
    private let descriptor: Int32
    /// Whether lines begin with `<N>`, which the journal takes for their priority (sd-daemon(3)).
    private let writesPriorities: Bool
    private let isSocket: Bool
    private var patience = Patience()
    /// Whether the last line was cut in the middle, so that the next must begin with a line end.
    private var isInsideLine = false

    init(_ descriptor: Int32, writesPriorities: Bool) {
        self.descriptor = descriptor
        self.writesPriorities = writesPriorities
        var status = stat()
        isSocket = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Standard error; `environment` is the value of JOURNAL_STREAM.
    static func standardError(
        journalStream environment: String? = Environment.value("JOURNAL_STREAM")
    ) -> DescriptorSink {
        DescriptorSink(2, writesPriorities: isJournal(2, environment))
    }

    /// Whether a descriptor is the stream that systemd connected to the journal: its device and inode are in the environment.
    static func isJournal(_ descriptor: Int32, _ environment: String?) -> Bool {
        var status = stat()
        guard let environment, unsafe fstat(descriptor, &status) == 0 else { return false }
        return environment == "\(status.st_dev):\(status.st_ino)"
    }

    mutating func write(_ line: [UInt8], level: Log.Level) {
        var text: [UInt8] = []
        text.reserveCapacity(line.count + 64)
        if isInsideLine { text.append(0x0A) }
        if patience.lost > 0 {
            if writesPriorities { text += "<\(Log.Level.warning.rawValue)>".utf8 }
            text += "\(patience.lost) log lines were lost\n".utf8
        }
        if writesPriorities { text += "<\(level.rawValue)>".utf8 }
        text += line
        text.append(0x0A)
        put(text)
    }

    private mutating func put(_ text: [UInt8]) {
        let deadline = Patience.deadline()
        var sent = 0
        while sent < text.count {
            let count = push(text, from: sent, until: deadline)
            guard count > 0 else {
                if sent > 0 { isInsideLine = true }
                patience.failed()
                return
            }
            sent += count
        }
        isInsideLine = false
        patience.succeeded()
    }

    /// Hands over as much as is taken without blocking; 0 when time is up or nobody reads any more.
    private func push(_ text: [UInt8], from start: Int, until deadline: timespec) -> Int {
        while true {
            // Only sockets can be written to without blocking while others keep the same descriptor in blocking mode; a pipe that
            // polls writable takes a whole line.
            if !isSocket, !patience.wait(for: descriptor, until: deadline) { return 0 }
            let count = unsafe text.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
                return isSocket
                    ? unsafe send(
                        descriptor, rest.baseAddress, rest.count,
                        Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                    : unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                guard patience.wait(for: descriptor, until: deadline) else { return 0 }
            default: return 0
            }
        }
    }
}

/// The process's environment.
enum Environment {
    /// A variable's value; nil when it is not set.
    static func value(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

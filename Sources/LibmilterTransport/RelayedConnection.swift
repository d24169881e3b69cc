internal import Glibc
internal import Milter

/// A connection of the MTA and its counterpart to libmilter.
struct RelayedConnection: ~Copyable {
    /// Seconds that either side may take to read what is written to it.
    static let patience = 30
    /// Octets that are read at a time.
    private static let readSize = 32 << 10

    private let mta: Int32
    private let libmilter: Int32
    private var frames: FrameGuard

    /// Takes connected sockets, which remain the caller's to close.
    init(mta: Int32, libmilter: Int32, _ service: MilterService) {
        self.mta = mta
        self.libmilter = libmilter
        frames = FrameGuard(service)
        // An accepted socket does not block, and writes here wait.
        _ = fcntl(mta, F_SETFL, fcntl(mta, F_GETFL) & ~O_NONBLOCK)
        setPatience(Self.patience, mta)
    }

    /// Copies both ways until libmilter closes its side, or the MTA sends a frame that is malformed.
    mutating func run() {
        var octets = [UInt8](repeating: 0, count: Self.readSize)
        var sides = [
            pollfd(fd: libmilter, events: Int16(POLLIN), revents: 0),
            pollfd(fd: mta, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard unsafe poll(&sides, 2, -1) > 0 else { continue }
            if sides[0].revents != 0 {
                let count = Self.read(libmilter, &octets)
                guard count > 0, Self.write(octets.span.extracting(first: count), to: mta)
                else { return }
            }
            if sides[1].revents != 0 {
                let count = Self.read(mta, &octets)
                guard let goesOn = take(octets.span.extracting(first: max(count, 0))) else {
                    return
                }
                // What libmilter still has to say comes through; poll(2) leaves out negative ones.
                if !goesOn { sides[1].fd = -1 }
            }
        }
    }

    /// Passes on what the MTA has sent, which is nothing at its end; whether more may come, and nil
    /// when the connection is over.
    private mutating func take(_ input: Span<UInt8>) -> Bool? {
        var passed: [UInt8] = []
        let step = frames.receive(input, frames: &passed)
        guard Self.write(passed.span, to: libmilter) else { return nil }
        if case .refuse(let answer) = step {
            _ = Self.write(answer.span, to: mta)
            return nil
        }
        guard step == .quit || input.isEmpty else { return true }
        shutdown(libmilter, Int32(SHUT_WR))
        return false
    }

    /// Reads what is there: none at the end, -1 where that cannot be done.
    private static func read(_ descriptor: Int32, _ octets: inout [UInt8]) -> Int {
        while true {
            let count = unsafe octets.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
            }
            if count >= 0 || errno != EINTR { return count }
        }
    }

    /// Writes all; false when the other side does not read, or is gone.
    private static func write(_ octets: Span<UInt8>, to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.extracting(sent...).withUnsafeBytes { bytes in
                unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 { sent += count } else if errno != EINTR { return false }
        }
        return true
    }
}

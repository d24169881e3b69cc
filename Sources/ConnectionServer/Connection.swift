import CLinux
import Glibc
import Threads

/// A connection that was accepted.
///
/// One thread at a time uses it: the one that took it out of the server's table, or whoever holds
/// the table's lock while it is there. The lock orders what they do, hence the promise.
final class Connection: @unchecked Sendable {
    /// What the connection waits for while no thread has it.
    enum Wait {
        case input
        /// Output that the peer has not taken; `thenClose` when nothing follows it.
        case room(thenClose: Bool)
    }

    /// Names the connection in the table and in epoll; unlike a descriptor it is never used again.
    let id: UInt64
    let descriptor: Int32
    let handler: any ConnectionHandler
    var wait = Wait.input
    /// Output that the peer has not taken in full.
    var unsent: [UInt8] = []
    /// How many octets of it the peer has taken.
    var taken = 0
    /// The handler's state after its last call.
    var state = ConnectionState.new
    /// When the time limit of the present wait began.
    var waitingSince = MonotonicTime.now()
    /// Octets that were added to the server's account for this connection.
    var accounted = 0
    /// Why the connection ends without another step; nil while it goes on.
    var expiry: Expiry?

    /// Why the server ends a connection.
    enum Expiry {
        /// A time limit of this many seconds.
        case late(Double)
        /// The drain's end.
        case drain
    }

    init(id: UInt64, descriptor: Int32, handler: any ConnectionHandler) {
        self.id = id
        self.descriptor = descriptor
        self.handler = handler
    }

    /// The octets that are kept for the connection.
    var heldOctets: Int { unsent.count + max(handler.bufferedOctets, 0) }

    /// What came of a try to read.
    enum Reading {
        case octets(Int)
        case nothing
        case closed
    }

    /// Reads what has arrived, without waiting.
    func read(into buffer: inout [UInt8]) -> Reading {
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 { return .octets(count) }
            if count == 0 { return .closed }
            if errno == EAGAIN { return .nothing }
            if errno != EINTR { return .closed }
        }
    }

    /// Whether octets have arrived that nobody has read.
    var hasInput: Bool {
        var octet: UInt8 = 0
        return unsafe recv(descriptor, &octet, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) > 0
    }

    /// Writes as much as the peer takes, without waiting.
    ///
    /// - Returns: how many octets it took; nil when the connection is broken.
    func write(_ octets: Span<UInt8>) -> Int? {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.extracting(sent...).withUnsafeBytes { bytes in
                unsafe send(
                    descriptor, bytes.baseAddress, bytes.count,
                    Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                return sent
            } else if errno != EINTR {
                return nil
            }
        }
        return sent
    }

    /// Hands input to the handler, and notes what is expected next.
    func receive(_ input: Span<UInt8>, output: inout [UInt8]) -> ConnectionStep {
        let step = handler.receive(input, output: &output)
        let newState = handler.state
        if step != .incomplete || newState != state { waitingSince = .now() }
        state = newState
        return step
    }

    /// Keeps what the peer has not taken.
    func keepUnsent(_ octets: [UInt8], thenClose: Bool) {
        unsent = octets
        wait = .room(thenClose: thenClose)
        waitingSince = .now()
    }

    /// What came of a try to write what was kept.
    enum Writing {
        case completely
        case partly
        case broken
    }

    /// Writes what was kept, as much of it as the peer takes.
    func writeUnsent() -> Writing {
        let octets = unsent
        let rest = octets.span.extracting(droppingFirst: taken)
        guard let sent = write(rest) else { return .broken }
        taken += sent
        guard taken == octets.count else { return .partly }
        unsent = []
        taken = 0
        wait = .input
        waitingSince = .now()
        return .completely
    }

    /// Ends the waiting of an idle connection when a drain has begun: the thread that takes the
    /// event reads what was sent before, if anything, and then the end.
    ///
    /// To be called with the table's lock held, and with the connection in the table.
    func retire() {
        guard case .input = wait, state == .idle, !hasInput else { return }
        endInput()
    }

    /// Ends what the peer may send: the thread that takes the event reads what has come, and then
    /// the end.
    func endInput() { shutdown(descriptor, Int32(SHUT_RD)) }

    /// Ends both directions.
    func cut() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Ends the handler, and closes the socket.
    func close() {
        handler.end()
        _ = Glibc.close(descriptor)
    }

    /// Says that nothing follows, and drops what the peer still sends: closing a TCP socket with
    /// unread octets resets the connection, and the peer may then lose our last answer.
    func finishWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
        var rest = [UInt8](repeating: 0, count: 4_096)
        for _ in 0..<16 {
            guard case .octets = read(into: &rest) else { return }
        }
    }
}

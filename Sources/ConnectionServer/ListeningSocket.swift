import CLinux
import Glibc

/// A listening socket that never blocks; each connection is set up as the suite needs it.
package struct ListeningSocket: Sendable {
    /// What came of a try to accept a connection.
    package enum Acceptance {
        /// A connection, whose descriptor does not block.
        case connection(Int32)
        /// Nobody waits.
        case none
        /// An errno value that the next try would meet too.
        case failed(Int32)
    }

    /// The socket, to be waited on.
    package let descriptor: Int32
    private let isUnix: Bool

    /// Takes over a socket that listens.
    package init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        isUnix = status == 0 && Int32(address.ss_family) == AF_UNIX
        // Another process may be quicker, and accept(2) must not wait then.
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// Accepts one connection.
    package func accept() -> Acceptance {
        while true {
            let accepted = signet_accept(descriptor)
            if accepted >= 0 {
                if !isUnix { Self.setOptions(accepted) }
                return .connection(accepted)
            }
            switch errno {
            case EINTR: continue
            // accept(2): what the network says of a connection that is gone by now.
            case ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET,
                ENOPROTOOPT, EOPNOTSUPP:
                continue
            // EINVAL: it does not listen any more.
            case EAGAIN, EINVAL: return .none
            case let code: return .failed(code)
            }
        }
    }

    /// Has further clients refused while those that wait can still be accepted.
    ///
    /// TCP knows no such state: who connects between the last accept(2) and close(2) is reset.
    func refuseFurther() {
        if isUnix { shutdown(descriptor, Int32(SHUT_RD)) }
    }

    /// Closes the socket.
    package func close() { _ = Glibc.close(descriptor) }

    /// Sends answers at once, and notices a client on another host that vanished.
    private static func setOptions(_ descriptor: Int32) {
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, size)
    }
}

internal import Glibc
internal import MailDNS
internal import MailSyntax

/// Asks name servers directly whether they answer at all, over UDP.
///
/// Trust: whoever answers with the question's number on its own connected socket counts; what it says is not read.
@safe
struct ServerProbe: ~Copyable {
    private let sockets: [(descriptor: Int32, server: Nameserver)]
    /// The number that the questions have.
    private let identifier = UInt16.random(in: 0...UInt16.max)

    /// Opens a socket to each server that can be reached.
    init(_ servers: [Nameserver]) {
        sockets = servers.compactMap { server in
            Self.socket(to: server).map { ($0, server) }
        }
    }

    deinit {
        for (descriptor, _) in sockets { close(descriptor) }
    }

    /// Asks all servers, and waits for the first that answers, now or to a question before.
    ///
    /// - Parameter milliseconds: how long to wait; the whole of it where none answers.
    /// - Returns: a server that answers; nil if none did.
    func round(milliseconds: Int32) -> Nameserver? {
        let query = question
        for (descriptor, _) in sockets {
            // A server that is not there refuses the next call on its socket, which then is as silent as the others.
            _ = unsafe send(descriptor, query, query.count, Int32(MSG_NOSIGNAL))
        }
        var left = milliseconds
        while left > 0 {
            let step = min(left, Self.step)
            var polled = sockets.map {
                pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
            }
            let count = unsafe poll(&polled, nfds_t(polled.count), step)
            if count > 0, let server = answering() { return server }
            // Refusals make the descriptors ready again and again: the wait is kept all the same.
            if count != 0 { usleep(UInt32(step) * 1000) }
            left -= step
        }
        return nil
    }

    private static let step: Int32 = 100

    private func answering() -> Nameserver? {
        var buffer = [UInt8](repeating: 0, count: 512)
        for (descriptor, server) in sockets {
            while true {
                let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard count >= 0 else { break }
                // RFC 1035, section 4.1.1: a response has the number of its question, and QR set.
                let number = UInt16(buffer[0]) << 8 | UInt16(buffer[1])
                if count >= 12, number == identifier, buffer[2] & 0x80 != 0 { return server }
            }
        }
        return nil
    }

    /// The question for the name servers of the root (RFC 1035, section 4.1), which every server has an answer to, be it a refusal.
    private var question: [UInt8] {
        [
            UInt8(identifier >> 8), UInt8(truncatingIfNeeded: identifier), 1, 0, 0, 1, 0, 0, 0, 0,
            0,
            0, 0, 0, 2, 0, 1,
        ]
    }

    private static func socket(to server: Nameserver) -> Int32? {
        let family: Int32
        switch server.address {
        case .v4: family = AF_INET
        case .v6: family = AF_INET6
        }
        let flags = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(family, flags, 0)
        guard descriptor >= 0 else { return nil }
        var storage = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            // The family, the port and the address stand at fixed places (ip(7), ipv6(7)), the latter two in network order.
            unsafe bytes.storeBytes(of: sa_family_t(family), as: sa_family_t.self)
            unsafe bytes[2] = UInt8(server.port >> 8)
            unsafe bytes[3] = UInt8(truncatingIfNeeded: server.port)
            let start = family == AF_INET ? 4 : 8
            for (index, octet) in server.address.octets.enumerated() {
                unsafe bytes[start + index] = octet
            }
            return family == AF_INET
                ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        }
        let status = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(length))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}

internal import Configuration
import Glibc

/// A unix datagram socket that sends without blocking and closes itself.
final class DatagramSocket: Sendable {
    enum Outcome {
        case sent
        /// The receiver's queue is full.
        case full
        /// The receiver is gone, or does not take this.
        case broken
    }

    let descriptor: Int32

    /// Connects to the socket of that path; nil when nobody has it open.
    ///
    /// A leading `@` names an abstract socket.
    init?(connectedTo path: String) {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let status = unsafe UnixAddress(path)?.withPointer { address, length in
            unsafe connect(descriptor, address, length)
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    func send(_ bytes: [UInt8]) -> Outcome {
        while true {
            let count = unsafe Glibc.send(
                descriptor, bytes, bytes.count,
                Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            if count >= 0 { return .sent }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return .full
            default: return .broken
            }
        }
    }
}

/// The address of a unix socket.
struct UnixAddress {
    private var address = sockaddr_un()
    private let length: socklen_t

    /// The address of a path, nil when it does not fit.
    ///
    /// A leading `@` names an abstract socket (unix(7)).
    init?(_ path: String) {
        var bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= SocketSpec.pathLimit, !bytes.contains(0) else {
            return nil
        }
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        length = socklen_t(offset + bytes.count + (isAbstract ? 0 : 1))
    }

    /// Lends the address to a system call.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, length)
            }
        }
    }
}

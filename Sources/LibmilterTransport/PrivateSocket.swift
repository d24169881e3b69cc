internal import CLinux
internal import Glibc

/// A listening unix socket that nobody but this process can reach.
///
/// It is made in a directory of mode 0700, and its name is gone at once. This process connects
/// through /proc/self/fd, by a descriptor of the place (O_PATH in open(2)).
struct PrivateSocket: Sendable {
    private static let backlog: Int32 = 128

    /// The listening socket.
    let listener: Int32
    private let place: Int32

    /// Makes the socket.
    ///
    /// - Throws: `LibmilterError` where the system refuses.
    init() throws(LibmilterError) {
        var template = Array("/tmp/signet-libmilter-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw .failed("making a folder in /tmp") }
        let folder = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let path = folder + "/socket"
        let socket = Self.makeSocket()
        let isListening =
            unsafe Self.with(path) { unsafe bind(socket, $0, $1) } == 0
            && listen(socket, Self.backlog) == 0
        listener = socket
        place = isListening ? unsafe signet_open_place(path) : -1
        _ = unsafe unlink(path)
        _ = unsafe rmdir(folder)
        guard place >= 0 else { throw .failed("making a private socket in /tmp") }
    }

    /// Connects to the socket; nil, with errno set, where the system refuses.
    ///
    /// A wait for room in the queue, or for the other side to read, ends after so many seconds.
    func connect(patience seconds: Int) -> Int32? {
        let descriptor = Self.makeSocket()
        guard descriptor >= 0 else { return nil }
        setPatience(seconds, descriptor)
        let status = unsafe Self.with("/proc/self/fd/\(place)") {
            unsafe Glibc.connect(descriptor, $0, $1)
        }
        if status == 0 { return descriptor }
        let code = errno
        close(descriptor)
        errno = code
        return nil
    }

    private static func makeSocket() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    /// Calls `body` with the address of a path, which is short enough for one.
    private static func with(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe $0.copyBytes(from: path.utf8)
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Ends a write that waits for the other side to read after so many seconds (SO_SNDTIMEO).
func setPatience(_ seconds: Int, _ descriptor: Int32) {
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    _ = unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
}

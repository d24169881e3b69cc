import Glibc

/// Finds TCP and UDP ports on loopback that nobody uses.
public enum LoopbackPort {
    /// A port on which nothing listens on 127.0.0.1 and ::1, neither TCP nor UDP.
    ///
    /// It lies below the range from which the kernel takes ports for outgoing connections, so that
    /// none of those takes it before its listener starts.
    public static func free() throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 10_000..<32_000)
            if [SOCK_STREAM, SOCK_DGRAM].allSatisfy({ canBind(port, type: $0) }) { return port }
        }
        throw TestKitError("no free port on loopback in 200 tries")
    }

    /// `count` different free ports.
    public static func free(_ count: Int) throws -> [UInt16] {
        var ports = Set<UInt16>()
        while ports.count < count { ports.insert(try free()) }
        return ports.sorted()
    }

    private static func canBind(_ port: UInt16, type: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return unsafe LoopbackSocket.withLoopbackAddress(port) { address, length in
            unsafe bind(descriptor, address, length) == 0
        }
    }
}

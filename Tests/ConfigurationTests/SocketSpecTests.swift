import Testing

@testable import Configuration

@Suite struct SocketSpecTests {
    @Test(arguments: [
        ("unix:/run/x.sock", SocketSpec.unix(path: "/run/x.sock")),
        ("local:/run/x.sock", .unix(path: "/run/x.sock")),
        ("/run/x.sock", .unix(path: "/run/x.sock")),
        ("inet:8891@localhost", .inet(port: 8891, host: "localhost")),
        ("inet:8891", .inet(port: 8891, host: nil)),
        ("INET:1@[127.0.0.1]", .inet(port: 1, host: "127.0.0.1")),
        ("inet6:8891@[::1]", .inet6(port: 8891, host: "::1")),
        ("inet6:8891@::1", .inet6(port: 8891, host: "::1")),
        ("fd:3", .descriptor(3)),
    ])
    func `sockets are read and written`(_ text: String, _ socket: SocketSpec) throws {
        #expect(try SocketSpec(text) == socket)
        #expect(try SocketSpec(socket.description) == socket)
    }

    @Test(arguments: [
        "", "unix:", "unix:x", "local:signet/x", "x", "inet:", "inet:x", "inet:0", "inet:65536",
        "inet:1@",
        "inet:1@a b", "inet:1@[]", "fd:", "fd:-1", "fd:x", "tcp:1",
        "unix:/" + String(repeating: "a", count: 107),
    ])
    func `what names no socket is an error`(_ text: String) {
        #expect(throws: SocketSpec.Fault.self) { try SocketSpec(text) }
    }
}

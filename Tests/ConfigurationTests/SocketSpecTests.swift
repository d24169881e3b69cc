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

    /// A socket, an address that Postfix or a milter's own configuration writes, and whether that leads there.
    @Test(arguments: [
        ("unix:/var/spool/postfix/signet/dkim.sock", "unix:signet/dkim.sock", true),
        ("unix:/var/spool/postfix/signet/dkim.sock", "unix:/signet/dkim.sock", true),
        ("local:/run/opendkim/opendkim.sock", "local:/run/opendkim/opendkim.sock", true),
        ("unix:/var/spool/postfix/signet/dkim.sock", "unix:im.sock", false),
        ("unix:/run/a.sock", "unix:/", false),
        ("unix:/run/a.sock", "inet:localhost:8891", false),
        ("inet:8891@localhost", "inet:localhost:8891", true),
        ("inet:8891@localhost", "inet:127.0.0.1:8891", true),
        ("inet:8891@127.0.0.1", "inet:8891@localhost", true),
        ("inet6:8891@[::1]", "inet:[::1]:8891", true),
        ("inet:8891@localhost", "inet:[::1]:8891", true),
        ("inet:8891@192.0.2.1", "inet:192.0.2.1:8891", true),
        ("inet6:8891@2001:db8::1", "inet:[2001:DB8:0::1]:8891", true),
        ("inet:8891@mail.example.org", "inet:MAIL.example.org:8891", true),
        ("inet:8891", "inet:192.0.2.1:8891", true),
        ("inet:8891@0.0.0.0", "inet:192.0.2.1:8891", true),
        ("inet:8891@localhost", "inet:8891", true),
        ("inet:8891@localhost", "inet:192.0.2.1:8891", false),
        ("inet:8891@192.0.2.1", "inet:192.0.2.2:8891", false),
        ("inet:8891@localhost", "inet:localhost:18891", false),
        ("inet:8891@localhost", "inet:localhost:889", false),
        ("inet:8891@localhost", "inet:localhost:opendkim", false),
        ("inet:8891@localhost", "", false),
        ("inet:8891@localhost", "inet:", false),
        ("inet:8891@localhost", "inet:@", false),
        ("fd:3", "inet:localhost:3", false),
    ])
    func `an address leads to a socket`(
        _ socket: String, _ address: String, _ isReached: Bool
    ) throws {
        #expect(try SocketSpec(socket).isReached(at: address) == isReached)
    }
}

import Testing

@testable import DaemonKit

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

    @Test func `systemd's variables count for this process only`() throws {
        let taken = SocketActivation(process: "7", count: "2", names: "a:b", self: 7)
        #expect(taken.passed.map(\.descriptor) == [3, 4])
        #expect(try taken.socket(named: "b") == 4)
        #expect(throws: Failure.self) { try taken.socket(named: "c") }
        #expect(
            try SocketActivation(process: "7", count: "1", names: nil, self: 7).socket(named: "c")
                == 3)
        for (process, count) in [("8", "1"), ("7", "0"), ("7", "-1"), ("7", "x"), ("7", "100000")] {
            #expect(
                SocketActivation(process: process, count: count, names: nil, self: 7).passed.isEmpty
            )
        }
        #expect(SocketActivation(process: nil, count: "1", names: nil, self: 7).passed.isEmpty)
    }

    @Test func `schemas have defaults that parse and names that differ`() {
        let description = DaemonDescription(
            shortName: "x", version: "1", summary: "",
            directives: [
                DirectiveSpec("UMask", .mask, default: "002", "restated")
            ])
        let reader = ConfigurationReader(schema: description.schema, text: "")
        #expect(reader.mask("umask") == 0o002)
        _ = ServiceSettings(reader)
        #expect(reader.problems.isEmpty)
        let names = description.schema.directives.map { $0.name.lowercased() }
        #expect(Set(names).count == names.count)
    }
}

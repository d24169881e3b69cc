import Glibc
import TestKit
import Testing

@testable import Configuration
@testable import DaemonKit

/// What a daemon reads in the files of its own unit, and what it makes of sockets that it is passed.
@Suite struct SystemdUnitTests {
    @Test func `drop-ins add to a unit, and an empty value discards what was there`() throws {
        let etc = try Folder()
        let lib = try Folder([
            "signet-probe.socket":
                "[Socket]\n# ListenStream=/comment\nListenStream=/run/a\nListenStream = /run/b\n"
        ])
        let unit = SystemdUnit(name: "signet-probe.socket", directories: [etc.path, lib.path])
        #expect(unit.values(of: "ListenStream") == ["/run/a", "/run/b"])
        #expect(!unit.isEnabled(for: "sockets.target"))
        unsafe mkdir(etc.file("signet-probe.socket.d"), 0o755)
        try etc.write(
            "signet-probe.socket.d/override.conf", "[Socket]\nListenStream=\nListenStream=8891\n")
        unsafe mkdir(etc.file("sockets.target.wants"), 0o755)
        try etc.write("sockets.target.wants/signet-probe.socket", "")
        #expect(unit.values(of: "ListenStream") == ["8891"])
        #expect(unit.isEnabled(for: "sockets.target"))
        #expect(
            SystemdUnit(name: "absent.socket", directories: [etc.path, lib.path])
                .values(of: "ListenStream").isEmpty)
    }

    /// Thousands of connections need descriptors and threads; what they hold has an end, and no mount
    /// of the unit's is seen elsewhere.
    @Test(arguments: ["signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf"])
    func `a unit says how much the daemon may use`(_ name: String) throws {
        let tests = "Tests/DaemonKitTests/SystemdUnitTests.swift"
        let folder = #filePath.replacing(tests, with: "systemd")
        let unit = SystemdUnit(name: "\(name).service", directories: [folder])
        #expect(unit.values(of: "LimitNOFILE") == ["65536"])
        #expect(unit.values(of: "TasksMax") == ["1200"])
        #expect(unit.values(of: "MemoryMax") == ["1G"])
        #expect(unit.values(of: "PrivateMounts") == ["yes"])
    }

    @Test(arguments: [
        ("/var/spool/postfix/signet/dkim.sock", "unix:signet/dkim.sock"),
        ("/run/signet/dkim.sock", "unix:/run/signet/dkim.sock"),
        ("8891", "inet:localhost:8891"), ("127.0.0.1:8891", "inet:127.0.0.1:8891"),
        ("[::1]:8891", "inet:[::1]:8891"),
    ])
    func `main.cf's form of a socket`(_ stream: String, _ form: String) throws {
        let socket = try #require(SocketSpec(listenStream: stream))
        #expect(socket.inMainCF == form)
    }

    @Test func `a port is the same place whatever its host is called`() throws {
        let configured = try SocketSpec("inet:12145@localhost")
        #expect(
            try #require(SocketSpec(listenStream: "127.0.0.1:12145")).isSamePlace(as: configured))
        #expect(try #require(SocketSpec(listenStream: "12145")).isSamePlace(as: configured))
        #expect(!(try #require(SocketSpec(listenStream: "12146")).isSamePlace(as: configured)))
        #expect(!(try #require(SocketSpec(listenStream: "/s")).isSamePlace(as: configured)))
    }

    @Test func `nothing but sockets names a socket`() {
        for text in ["", "x", "a:b", "1.2.3.4:99999"] {
            #expect(SocketSpec(listenStream: text) == nil, "\(text)")
        }
    }

    @Test func `a bound socket tells its address`() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(listen(descriptor, 1) == 0)
        guard case .inet(let port, let host) = try #require(SocketSpec(boundTo: descriptor)) else {
            Issue.record("no TCP address")
            return
        }
        #expect(port > 0)
        #expect(host == "0.0.0.0")
        #expect(SocketSpec(boundTo: -1) == nil)
    }
}

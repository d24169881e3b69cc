import Glibc
import TestKit
import Testing

@testable import Metrics

/// The socket on which a daemon gives its metrics.
@Suite struct MetricsSocketTests {
    private let folder: Folder
    private let path: String

    init() throws {
        folder = try Folder()
        path = folder.file("m.sock")
    }

    @Test func oneConnectionGetsTheText() throws {
        let socket = try MetricsSocket(path: path) { "a 1\n# EOF\n" }
        defer { socket.close() }
        #expect(UnixSocket.read(path) == "a 1\n# EOF\n")
        #expect(UnixSocket.read(path) == "a 1\n# EOF\n")
    }

    @Test func aReaderThatDoesNotReadKeepsNobodyOut() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let socket = try MetricsSocket(path: path) { long }
        defer { socket.close() }
        let stuck = try StreamSocket(.unix(path))
        #expect(UnixSocket.read(path, seconds: 30)?.utf8.count == 1 << 20)
        withExtendedLifetime(stuck) {}
    }

    @Test func aReaderHasASecondForAllOfIt() throws {
        let long = String(repeating: "x", count: 4 << 20)
        let socket = try MetricsSocket(path: path) { long }
        defer { socket.close() }
        let slow = try StreamSocket(.unix(path))
        var count = 0
        while let piece = try? slow.read(1 << 16) {
            count += piece.count
            usleep(200_000)
        }
        #expect(count < 4 << 20)
    }

    @Test func socketOfAnEarlierRunIsReplaced() throws {
        let first = try MetricsSocket(path: path) { "first" }
        #expect(throws: MetricsSocket.SetupError.self) {
            try MetricsSocket(path: path) { "second" }
        }
        let moved = folder.file("moved.sock")
        move(path, moved)
        first.close()
        move(moved, path)
        let second = try MetricsSocket(path: path) { "second" }
        #expect(UnixSocket.read(path) == "second")
        second.close()
        #expect(UnixSocket.read(path) == nil)
    }

    private func move(_ from: String, _ to: String) {
        let status = unsafe rename(from, to)
        #expect(status == 0)
    }

    @Test func nobodyListens() {
        #expect(UnixSocket.read(folder.file("absent")) == nil)
        #expect(UnixSocket.read(String(repeating: "x", count: 200)) == nil)
    }
}

import Foundation
import TestKit
import Testing

@testable import Milter

@Suite struct AcceptedConnectionsTests {
    @Test func ofAUnixSocket() throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("accepted-\(UUID().uuidString.prefix(8))").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let listener = try LoopbackSocket.listen(path: path)
        try check(listener) { try LoopbackSocket.connect(path: path) }
    }

    @Test func ofAPort() throws {
        let listener = try LoopbackSocket.listen()
        let port = listener.localPort
        try check(listener) { try LoopbackSocket.connect(port: port) }
    }

    /// Only what the listener has accepted counts: neither other sockets of the process, of which
    /// the tests beside this one have many, nor the clients' ends.
    private func check(_ listener: LoopbackSocket, _ connect: () throws -> LoopbackSocket) throws {
        let other = try LoopbackSocket.listen()
        let otherClient = try LoopbackSocket.connect(port: other.localPort)
        let otherAccepted = other.accept()
        let connections = try #require(AcceptedConnections(of: listener.descriptor))
        #expect(connections.count() == 0)
        let clients = try (0..<3).map { _ in try connect() }
        #expect(connections.count() == 0)
        var accepted = (0..<3).compactMap { _ in listener.accept() }
        #expect(connections.count() == 3)
        accepted.removeLast()
        #expect(connections.count() == 2)
        accepted.removeAll()
        #expect(connections.count() == 0)
        withExtendedLifetime((clients, otherClient, otherAccepted)) {}
    }

    @Test func ofWhatDoesNotListen() throws {
        #expect(AcceptedConnections(of: -1) == nil)
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        #expect(AcceptedConnections(of: ends[0]) == nil)
        ends.forEach { close($0) }
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        #expect(AcceptedConnections(of: datagrams) == nil)
        close(datagrams)
    }
}

import Glibc
import TestKit
import Testing

@testable import Milter

/// What libmilter sees of a connection that is read ahead; it calls these functions from its own library.
@Suite(.serialized) struct ReadAheadTests {
    /// Both ends of a connection that libmilter would have accepted.
    private struct Line {
        let client: LoopbackSocket
        var server: LoopbackSocket

        init(isRead: Bool = true) throws {
            let listener = try LoopbackSocket.listen()
            ReadAhead.begin(on: isRead ? listener.descriptor : -1)
            client = try LoopbackSocket.connect(port: listener.localPort)
            server = try #require(listener.accept())
        }

        /// What poll(2) says of the server's end, beside others.
        func poll(beside others: [Int32] = [], timeout: Int32 = 5000) -> [Int16] {
            var entries = ([server.descriptor] + others).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: -1)
            }
            let ready = unsafe Glibc.poll(&entries, nfds_t(entries.count), timeout)
            #expect(ready == entries.count { $0.revents != 0 })
            return entries.map(\.revents)
        }

        /// What read(2) gives for a count.
        func read(_ count: Int) -> String {
            var space = [UInt8](repeating: 0, count: count)
            let read = unsafe Glibc.read(server.descriptor, &space, count)
            return read < 0 ? "error" : String(decoding: space[..<read], as: UTF8.self)
        }

        /// How much the kernel still has.
        var left: Int {
            var space = [UInt8](repeating: 0, count: 1 << 20)
            return unsafe recv(
                server.descriptor, &space, space.count, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        }
    }

    private let readable = Int16(POLLIN)

    @Test func theCallsAreOurs() {
        #expect(ReadAhead.isInPlace)
        #expect(HeldWrites.isInPlace)
        #expect(!isAnsweredHere("fopen"))
    }

    @Test func whatHasArrivedIsTakenAtOnceAndHandedOut() throws {
        let line = try Line()
        #expect(line.poll(timeout: 0) == [0])
        try line.client.write(Array("abcdef".utf8))
        #expect(line.poll() == [readable])
        #expect(line.left == -1)
        #expect(line.read(4) == "abcd")
        #expect(line.poll() == [readable])
        try line.client.write(Array("gh".utf8))
        #expect(line.read(4) == "ef")
        #expect(line.poll() == [readable])
        #expect(line.read(1) == "g")
        #expect(line.read(10) == "h")
        #expect(line.poll(timeout: 0) == [0])
    }

    @Test func theEndComesAfterWhatHasArrived() throws {
        let line = try Line()
        try line.client.write(Array("ab".utf8))
        #expect(line.poll() == [readable])
        shutdown(line.client.descriptor, Int32(SHUT_WR))
        #expect(line.read(1) == "a")
        #expect(line.read(1) == "b")
        #expect(line.poll() == [readable])
        #expect(line.read(1) == "")
        #expect(line.read(1) == "")
    }

    @Test func aPollOfManyFindsWhatIsKept() throws {
        let line = try Line()
        let other = try Line()
        try line.client.write(Array("ab".utf8))
        #expect(line.poll() == [readable])
        #expect(line.left == -1)
        #expect(line.poll(beside: [other.server.descriptor]) == [readable, 0])
    }

    /// A piece of a body goes where it is wanted, but for what was received with its head.
    @Test func aLargeReadIsFilledFromTheKernel() throws {
        let line = try Line()
        let body = String(repeating: "0123456789", count: 5000)
        try line.client.write(Array(body.utf8))
        #expect(line.poll() == [readable])
        #expect(line.left == body.utf8.count - ReadAhead.capacity)
        #expect(line.read(5) == "01234")
        #expect(line.read(body.utf8.count - 5) == body.dropFirst(5))
        #expect(line.left == -1)
    }

    @Test func aNumberThatIsUsedAnewHasNothingOfTheOldOne() throws {
        var line = try Line()
        // A number so high that the tests beside this one do not come by it.
        let number = fcntl(line.server.descriptor, F_DUPFD_CLOEXEC, 900)
        line.server = LoopbackSocket(taking: number)
        ReadAhead.begin(with: number)
        try line.client.write(Array("old".utf8))
        #expect(line.poll() == [readable])
        #expect(line.left == -1)
        #expect(close(number) == 0)

        let other = try Line(isRead: false)
        #expect(dup2(other.server.descriptor, number) == number)
        #expect(line.poll(timeout: 0) == [0])
        try other.client.write(Array("new".utf8))
        #expect(line.poll() == [readable])
        #expect(line.left == 3)
        #expect(line.read(8) == "new")
    }

    @Test func otherConnectionsAreLeftToTheSystem() throws {
        let line = try Line(isRead: false)
        try line.client.write(Array("abc".utf8))
        #expect(line.poll() == [readable])
        #expect(line.left == 3)
        #expect(line.read(2) == "ab")
        #expect(line.left == 1)
    }
}

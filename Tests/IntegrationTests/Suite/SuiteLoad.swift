import Glibc
import Synchronization
import TestKit

/// Clients inside and outside that send message after message to a suite host, each as an MTA would: again after a temporary refusal.
final class SuiteLoad: Sendable {
    /// What kind of message it is.
    enum Kind: CaseIterable {
        /// A user submits it.
        case submission
        /// friend.example sends and signs it.
        case friend
        /// A forger sends it in friend.example's name, from a host of its own.
        case forged
        /// A forger sends it in friend.example's name, with its address in the envelope too.
        case spoofed
    }

    /// What became of a message.
    enum Fate: Equatable {
        /// Taken, with 250.
        case accepted
        /// Refused for good.
        case refused(Int)
        /// The connection broke: the client cannot know.
        case unknown
    }

    /// A message that was sent.
    struct Sent {
        let token: String
        let kind: Kind
        let fate: Fate
    }

    private struct State {
        var begun = 0
        var mayEnd = false
        var sent: [Sent] = []
        var deferrals: [Int: Int] = [:]
    }

    // The host's own state is that of servers, which any thread may talk to.
    private nonisolated(unsafe) let host: SuiteHost
    private let total: Int
    private static let clients = 4
    private let state = Mutex(State())

    /// Begins to send messages from four clients at once, until `finish`, and `total` at least.
    init(_ host: SuiteHost, total: Int) {
        unsafe self.host = host
        self.total = total
        for _ in 0..<Self.clients { BackgroundThread.start { self.work() } }
    }

    /// The messages whose fate is known.
    var sent: [Sent] { state.withLock { $0.sent } }

    /// How often messages were deferred, by the code of the reply.
    var deferrals: [Int: Int] { state.withLock { $0.deferrals } }

    /// Waits until the fate of so many messages is known.
    func wait(for count: Int) throws {
        _ = try TestKit.wait(
            for: "message \(count); known are \(sent.count), deferred \(deferrals)", seconds: 120
        ) { state.withLock { $0.sent.count >= count } ? true : nil }
    }

    /// Lets the clients end, and returns what they have sent.
    func finish() throws -> [Sent] {
        state.withLock { $0.mayEnd = true }
        try wait(for: total)
        return try TestKit.wait(for: "the clients to end", seconds: 120) {
            state.withLock { $0.sent.count == $0.begun ? $0.sent : nil }
        }
    }

    private func work() {
        while let number = next() {
            // Half of the mail is users'; of the rest half is good.
            let kinds: [Kind] = [
                .submission, .friend, .submission, .forged, .submission, .friend, .submission,
                .spoofed,
            ]
            let kind = kinds[number % kinds.count]
            let token = "token-\(number)-\(kind)"
            let fate = send(token, kind)
            state.withLock { $0.sent.append(Sent(token: token, kind: kind, fate: fate)) }
        }
    }

    private func next() -> Int? {
        state.withLock { state in
            guard !state.mayEnd || state.begun < total else { return nil }
            state.begun += 1
            return state.begun
        }
    }

    private func send(_ token: String, _ kind: Kind) -> Fate {
        for _ in 0..<600 {
            guard let reply = try? attempt(token, kind) else { return .unknown }
            switch reply.code {
            case 200..<300: return .accepted
            case 500..<600: return .refused(reply.code)
            default:
                state.withLock { $0.deferrals[reply.code, default: 0] += 1 }
                usleep(50_000)
            }
        }
        return .unknown
    }

    private func attempt(_ token: String, _ kind: Kind) throws -> SMTPReply {
        let host = unsafe self.host
        switch kind {
        case .submission:
            return try host.submit(SuiteMail.submission(token))
        case .friend:
            let message = SuiteMail.incoming(token, author: "eve@friend.example")
            return try host.deliver(
                try host.signed(message), from: "eve@friend.example", at: "192.0.2.1")
        case .forged:
            return try host.deliver(
                SuiteMail.incoming(token, author: "eve@friend.example"),
                from: "x@forger.example", at: "203.0.113.1")
        case .spoofed:
            return try host.deliver(
                SuiteMail.incoming(token, author: "eve@friend.example"),
                from: "eve@friend.example", at: "203.0.113.1")
        }
    }
}

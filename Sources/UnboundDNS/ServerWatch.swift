internal import Glibc
internal import MailDNS
internal import Threads

/// Knows whether any name server answers, so that while none does, questions fail at once instead of after their time.
///
/// libunbound tells of a server that is away as it tells of a name whose servers are: after seconds, with SERVFAIL. So when a
/// question has been out for a second, and nothing at all has come from the servers, they are asked directly. While none answers
/// that question either, they are asked again each second.
final class ServerWatch: Sendable {
    private struct State {
        /// When something last came from a server.
        var lastHeard: MonotonicTime?
        var isWatching = false
        var isDown = false
        var isStopped = false
    }

    private let servers: [Nameserver]
    private let state = Monitor(State())
    private let report: @Sendable (NameserverState) -> Void

    /// For how long after an answer the servers are not suspected, in seconds.
    private static let trustedSeconds = 2.0
    /// How long a question may be out before the servers are asked directly, in seconds.
    private static let suspicionSeconds = 1.0
    /// How long they have for an answer, in milliseconds, and how often they are asked before they count as down.
    ///
    /// An answer that takes three seconds is in time, and those who ask hear of an outage within five.
    private static let roundMilliseconds: Int32 = 1100
    private static let rounds = 3

    /// Watches servers, and reports changes on a thread of its own; without servers it does nothing.
    init(_ servers: [Nameserver], report: @escaping @Sendable (NameserverState) -> Void) {
        self.servers = servers
        self.report = report
    }

    /// Says that a question is about to be asked; false if no server answers.
    func mayAsk() -> Bool {
        let now = MonotonicTime.now()
        let (isDown, starts) = state.withLock { state -> (Bool, Bool) in
            if state.isDown { return (true, false) }
            guard !servers.isEmpty, !state.isWatching, !state.isStopped else {
                return (false, false)
            }
            if let last = state.lastHeard, now.seconds(since: last) < Self.trustedSeconds {
                return (false, false)
            }
            state.isWatching = true
            return (false, true)
        }
        if starts, !startThread(stackSize: 256 << 10, { self.watch(since: now) }) {
            state.withLock { $0.isWatching = false }
        }
        return !isDown
    }

    /// Says that something came from a server.
    func heard() {
        let now = MonotonicTime.now()
        state.update { $0.lastHeard = now }
    }

    /// Ends the watch: nothing is reported any more.
    func stop() {
        state.update { $0.isStopped = true }
    }

    private func watch(since start: MonotonicTime) {
        let began = Int64(time(nil))
        defer {
            state.withLock { state in
                state.isWatching = false
                state.isDown = false
            }
        }
        if isOver(start, until: start + Self.suspicionSeconds) { return }
        let probe = ServerProbe(servers)
        for _ in 0..<Self.rounds {
            if probe.round(milliseconds: Self.roundMilliseconds) != nil { return heard() }
            if isOver(start, until: start) { return }
        }
        state.withLock { $0.isDown = true }
        report(.down(servers, since: began))
        while true {
            let server = probe.round(milliseconds: Self.roundMilliseconds)
            if server != nil { heard() }
            guard isOver(start, until: start) else { continue }
            let isStopped = state.withLock { state -> Bool in
                state.isDown = false
                return state.isStopped
            }
            if !isStopped {
                // An answer to a question may come before that to the probe: whose it is, is known of one server.
                let answering = server ?? (servers.count == 1 ? servers.first : nil)
                report(.up(answering, downSeconds: max(0, Int64(time(nil)) - began)))
            }
            return
        }
    }

    /// Whether something came after a moment, or the watch has ended; waits for it until the deadline.
    private func isOver(_ start: MonotonicTime, until deadline: MonotonicTime) -> Bool {
        state.wait(until: deadline) { state in
            if state.isStopped { return true }
            return state.lastHeard.flatMap { $0 > start ? true : nil }
        } ?? false
    }
}

internal import Glibc
internal import Synchronization

/// The remedy for a fault of libmilter's pool of threads, as Debian builds it.
///
/// Events that arrive in one wake-up of the pool's poller, while at least one thread is idle, are
/// all left to the idle ones. If one of these then blocks (it waits for the DNS), the events queued
/// behind it wait too, until some other thread ends its work: for as long as the longest wait, and
/// one after another. But when the poller meets an event and no thread is idle, it starts a new
/// one, which afterwards works off the queue.
///
/// So while a session blocks, we make events: on a few connections of our own to libmilter, every
/// few milliseconds. They carry a HELO without negotiation, to which libmilter's answer is prompt and
/// costs next to nothing. Measured with 40 of 80 sessions blocking for half a second at the same
/// instants: the others waited up to 3.5 s without this, and up to 0.04 s with it.
final class PoolWaker: Sendable {
    /// Our connections and whether each is free: its last event has been answered.
    private struct Line {
        let descriptor: Int32
        var isFree = false
    }

    private static let lineCount = 8
    /// Waits shorter than this need no help, in microseconds.
    private static let pause: UInt32 = 5_000
    /// A HELO from "x".
    private static let event: [UInt8] = [0, 0, 0, 3, UInt8(ascii: "H"), UInt8(ascii: "x"), 0]
    /// The length of the answer, a bare command letter.
    private static let answerLength = 5

    private let blocked = Atomic<Int>(0)
    private let isAsleep = Atomic<Bool>(true)
    private let alarm = Semaphore()

    /// Notes that a session blocks.
    func enter() {
        blocked.add(1, ordering: .sequentiallyConsistent)
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { alarm.signal() }
    }

    /// Notes that a session no longer blocks.
    func leave() {
        blocked.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Connects to libmilter through a private listener in the place of the real one, which is put
    /// back; then starts the thread that helps.
    ///
    /// The real listener will not do: its directory and mode are for the MTA.
    ///
    /// - Parameters:
    ///   - listener: The descriptor that libmilter has been given.
    ///   - idleLimit: Seconds after which libmilter closes a silent connection.
    ///   - begin: Makes libmilter poll that descriptor.
    ///   - interrupt: Ends the poll that libmilter is in, if it is in one.
    /// - Returns: False if the remedy is not to be had; the real listener is in place all the same.
    func start(
        listener: Int32, idleLimit: Int32, begin: () -> Void, interrupt: () -> Void
    ) -> Bool {
        let real = fcntl(listener, F_DUPFD_CLOEXEC, 0)
        guard real >= 0, let door = PrivateListener(family: PrivateListener.family(of: listener)),
            door.replace(listener)
        else {
            if real >= 0 { Glibc.close(real) }
            begin()
            return false
        }
        var lines: [Line] = []
        for _ in 0..<Self.lineCount {
            if let descriptor = door.connect() { lines.append(Line(descriptor: descriptor)) }
        }
        begin()
        let isServed = awaitService(&lines)

        // libmilter may accept at once on what it finds in the place of the private listener.
        _ = fcntl(real, F_SETFL, fcntl(real, F_GETFL) | O_NONBLOCK)
        dup2(real, listener)
        Glibc.close(real)
        // It still polls the private one, for up to five seconds. A connection there would not end that: once woken, poll(2)
        // looks at what now is under the number, and sleeps on.
        interrupt()
        guard isServed else {
            for line in lines { Glibc.close(line.descriptor) }
            return false
        }
        let served = lines
        let period = max(1, min(600, idleLimit / 2))
        return startThread { [self] in help(served, period: period) }
    }

    /// Sends the first event on each line and waits until libmilter has answered all.
    private func awaitService(_ lines: inout [Line]) -> Bool {
        guard lines.count == Self.lineCount else { return false }
        for line in lines { _ = send(on: line) }
        for _ in 0..<2000 {
            collect(&lines)
            if lines.count != Self.lineCount { return false }
            if lines.allSatisfy(\.isFree) { return true }
            usleep(1000)
        }
        return false
    }

    private func help(_ lines: [Line], period: Int32) {
        var lines = lines
        while !lines.isEmpty {
            // Now and then a sign of life, so that libmilter does not close the lines.
            let isNeeded = alarm.wait(seconds: period)
            if !isNeeded { wake(&lines, count: Self.lineCount) }
            while isNeeded {
                usleep(Self.pause)
                let count = blocked.load(ordering: .sequentiallyConsistent)
                if count > 0 {
                    wake(&lines, count: 1 + count / 2)
                    continue
                }
                isAsleep.store(true, ordering: .sequentiallyConsistent)
                // A session may have begun to block just before: then the alarm is ours to raise.
                guard blocked.load(ordering: .sequentiallyConsistent) > 0,
                    isAsleep.exchange(false, ordering: .sequentiallyConsistent)
                else { break }
            }
        }
    }

    /// Sends an event on at most that many free lines.
    private func wake(_ lines: inout [Line], count: Int) {
        collect(&lines)
        var rest = count
        for index in lines.indices where rest > 0 && lines[index].isFree {
            lines[index].isFree = !send(on: lines[index])
            rest -= 1
        }
    }

    private func send(on line: Line) -> Bool {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return unsafe Glibc.send(line.descriptor, Self.event, Self.event.count, flags)
            == Self.event.count
    }

    /// Takes the answers that have come, and drops lines that libmilter has closed.
    private func collect(_ lines: inout [Line]) {
        var buffer = [UInt8](repeating: 0, count: Self.answerLength)
        for index in lines.indices.reversed() where !lines[index].isFree {
            let count = unsafe recv(
                lines[index].descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count == Self.answerLength {
                lines[index].isFree = true
            } else if count == 0 {
                Glibc.close(lines[index].descriptor)
                lines.remove(at: index)
            }
        }
    }
}

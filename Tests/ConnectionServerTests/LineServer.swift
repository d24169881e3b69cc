import ConnectionServer
import Glibc
import Threads

/// A server of lines, with all that a test wants to know of it.
///
/// A line is echoed, but for those that begin with a word of `LineHandler`.
final class LineServer: Sendable {
    struct Counts: Sendable {
        var begun = 0
        var ended = 0
        var endedTwice = 0
        var usedAfterEnd = 0
        var calls = 0
        var waiting = 0
        var problems: [String] = []
        var isFinished: Bool?
    }

    let server: ConnectionServer
    let addresses: [Address]
    let counts = Monitor(Counts())
    /// What lines of "wait" wait for.
    let gate = Latch()

    init(
        _ kinds: [Address.Kind] = [.unix], limits: ConnectionLimits = ConnectionLimits(),
        othersListen: Bool = false, runs: Bool = true
    ) throws {
        let sockets = try kinds.map { try Address.listen($0) }
        addresses = sockets.map(\.1)
        let (counts, gate) = (counts, gate)
        server = try ConnectionServer(
            listening: sockets.map(\.0), othersListen: othersListen, limits: limits,
            onProblem: { text in counts.update { $0.problems.append(text) } },
            handler: { LineHandler(counts: counts, gate: gate) })
        if runs { start() }
    }

    deinit {
        gate.open()
        server.drain()
    }

    func start() {
        let (server, counts) = (server, counts)
        startThread {
            let isComplete = server.run()
            counts.update { $0.isFinished = isComplete }
        }
    }

    func client(_ index: Int = 0) throws -> Client { try Client(addresses[index]) }

    /// Waits until something holds of the counts; false after 20 seconds.
    func wait(for condition: (Counts) -> Bool) -> Bool {
        counts.wait(until: .now() + 20) { condition($0) ? true : nil } ?? false
    }

    /// Drains the server, and waits for it to end.
    ///
    /// - Returns: what `run` returned; nil when it did not return.
    func drained() -> Bool? {
        server.drain()
        return counts.wait(until: .now() + 20) { $0.isFinished }
    }
}

/// Echoes lines.
///
/// `wait …` waits for the gate first, `close …` closes after the echo, `big N` answers N octets.
final class LineHandler: ConnectionHandler {
    private let counts: Monitor<LineServer.Counts>
    private let gate: Latch
    private var line: [UInt8] = []
    private var hasBegun = false
    private var hasEnded = false

    init(counts: Monitor<LineServer.Counts>, gate: Latch) {
        self.counts = counts
        self.gate = gate
        counts.update { $0.begun += 1 }
    }

    var state: ConnectionState {
        if !line.isEmpty { return .busy }
        return hasBegun ? .idle : .new
    }

    var bufferedOctets: Int { line.count }

    func receive(_ input: Span<UInt8>, output: inout [UInt8]) -> ConnectionStep {
        let isUsedAfterEnd = hasEnded
        counts.update { counts in
            counts.calls += 1
            if isUsedAfterEnd { counts.usedAfterEnd += 1 }
        }
        hasBegun = true
        var step = ConnectionStep.incomplete
        for index in input.indices {
            guard input[index] == UInt8(ascii: "\n") else {
                line.append(input[index])
                continue
            }
            step = .goOn
            let text = String(decoding: line, as: UTF8.self)
            line = []
            answer(text, &output)
            if text.hasPrefix("close") { return .close }
        }
        return step
    }

    func timeLimitPassed(output: inout [UInt8]) { output += Array("late\n".utf8) }

    func end() {
        let isSecond = hasEnded
        hasEnded = true
        counts.update { counts in
            if isSecond { counts.endedTwice += 1 } else { counts.ended += 1 }
        }
    }

    private func answer(_ text: String, _ output: inout [UInt8]) {
        if text.hasPrefix("wait") {
            counts.update { $0.waiting += 1 }
            gate.wait(until: .now() + 20)
            counts.update { $0.waiting -= 1 }
        }
        if text.hasPrefix("big "), let count = Int(text.dropFirst(4)) {
            output += [UInt8](repeating: UInt8(ascii: "x"), count: count)
        } else {
            output += Array("\(text)\n".utf8)
        }
    }
}

internal import Glibc
internal import TestKit

/// Sends many messages over many connections, cuts some, and sends each message again, as the SMTP
/// client of a Postfix does, until it has its verdict.
struct Soak<Subject: SoakSubject> {
    private let subject: Subject

    init(_ subject: Subject) {
        self.subject = subject
    }

    /// What happened to the messages.
    private struct Tally {
        var answered: [UInt8]
        var cuts = 0
        var interruptions = 0
        var wrong = 0
        var halfEdited = 0
        /// The first with other edits than its own.
        var example: (number: Int, edits: [SoakEdit]?)?
    }

    /// Runs.
    ///
    /// - Throws: where a connection is silent for a minute, or the daemon cannot be started.
    func run(messages: Int, connections: Int) throws {
        var generator = SystemRandomNumberGenerator()
        var tally = Tally(answered: [UInt8](repeating: 0, count: messages))
        let daemon = try SoakDaemon(subject)
        daemon.start()
        let start = wallMicroseconds()
        var next = 0
        var lines: [SoakLine] = []
        while next < min(connections, messages) {
            lines.append(try line(next, daemon, &generator))
            next += 1
        }
        while !lines.isEmpty {
            let ready = try wait(for: lines, daemon)
            var kept: [SoakLine] = []
            for (line, isReady) in zip(lines, ready) {
                guard isReady else {
                    kept.append(line)
                    continue
                }
                switch line.proceed(&generator) {
                case .goesOn:
                    kept.append(line)
                case .interrupted(let edits):
                    if line.isCut { tally.cuts += 1 } else { tally.interruptions += 1 }
                    if edits > 0 { tally.halfEdited += 1 }
                    kept.append(try self.line(line.number, daemon, &generator))
                case .answered(let edits):
                    tally.answered[line.number] += 1
                    let isRight = edits.map { subject.isRight($0, for: line.message) } ?? false
                    if !isRight {
                        tally.wrong += 1
                        tally.example = tally.example ?? (line.number, edits)
                    }
                    guard next < messages else {
                        line.quit()
                        continue
                    }
                    kept.append(try follow(line, next, daemon, &generator))
                    next += 1
                }
            }
            lines = kept
        }
        daemon.end()
        _ = try TestKit.wait(for: "the last drain", seconds: 120) {
            daemon.history.isOver ? true : nil
        }
        report(tally, daemon.history, seconds: (wallMicroseconds() - start) / 1e6)
    }

    /// A new connection for a message; one in fifty is cut somewhere.
    private func line(
        _ number: Int, _ daemon: SoakDaemon, _ generator: inout SystemRandomNumberGenerator
    ) throws -> SoakLine {
        try SoakLine(daemon.path, number, subject.message(number), cut: cut(&generator))
    }

    /// The next message: mostly on the same connection.
    private func follow(
        _ line: SoakLine, _ number: Int, _ daemon: SoakDaemon,
        _ generator: inout SystemRandomNumberGenerator
    ) throws -> SoakLine {
        guard Int.random(in: 0..<5, using: &generator) > 0 else {
            line.quit()
            return try self.line(number, daemon, &generator)
        }
        return SoakLine(after: line, number, subject.message(number), cut: cut(&generator))
    }

    private func cut(_ generator: inout SystemRandomNumberGenerator) -> Int? {
        Int.random(in: 0..<50, using: &generator) == 0
            ? Int.random(in: 0..<2_500, using: &generator) : nil
    }

    /// Which of the lines can write or read.
    private func wait(for lines: [SoakLine], _ daemon: SoakDaemon) throws -> [Bool] {
        var polled = lines.map {
            pollfd(
                fd: $0.descriptor, events: Int16($0.isWriting ? POLLIN | POLLOUT : POLLIN),
                revents: 0)
        }
        let ready = unsafe poll(&polled, nfds_t(polled.count), 1_000)
        guard ready >= 0 || errno == EINTR else { throw TestKitError("poll: errno \(errno)") }
        let now = wallMicroseconds()
        if let silent = lines.first(where: { now - $0.lastProgress > 60e6 }) {
            throw TestKitError(
                "message \(silent.number) had no answer in a minute; \(daemon.history.faults)")
        }
        return polled.map { $0.revents != 0 }
    }

    private func report(_ tally: Tally, _ history: SoakDaemon.History, seconds: Double) {
        Report.write(
            "\(subject.program): \(tally.answered.count) messages in \(Report.round(seconds)) s; "
                + "\(history.kills) kills, \(history.drains) drains, \(tally.cuts) cuts, "
                + "\(tally.interruptions) interrupted by the daemon's end and sent again\n")
        func none(_ name: String, _ count: Int) { Report.limit(name, Double(count), atMost: 0) }
        none("lost", tally.answered.count { $0 == 0 })
        none("answered twice", tally.answered.count { $0 > 1 })
        none("edits without a verdict", tally.halfEdited)
        none("with edits that are not exactly its own", tally.wrong)
        if let example = tally.example { Report.write("  the first: \(example)") }
        none("ends that were not as they should be", history.faults.count)
        for fault in history.faults { Report.write("  \(fault)") }
    }
}

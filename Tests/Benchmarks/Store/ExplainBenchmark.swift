import FlightRecord
import Foundation
import Threads

/// Measures how long `signet explain` takes on a host whose records are full: three daemons' with 100,000 messages each, 64 MB or nearly
/// so, and a log of 700,000 lines.
///
/// Every other message is of one client and to one address. Each question is asked as a user does, of the program beside this one; its CPU
/// time counts. The exit status is 1 where one of them takes more than 0.3 s, or finds nothing.
enum ExplainBenchmark {
    private static let timeLimit = 0.3
    private static let rounds = 3
    /// The time between two messages, in microseconds: a hundred thousand are ten days' mail.
    private static let pace: Int64 = 8_640_000
    /// How many entries wait to be written at most.
    private static let mostWaiting: Int64 = 3_000
    private static let busyClient = "198.51.100.7"
    private static let busyAddress = "list@receiver.example"

    static func run(_ arguments: [String]) throws {
        let count = arguments.first.flatMap { Int($0) } ?? 100_000
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "signet-explain-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let start = FlightRecorder.systemTime() - Int64(count) * pace - 60_000_000
        for daemon in [FlightDaemon.dkim, .dmarc, .spf] {
            try fill(daemon, folder, count, from: start)
        }
        let log = folder.appendingPathComponent("mail.log")
        try writeLog(log, count, from: start)
        let middle = Message(number: count / 2 + 1)
        let at = start / 1_000_000 + Int64(middle.number) * pace / 1_000_000
        let questions: [(String, [String])] = [
            ("queue id", ["explain", middle.queueID]),
            ("Message-ID", ["explain", middle.messageID]),
            ("next host's id", ["explain", middle.nextID]),
            ("address, time", ["explain", middle.recipient, "--at", String(at)]),
            ("busy address, time", ["explain", busyAddress, "--at", String(at)]),
            ("busy address", ["explain", busyAddress]),
            ("client", ["explain", middle.client]),
            ("busy client", ["explain", busyClient]),
            ("--refused", ["explain", "--refused"]),
            ("why", ["why", "sender\(middle.number % 1_000).example"]),
        ]
        var isGood = true
        print("                       CPU s   wall s  lines")
        for (name, words) in questions {
            var best: Usage?
            for _ in 0..<rounds {
                let usage = try ask(words, folder, words[0] == "explain" ? log.path : nil)
                if best.map({ usage.cpu < $0.cpu }) ?? true { best = usage }
            }
            guard let best else { continue }
            print(
                name.padding(toLength: 20, withPad: " ", startingAt: 0),
                String(format: "%7.2f  %7.2f  %5d", best.cpu, best.wall, best.lines))
            isGood = isGood && best.cpu <= timeLimit && best.lines > 0
        }
        if !isGood { exit(1) }
    }

    /// A message, which is told by its number.
    private struct Message {
        let number: Int

        var isBusy: Bool { number % 2 == 0 }
        var queueID: String { "4dQ\(String(number + 1_000_000, radix: 32))zWx" }
        var nextID: String { "B\(String(number + 50_000_000, radix: 16).uppercased())" }
        var messageID: String { "20261128.\(number)@sender\(number % 1_000).example" }
        var client: String { isBusy ? busyClient : "203.0.\(number / 250 % 250).\(number % 250)" }
        var sender: String { "news\(number % 7)@sender\(number % 1_000).example" }
        var recipient: String { isBusy ? busyAddress : "user\(number)@receiver.example" }
        var isRefused: Bool { number % 100 == 0 }
    }

    private static func fill(
        _ daemon: FlightDaemon, _ folder: URL, _ count: Int, from start: Int64
    ) throws {
        let directory = folder.appendingPathComponent(daemon.shortName).path
        try Data("FlightRecord \(directory)\n".utf8).write(
            to: folder.appendingPathComponent("\(daemon.shortName).conf"))
        let clock = Locked(start)
        var settings = FlightSettings(directory: directory)
        settings.age = 365 * 86_400
        guard
            let recorder = FlightRecorder(
                settings, daemon: daemon, time: { clock.withLock { $0 } }, report: { print($0) })
        else { return }
        let filling = String(repeating: "v=spf1 ip4:192.0.2.0/24 ", count: 9)
        for number in 0..<count {
            while Int64(number - recorder.tally.written) > mostWaiting { usleep(1_000) }
            clock.withLock { $0 = start + Int64(number) * pace }
            recorder.record { entry in tell(Message(number: number), filling, &entry) }
        }
        recorder.close()
        // The clock runs so fast that entries wait for hours: each segment begins by so much earlier, and was last written to when
        // the next one began.
        let segments = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        for (index, name) in segments.enumerated() {
            let begun = Int64(name.prefix(16), radix: 16) ?? 0
            let digits = String(begun - mostWaiting * pace, radix: 16)
            let earlier = String(repeating: "0", count: 16 - digits.count) + digits
            let path = "\(directory)/\(earlier)\(name.dropFirst(16))"
            try FileManager.default.moveItem(atPath: "\(directory)/\(name)", toPath: path)
            guard index + 1 < segments.count else { continue }
            let end = Double(Int64(segments[index + 1].prefix(16), radix: 16) ?? 0) / 1e6
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: end)], ofItemAtPath: path)
        }
    }

    private static func tell(_ message: Message, _ filling: String, _ entry: inout FlightEntry) {
        // signet-spf is asked before there is a queue id.
        if entry.daemon != .spf { entry.add(.queueID, message.queueID) }
        if entry.daemon != .spf { entry.add(.messageID, message.messageID) }
        entry.add(.clientAddress, message.client)
        entry.add(.clientName, "mail.sender\(message.number % 1_000).example")
        entry.add(.helo, "mail.sender\(message.number % 1_000).example")
        entry.add(.sender, message.sender)
        entry.add(.recipient, message.recipient)
        if entry.daemon != .spf { entry.add(.author, "sender\(message.number % 1_000).example") }
        entry.add(.question, "sender\(message.number % 1_000).example TXT: \(filling), TTL 300")
        entry.add(.result, "spf=pass sender\(message.number % 1_000).example")
        entry.add(.generation, "1")
        entry.add(.verdict, message.isRefused ? "refused" : "passed")
        entry.add(.step, "decided in 12 ms")
    }

    private static func writeLog(_ path: URL, _ count: Int, from start: Int64) throws {
        let format = ISO8601DateFormatter()
        guard FileManager.default.createFile(atPath: path.path, contents: nil) else { return }
        let file = try FileHandle(forWritingTo: path)
        var text = ""
        for number in 0..<count {
            let message = Message(number: number)
            let seconds = Double(start / 1_000_000 + Int64(number) * pace / 1_000_000)
            let time = format.string(from: Date(timeIntervalSince1970: seconds)).dropLast()
            let head = "\(time).123456+00:00 mx postfix/"
            let client = "mail.sender\(number % 1_000).example[\(message.client)]"
            let id = message.queueID
            text += """
                \(head)smtpd[4711]: connect from \(client)
                \(head)smtpd[4711]: \(id): client=\(client)
                \(head)cleanup[4712]: \(id): message-id=<\(message.messageID)>
                \(head)qmgr[99]: \(id): from=<\(message.sender)>, size=2048, nrcpt=1 (queue active)
                \(head)smtp[4713]: \(id): to=<\(message.recipient)>, relay=in.receiver.example[192.0.2.9]:25, delay=0.4, \
                delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as \(message.nextID))
                \(head)qmgr[99]: \(id): removed
                \(head)smtpd[4711]: disconnect from \(client) ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5

                """
            if text.utf8.count > 1 << 20 || number == count - 1 {
                try file.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try file.close()
    }

    private struct Usage {
        let cpu: Double
        let wall: Double
        let lines: Int
    }

    private static func ask(_ words: [String], _ folder: URL, _ log: String?) throws -> Usage {
        let child = Process()
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("signet")
        child.arguments =
            words + ["--config", folder.path] + (log.map { ["--log", $0] } ?? [])
        let output = Pipe()
        child.standardOutput = output
        let before = childSeconds()
        var octets = Data()
        let wall = try ContinuousClock().measure {
            try child.run()
            octets = try output.fileHandleForReading.readToEnd() ?? Data()
            child.waitUntilExit()
        }
        let lines = child.terminationStatus == 0 ? octets.count { $0 == 0x0A } : 0
        return Usage(cpu: childSeconds() - before, wall: wall / .seconds(1), lines: lines)
    }

    /// What children that have ended took of the CPU, in seconds.
    private static func childSeconds() -> Double {
        var usage = rusage()
        _ = unsafe getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

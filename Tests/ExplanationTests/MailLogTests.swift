import Explanation
import Synchronization
import Testing

/// Lines of logs in the forms that hosts write.
@Suite struct MailLogTests {
    private static let calendar: MailLogLine.Calendar = { date in
        Int64(date.month * 100 + date.day) * 100_000
            + Int64(date.hour * 3_600 + date.minute * 60 + date.second)
    }

    private static let same = MailLogLine(
        time: 0, program: "postfix/smtp", queueID: "4Qx1Yz2", text: "removed")

    @Test(
        arguments: [
            ("Nov  7 01:00:05 mail postfix/smtp[12]: 4Qx1Yz2: removed", 110_703_605_000_000),
            ("1764250000.000123 mail postfix/smtp[12]: 4Qx1Yz2: removed", 1_764_250_000_000_123),
            (
                "2025-11-27T13:26:40.000123+00:00 mail postfix/smtp[12]: 4Qx1Yz2: removed",
                1_764_250_000_000_123
            ),
            (
                "2025-11-27T14:26:40.000123+01:00 mail postfix/smtp[12]: 4Qx1Yz2: removed",
                1_764_250_000_000_123
            ),
            ("2025-11-27T13:26:40Z mail postfix/smtp: 4Qx1Yz2: removed", 1_764_250_000_000_000),
        ] as [(String, Int64)])
    func isRead(_ line: String, _ time: Int64) throws {
        let read = try #require(MailLogLine(line[...], calendar: Self.calendar))
        #expect(read.time == time)
        #expect(read.program == "postfix/smtp")
        #expect(read.queueID == "4Qx1Yz2")
        #expect(read.text == "removed")
    }

    @Test(arguments: [
        "", " ", "x", "Nov 7 01:00:05", "Nov 7 01:00:05 host", "Nov 7 1:2 mail a: b",
        "2025-11-27T13:26:40", "9999999999999999999.000000 a b: c", "\u{0}",
        "Foo 7 01:00:05 a b: c",
        "2025-13-27T13:26:40Z mail postfix/smtp: x", "-- Boot 1234 --",
        "2025-11-27T13:26:40Z mail postfix/\u{1B}[2J[12]: 4Qx1Yz2: removed",
    ])
    func isNone(_ line: String) {
        #expect(MailLogLine(line[...], calendar: Self.calendar) == nil)
    }

    @Test func ofManyLinesTheLastAreGiven() {
        let log = (0..<50_000).map { "1764250000.000000 h a: line \($0)\n" }.joined()
        let lines = MailLogFile(Array(log.utf8)).lines(
            with: ["line", "nowhere"], limit: 20_000, calendar: Self.calendar)
        #expect(lines.count == 20_000)
        #expect(lines.first?.text == "line 30000")
        #expect(lines.last?.text == "line 49999")
    }

    /// A log is read in pieces, which end anywhere; each line is in one of them.
    @Test func everyLineIsFoundInItsPiece() {
        let filler = String(repeating: "x", count: 997)
        let log = (0..<10_000).map { number in
            "17642\(50_000 + number).000000 h a: n\(number)n \(filler)\n"
        }.joined()
        let octets = Array(log.utf8)
        let file = MailLogFile(size: octets.count) { Array(octets[$0]) }
        let all = file.lines(with: [filler], limit: 20_000, calendar: Self.calendar)
        #expect(all.map(\.time) == (0..<10_000).map { 1_764_250_000_000_000 + $0 * 1_000_000 })
        let some = (0..<10_000).filter { $0 % 37 == 0 }
        let found = file.lines(
            with: some.map { "n\($0)n" }, limit: 20_000, calendar: Self.calendar)
        #expect(found.map(\.time) == some.map { 1_764_250_000_000_000 + Int64($0) * 1_000_000 })
        let early = file.lines(
            with: [filler], in: 1_764_250_100_000_000...1_764_250_109_000_000, limit: 20_000,
            calendar: Self.calendar)
        #expect(early.count == 10)
        // One that was cut meanwhile has what is left.
        let short = MailLogFile(size: octets.count) { Array(octets[$0.clamped(to: 0..<2_000)]) }
        #expect(short.lines(with: ["n0n"], limit: 9, calendar: Self.calendar).count == 1)
    }

    /// A line that is longer than a piece is passed over, and none beside it is lost or made of a part of it.
    @Test(arguments: [4 << 20, (4 << 20) - 40, 9 << 20, (12 << 20) + 77])
    func aLineLongerThanAPieceHidesNoOther(_ length: Int) {
        func line(_ number: Int, _ text: String) -> String {
            "17642\(50_000 + number).000000 h a: n\(number)n \(text)\n"
        }
        let long = String(repeating: "x", count: length)
        // What follows it has any length, so that pieces begin anywhere in the long line.
        for rest in [0, 1, 100, 5_000, 4_194_304 - 60, 4_194_304] {
            let short = (0..<rest / 1_000).map { line(10 + $0, String(repeating: "y", count: 960)) }
            let log =
                line(0, "needle") + line(1, "needle") + line(2, "needle \(long)")
                + line(3, "needle") + short.joined() + line(9_000, "needle")
            let found = MailLogFile(Array(log.utf8)).lines(
                with: ["needle"], limit: 99, calendar: Self.calendar)
            #expect(
                found.map(\.text) == [0, 1, 3, 9_000].map { "n\($0)n needle" },
                "\(length) \(rest)")
        }
    }

    /// Of what was written later hardly more than the times are read.
    @Test func whatIsLaterThanTheSpanIsPassedOver() {
        let octets = Array(
            (0..<10_000).map { number in
                "176\(4_250_000 + number * 60).000000 h a: line \(number) "
                    + String(repeating: "x", count: 2_000) + "\n"
            }.joined().utf8)
        let count = Mutex(0)
        let file = MailLogFile(size: octets.count) { range in
            count.withLock { $0 += range.count }
            return Array(octets[range])
        }
        let time: Int64 = 1_764_250_000_000_000 + 1_000 * 60_000_000
        let lines = file.lines(
            with: ["line"], in: time...time + 600_000_000, limit: 100, calendar: Self.calendar)
        #expect(
            lines.compactMap { $0.text.split(separator: " ").dropFirst().first }
                == (1_000...1_010).map { "\($0)" })
        let read = count.withLock { $0 }
        #expect(read < octets.count / 2, "\(read) of \(octets.count)")
    }

    /// What a stranger has written later must not take the room of what is asked for.
    @Test func ofATimeTheLastAreGiven() {
        let log = (0..<3_000).map { "17642\(50_000 + $0).000000 h a: line \($0)\n" }.joined()
        let lines = MailLogFile(Array(log.utf8)).lines(
            with: ["line"], in: 1_764_250_000_000_000...1_764_250_099_000_000, limit: 10,
            calendar: Self.calendar)
        #expect(lines.map(\.text) == (90..<100).map { "line \($0)" })
    }

    /// The traditional form has an hour twice when summer time ends; both are looked through.
    @Test func anHourThatIsThereTwiceIsSearched() {
        // Two hours of which the second has the times of the first, in several pieces.
        let filler = String(repeating: "x", count: 7_900)
        let log = (0..<2).flatMap { hour in
            (0..<360).map { number in
                "17642\(50_000 + number * 10).000000 h a: \(hour)n\(number) \(filler)\n"
            }
        }.joined()
        let file = MailLogFile(Array(log.utf8))
        for (hour, number) in (0..<2).flatMap({ hour in [0, 100, 359].map { (hour, $0) } }) {
            let time = Int64(1_764_250_000 + number * 10) * 1_000_000
            let lines = file.lines(
                with: ["\(hour)n\(number) "], in: time - 600_000_000...time + 600_000_000,
                limit: 10, calendar: Self.calendar)
            #expect(lines.count == 1, "\(hour) \(number)")
        }
    }

    @Test func refusalWithoutQueueID() throws {
        let line = try #require(
            MailLogLine(
                """
                1764250000.000000 h postfix/smtpd[1]: NOQUEUE: reject: RCPT from a.example[192.0.2.1]: \
                550 5.7.23 <b@c.example>: no; from=<a@b.example> to=<b@c.example> proto=ESMTP helo=<h>
                """[...], calendar: Self.calendar))
        #expect(line.queueID == nil)
        guard case .refusal(let refusal) = PostfixEvent(line) else {
            Issue.record("\(line)")
            return
        }
        #expect(refusal.stage == "RCPT")
        #expect(refusal.client == "a.example[192.0.2.1]")
        #expect(refusal.sender == "a@b.example")
        #expect(refusal.recipient == "b@c.example")
        #expect(!refusal.isTemporary)
    }
}

import Explanation
import FlightRecord
import Foundation
import Testing

/// Short queue ids that Postfix gave to one message after another, where the lines of some are gone from the log
/// (postconf(5), enable_long_queue_ids).
@Suite struct QueueIDUsedAgainTests {
    private static let id = "4AAA1"
    private static let base: Int64 = 1_764_250_000_000_000

    /// What the daemons and the log have of some messages of one queue id.
    private struct Given: Evidence {
        var entries: [FlightEntry] = []
        var lines: [MailLogLine] = []

        /// Adds a message.
        ///
        /// - Parameters:
        ///   - number: its number, which its addresses have.
        ///   - second: when it began.
        ///   - length: how long it was in the queue, in seconds.
        ///   - logged: how many of its four lines the log still has: the last.
        ///   - isRecorded: whether a daemon has recorded it.
        mutating func add(
            _ number: Int, at second: Int64, for length: Int64 = 2, logged: Int = 4,
            isRecorded: Bool = true
        ) {
            let time = base + second * 1_000_000
            if isRecorded {
                var entry = FlightEntry(.dkim, time: time + 500_000)
                entry.add(.queueID, id)
                entry.add(.messageID, "m\(number)@example.org")
                entry.add(.clientAddress, "192.0.2.\(number)")
                entry.add(.recipient, "b\(number)@example.com")
                entry.add(.signature, "d=d\(number).example s=mail a=rsa-sha256")
                entry.add(.verdict, "signed")
                entries.append(entry)
            }
            let texts: [(Int64, String, String)] = [
                (0, "smtpd", "client=laptop[192.0.2.\(number)]"),
                (0, "cleanup", "message-id=<m\(number)@example.org>"),
                (
                    length, "smtp",
                    "to=<b\(number)@example.com>, relay=mx.example.com[198.51.100.1]:25, "
                        + "delay=1, delays=0/0/0/1, dsn=2.0.0, "
                        + "status=sent (250 2.0.0 Ok: queued as 9Z\(number))"
                ), (length, "qmgr", "removed"),
            ]
            for (second, program, text) in texts.suffix(logged) {
                lines.append(
                    MailLogLine(
                        time: time + second * 1_000_000, program: "postfix/\(program)",
                        queueID: id, text: text))
            }
        }

        func entries(
            with texts: [String], _ scope: FlightScope, limit: Int
        ) -> [FlightEntry] {
            entries.filter { entry in
                scope.has(entry.time, entry.daemon)
                    && entry.items.contains { item in texts.contains { item.text.contains($0) } }
            }
        }

        /// From the end back, a line at a time: what is older is given only to those who ask for it.
        func lines(
            with texts: [String], in span: ClosedRange<Int64>?, limit: Int,
            until isEnough: MailLogFile.Sufficiency
        ) -> [MailLogLine] {
            var found: [MailLogLine] = []
            for line in lines.reversed() where span?.contains(line.time) != false {
                guard texts.contains(where: { line.text.contains($0) || line.queueID == $0 })
                else { continue }
                found.append(line)
                if isEnough(line.time, [line]) { break }
            }
            return found.reversed()
        }

        func forms(of text: String) -> Set<String> { [text] }

        /// The answers to a question.
        func answers(_ what: String, near second: Int64? = nil) -> [String] {
            StoryFinder(self).stories(
                of: .init(what, near: second.map { base + $0 * 1_000_000 })
            ).map(\.answer)
        }
    }

    private func signed(_ number: Int) -> String {
        "Signed for d\(number).example (selector mail, rsa-sha256)"
    }

    private func delivered(_ number: Int) -> String {
        "elivered to b\(number)@example.com by mx.example.com, there queued as 9Z\(number)"
    }

    private func whole(_ number: Int) -> String { "\(signed(number)); d\(delivered(number))." }

    private func everyName(of number: Int) -> [String] {
        ["m\(number)@example.org", "b\(number)@example.com", "192.0.2.\(number)"]
    }

    /// However soon the id is used again: the second message's lines are not the first one's.
    @Test(arguments: [3, 30, 90, 400, 1000, 200_000] as [Int64])
    func theLinesOfTheFirstUseAreGone(_ gap: Int64) {
        var given = Given()
        given.add(1, at: 0, logged: 0)
        given.add(2, at: gap)
        #expect(given.answers(Self.id) == ["\(signed(1)).", whole(2)])
        for name in everyName(of: 1) {
            #expect(given.answers(name) == ["\(signed(1))."], "\(name)")
        }
        for name in everyName(of: 2) + ["9Z2"] {
            #expect(given.answers(name) == [whole(2)], "\(name)")
        }
    }

    /// A message that was long in the queue: what is left of its lines belongs to what was recorded when it came.
    @Test(arguments: [(1, 100), (2, 100), (1, 400_000), (2, 400_000)] as [(Int, Int64)])
    func theFirstLinesOfAMessageAreGone(_ logged: Int, _ length: Int64) {
        var given = Given()
        given.add(1, at: -5_000, logged: 0)
        given.add(2, at: 0, for: length, logged: logged)
        given.add(3, at: length + 700)
        let second = logged > 1 ? whole(2) : "\(signed(2))."
        #expect(given.answers(Self.id) == ["\(signed(1)).", second, whole(3)])
        for name in everyName(of: 2) { #expect(given.answers(name) == [second], "\(name)") }
        for name in everyName(of: 1) {
            #expect(given.answers(name) == ["\(signed(1))."], "\(name)")
        }
        for name in everyName(of: 3) { #expect(given.answers(name) == [whole(3)], "\(name)") }
        if logged > 1 { #expect(given.answers("9Z2") == [whole(2)]) }
    }

    @Test func aMessageThatNoDaemonKnowsTakesNothingOfAnother() {
        var given = Given()
        given.add(1, at: 0, logged: 0)
        given.add(2, at: 90, isRecorded: false)
        given.add(3, at: 200, logged: 0)
        let unknown = "D\(delivered(2)); no daemon of Signet has a record of it."
        #expect(given.answers(Self.id) == ["\(signed(1)).", unknown, "\(signed(3))."])
        #expect(given.answers("m1@example.org") == ["\(signed(1))."])
        #expect(given.answers("m2@example.org") == [unknown])
        #expect(given.answers("m3@example.org") == ["\(signed(3))."])
    }

    @Test func withoutALogTheRecordTellsMessagesApart() {
        var given = Given()
        for number in 1...3 { given.add(number, at: Int64(number) * 20, logged: 0) }
        #expect(given.answers(Self.id) == (1...3).map { "\(signed($0))." })
        #expect(given.answers("m2@example.org") == ["\(signed(2))."])
    }

    /// The clock of whoever writes the log may be behind by less than a minute.
    @Test func aLogOfAnotherClockIsJoinedByTheMessageID() {
        var given = Given()
        given.add(1, at: 0)
        given.lines = given.lines.map { line in
            MailLogLine(
                time: line.time + 40_000_000, program: line.program, queueID: line.queueID,
                text: line.text)
        }
        #expect(given.answers(Self.id) == [whole(1)])
    }

    /// A client that needs an hour for its message, and gives up.
    @Test func aSlowMessageIsOne() {
        var given = Given()
        given.add(1, at: 0)
        given.lines.removeLast(2)
        var entry = FlightEntry(.dmarc, time: Self.base + 3_600_000_000)
        entry.add(.queueID, Self.id)
        entry.add(.clientAddress, "192.0.2.1")
        entry.add(.verdict, "aborted")
        given.entries = [entry]
        #expect(
            given.answers(Self.id) == [
                "Ended before it was complete, so that signet-dmarc decided nothing."
            ])
    }

    /// A message that is handed over on this host, to an id that another one has later.
    @Test func whatWasHandedOverIsFollowedInTheFirstUse() throws {
        var given = Given()
        given.add(1, at: 0)
        given.add(2, at: 5_000)
        let first = MailLogLine(
            time: Self.base + 100_000, program: "postfix/smtp", queueID: "4BBB1",
            text: "to=<x@example.com>, relay=127.0.0.1[127.0.0.1]:10025, delay=1, delays=0/0/0/1, "
                + "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as \(Self.id))")
        let later = MailLogLine(
            time: Self.base + 5_003_000_000, program: "postfix/smtp", queueID: Self.id,
            text: "to=<x@example.com>, relay=mx.example.com[198.51.100.1]:25, delay=1, "
                + "delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9Z3)")
        given.lines = (given.lines.dropLast() + [first, later]).sorted { $0.time < $1.time }
        // The address is a recipient of the later message, and of what became the first one.
        let stories = StoryFinder(given).stories(of: .init("x@example.com"))
        #expect(stories.map(\.queueIDs) == [["4BBB1", Self.id], [Self.id]])
        #expect(stories.first?.answer == whole(1))
    }
}

import Explanation
import FlightRecord
import Foundation
import Testing

/// The table of stories beside this file.
@Suite struct StoryTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name = ""
        var entries: [FlightEntry] = []
        var lines: [MailLogLine] = []
        var questions: [String] = []
        var answer = ""

        var testDescription: String { name }
    }

    private struct Given: Evidence {
        let story: Case

        func entries(
            with texts: [String], _ scope: FlightScope, limit: Int
        ) -> [FlightEntry] {
            story.entries.filter { entry in
                scope.has(entry.time, entry.daemon)
                    && entry.items.contains { item in texts.contains { item.text.contains($0) } }
            }
        }

        func lines(
            with texts: [String], in span: ClosedRange<Int64>?, limit: Int,
            until isEnough: MailLogFile.Sufficiency
        ) -> [MailLogLine] {
            story.lines.filter { line in
                span?.contains(line.time) != false
                    && texts.contains { line.text.contains($0) || line.queueID == $0 }
            }
        }

        func forms(of text: String) -> Set<String> { [text] }
    }

    static let cases: [Case] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "stories.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        var cases: [Case] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let word = line.prefix { $0 != " " }
            let rest = line.dropFirst(word.count + 1)
            if word == "STORY" { cases.append(Case(name: String(rest))) }
            guard !cases.isEmpty else { continue }
            switch word {
            case "ENTRY": cases[cases.count - 1].entries.append(entry(rest))
            case "LOG":
                let parts = rest.split(separator: " ", maxSplits: 1)
                let line = MailLogLine(
                    "176425\(String(parts[0]).leftPadded).000000 host \(tagged(parts[1]))"[...]
                ) { _ in nil }
                if let line { cases[cases.count - 1].lines.append(line) }
            case "ASK": cases[cases.count - 1].questions.append(String(rest))
            case "ANSWER": cases[cases.count - 1].answer = String(rest)
            default: break
            }
        }
        return cases
    }()

    private static func tagged(_ line: Substring) -> String {
        let program = line.prefix { $0 != " " }
        return "\(program)[123]:\(line.dropFirst(program.count))"
    }

    private static func entry(_ text: Substring) -> FlightEntry {
        let parts = text.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        let head = parts[0].split(separator: " ")
        let daemon = FlightDaemon.allCases.first { $0.shortName == head[0] } ?? .scrub
        var entry = FlightEntry(daemon, time: (1_764_250_000 + (Int64(head[1]) ?? 0)) * 1_000_000)
        for part in parts.dropFirst() {
            let sides = part.split(separator: "=", maxSplits: 1)
            let key = FlightKey.allCases.first { "\($0)" == sides[0] }
            if let key { entry.add(key, String(sides[1])) }
        }
        return entry
    }

    @Test(arguments: cases)
    func isAnswered(_ story: Case) throws {
        #expect(!story.questions.isEmpty)
        for question in story.questions {
            let stories = StoryFinder(Given(story: story)).stories(of: .init(question))
            #expect(stories.map(\.answer) == [story.answer], "\(question)")
        }
    }

    /// A short queue id is given to other messages, before and after.
    @Test func aQueueIDIsOneMessagesAtATime() throws {
        let day: Int64 = 86_400_000_000
        let base: Int64 = 1_764_250_000_000_000
        var story = Case()
        for (number, days) in [-3, -1, 0].enumerated() {
            let time = base + Int64(days) * day
            var entry = FlightEntry(.dkim, time: time + 1_500_000)
            entry.add(.queueID, "4AAA1")
            entry.add(.messageID, "m\(number)@example.org")
            entry.add(.signature, "d=d\(number).example s=mail a=rsa-sha256")
            entry.add(.verdict, "signed")
            story.entries.append(entry)
            for (second, program, text) in [
                (1, "smtpd", "client=laptop[192.0.2.\(number)]"),
                (1, "cleanup", "message-id=<m\(number)@example.org>"),
                (
                    2, "smtp",
                    "to=<b\(number)@example.com>, relay=mx.example.com[198.51.100.1]:25, delay=1, "
                        + "delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9Z\(number))"
                ), (2, "qmgr", "removed"),
            ] {
                story.lines.append(
                    MailLogLine(
                        time: time + Int64(second) * 1_000_000, program: "postfix/\(program)",
                        queueID: "4AAA1", text: text))
            }
        }
        let finder = StoryFinder(Given(story: story))
        for number in 0..<3 {
            for what in ["m\(number)@example.org", "b\(number)@example.com", "9Z\(number)"] {
                #expect(
                    finder.stories(of: .init(what)).map(\.answer) == [
                        "Signed for d\(number).example (selector mail, rsa-sha256); delivered to "
                            + "b\(number)@example.com by mx.example.com, there queued as 9Z\(number)."
                    ], "\(what)")
            }
        }
        // By the id alone all of them are meant, the newest last.
        let all = finder.stories(of: .init("4AAA1"))
        #expect(all.map(\.messageID) == (0..<3).map { "m\($0)@example.org" })
        #expect(all.allSatisfy { $0.entries.count == 1 && $0.lines.count == 4 })
    }

    @Test func tableIsRead() { #expect(Self.cases.count > 10) }

    @Test func nothingIsKnownOfAnotherMessage() throws {
        for story in Self.cases {
            let finder = StoryFinder(Given(story: story))
            #expect(finder.stories(of: .init("4ZZZ9")).isEmpty)
            #expect(finder.stories(of: .init("example")).isEmpty)
        }
    }

    @Test func timeIsLookedAt() throws {
        let story = try #require(Self.cases.first)
        let finder = StoryFinder(Given(story: story))
        let at: Int64 = 1_764_250_000_000_000
        #expect(finder.stories(of: .init("b@example.com", near: at)).count == 1)
        #expect(finder.stories(of: .init("b@example.com", near: at + 86_400_000_000)).isEmpty)
    }
}

extension String {
    fileprivate var leftPadded: String { String(repeating: "0", count: max(0, 4 - count)) + self }
}

/// Logs with more of one address or message than anybody reads.
@Suite struct LongLogTests {
    private final class Log: Evidence {
        let all: [MailLogLine]
        var searches = 0

        init(_ all: [MailLogLine]) { self.all = all }

        func entries(
            with texts: [String], _ scope: FlightScope, limit: Int
        ) -> [FlightEntry] { [] }

        func lines(
            with texts: [String], in span: ClosedRange<Int64>?, limit: Int,
            until isEnough: MailLogFile.Sufficiency
        ) -> [MailLogLine] {
            searches += 1
            let found = all.filter { line in
                texts.contains { line.text.contains($0) || line.queueID == $0 }
            }
            return found.suffix(limit)
        }

        func forms(of text: String) -> Set<String> { [text] }
    }

    private func line(_ id: String, _ time: Int64, _ text: String) -> MailLogLine {
        MailLogLine(time: time, program: "postfix/smtp", queueID: id, text: text)
    }

    @Test func theNewestMessagesOfAnAddressAreTold() {
        let log = Log(
            (0..<400).map { line("4Q\($0)X", Int64($0), "from=<a@b.example>, size=1, nrcpt=1") })
        let stories = StoryFinder(log).stories(of: StoryFinder.Question("a@b.example"))
        #expect(stories.last?.queueIDs == ["4Q399X"])
        #expect(stories.count == 50)
        #expect(log.searches < 5)
    }

    /// The log has more than is looked at: how many more recipients there are is not known.
    @Test func ofMoreRecipientsThanAreReadAtLeastSomeAreTold() {
        let log = Log(
            (0..<25_000).map {
                line(
                    "4Q1X", Int64($0),
                    "to=<r\($0)@b.example>, relay=b.example[192.0.2.1]:25, status=sent (250 Ok)")
            })
        let stories = StoryFinder(log).stories(of: StoryFinder.Question("4Q1X"))
        #expect(
            stories.first?.answer.hasPrefix(
                "Delivered to r24999@b.example and at least 19999 more by b.example") == true)
        let few = Log(Array(log.all.prefix(300)))
        #expect(
            StoryFinder(few).stories(of: StoryFinder.Question("4Q1X")).first?.answer
                .contains(" and 299 more ") == true)
    }

    /// The name that the next host gives is in no record but where this host is the next one.
    @Test func theNextHostsNameIsLookedForWhereItWasGiven() {
        final class Record: Evidence {
            let log: [MailLogLine]
            let entry: FlightEntry
            var isAllLookedThrough = false
            var searched: [[String]] = []

            init(_ log: [MailLogLine], _ entry: FlightEntry) {
                (self.log, self.entry) = (log, entry)
            }

            func entries(
                with texts: [String], _ scope: FlightScope, limit: Int
            ) -> [FlightEntry] {
                isAllLookedThrough = isAllLookedThrough || scope.has(0, .dkim)
                return scope.has(entry.time, entry.daemon)
                    && texts.contains(entry[.queueID] ?? "") ? [entry] : []
            }

            func lines(
                with texts: [String], in span: ClosedRange<Int64>?, limit: Int,
                until isEnough: MailLogFile.Sufficiency
            ) -> [MailLogLine] {
                searched.append(texts)
                return log.filter { line in
                    texts.contains { line.text.contains($0) || line.queueID == $0 }
                }
            }

            func forms(of text: String) -> Set<String> { [text] }
        }
        let time: Int64 = 1_764_250_000_000_000
        var entry = FlightEntry(.dkim, time: time)
        entry.add(.queueID, "4Q1X")
        entry.add(.signature, "d=example.org s=mail a=rsa-sha256")
        entry.add(.verdict, "signed")
        let sent = line(
            "4Q1X", time + 1_000_000,
            "to=<r@b.example>, relay=b.example, status=sent (250 Ok: queued as 9Z123)")
        let record = Record([sent], entry)
        let stories = StoryFinder(record).stories(of: StoryFinder.Question("9Z123"))
        #expect(stories.map(\.queueIDs) == [["4Q1X"]])
        #expect(stories.first?.answer.hasPrefix("Signed for example.org") == true)
        #expect(!record.isAllLookedThrough)
        #expect(record.searched == [["9Z123"], ["4Q1X"]])
        // A next host that gives an address as its name hides nothing of that client.
        let hostile = Record(
            [
                line(
                    "4Q1X", time,
                    "to=<r@b.example>, relay=b.example, status=sent (250 Ok: queued as 192.0.2.9)")
            ], entry)
        _ = StoryFinder(hostile).stories(of: StoryFinder.Question("192.0.2.9"))
        #expect(hostile.isAllLookedThrough)
    }

    @Test func aMessageToManyIsOneSearch() {
        let log = Log(
            (0..<400).map {
                line(
                    "4Q1X", Int64($0),
                    "to=<r\($0)@b.example>, relay=b.example[192.0.2.1]:25, status=sent (250 Ok: queued as 9Z\($0))"
                )
            } + [line("9Z7", 500, "from=<a@b.example>, size=1, nrcpt=1")])
        let stories = StoryFinder(log).stories(of: StoryFinder.Question("4Q1X"))
        #expect(stories.map(\.queueIDs) == [["4Q1X", "9Z7"]])
        #expect(log.searches < 5)
    }
}

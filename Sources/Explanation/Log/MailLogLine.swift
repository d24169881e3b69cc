/// A line of the MTA's log.
package struct MailLogLine: Hashable, Sendable {
    /// When it was written, in microseconds since 1970.
    package let time: Int64
    /// The program: `postfix/smtpd`.
    package let program: String
    /// The queue id; nil where the line begins with none, or with NOQUEUE.
    package let queueID: String?
    /// What follows.
    package let text: String

    /// Turns a local date and time into seconds since 1970.
    package typealias Calendar = @Sendable (LocalDate) -> Int64?

    /// A date and time as the traditional format has it.
    package struct LocalDate: Hashable, Sendable {
        /// The month, from 1.
        package let month: Int
        package let day: Int
        package let hour: Int
        package let minute: Int
        package let second: Int
    }

    /// A line for tests and for stories that are put together otherwise.
    package init(time: Int64, program: String, queueID: String?, text: String) {
        self.time = time
        self.program = program
        self.queueID = queueID
        self.text = text
    }

    /// Reads a line; nil where it is none of a program.
    ///
    /// Three forms are known: the traditional one of syslog, RFC 3339's date with a zone, and the seconds
    /// since 1970 of `journalctl -o short-unix`.
    ///
    /// - Parameters:
    ///   - line: the line, which may be anything.
    ///   - calendar: knows the year and the zone of the traditional form.
    package init?(_ line: Substring, calendar: Calendar) {
        var words = Self.words(line, atMost: 6)
        guard let first = words.first else { return nil }
        if let microseconds = Self.unixTime(first) ?? Self.standardTime(first) {
            time = microseconds
            words = Self.words(line, atMost: 4).dropFirst()
        } else {
            guard words.count == 6, let date = Self.date(words[0], words[1], words[2]),
                let seconds = calendar(date)
            else { return nil }
            time = seconds * 1_000_000
            words = words.dropFirst(3)
        }
        // The host, the program with its process, the text.
        guard words.count == 3 else { return nil }
        let tag = words[words.startIndex + 1]
        // RFC 5424, section 6: a program's name is printable ASCII; what a terminal obeys is none.
        guard tag.hasSuffix(":"), tag.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
        program = String(tag.dropLast().prefix { $0 != "[" })
        let rest = words[words.startIndex + 2]
        let head = rest[..<(rest.utf8.firstIndex(of: 0x3A) ?? rest.endIndex)]
        if head.endIndex < rest.endIndex, Self.isQueueID(head) {
            queueID = head == "NOQUEUE" ? nil : String(head)
            text = String(Substring(rest[head.endIndex...].utf8.dropFirst().drop { $0 == 0x20 }))
        } else {
            queueID = nil
            text = String(rest)
        }
    }

    /// Whether a word has the form of a queue id: letters and digits (postconf(5), enable_long_queue_ids).
    package static func isQueueID(_ word: Substring) -> Bool {
        (5...30).contains(word.utf8.count)
            && word.utf8.allSatisfy {
                0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0
            }
            && (word == "NOQUEUE" || word.utf8.contains { 0x30...0x39 ~= $0 })
    }

    /// The words of a line, the last with all that is left.
    private static func words(_ line: Substring, atMost count: Int) -> ArraySlice<Substring> {
        line.utf8.split(separator: 0x20, maxSplits: count - 1, omittingEmptySubsequences: true)
            .map { Substring($0) }[...]
    }

    private static func unixTime(_ word: Substring) -> Int64? {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count >= 9, parts[0].count <= 11, parts[1].count == 6,
            let seconds = Int64(parts[0]), let fraction = Int64(parts[1])
        else { return nil }
        return seconds * 1_000_000 + fraction
    }

    /// A date of RFC 3339: `2026-11-27T13:51:26.123456+01:00`.
    private static func standardTime(_ word: Substring) -> Int64? {
        let octets = Array(word.utf8)
        guard octets.count >= 20, octets[4] == 0x2D, octets[7] == 0x2D, octets[10] == 0x54 else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= octets.count else { return nil }
            return Int64(String(decoding: octets[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            1...12 ~= month, 1...31 ~= day
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if octets[position] == 0x2E {
            var scale: Int64 = 100_000
            position += 1
            while position < octets.count, 0x30...0x39 ~= octets[position] {
                fraction += Int64(octets[position] - 0x30) * scale
                scale /= 10
                position += 1
            }
        }
        var offset: Int64 = 0
        if position + 6 == octets.count, let hours = number(position + 1..<position + 3),
            let minutes = number(position + 4..<position + 6)
        {
            offset = (hours * 60 + minutes) * (octets[position] == 0x2D ? -60 : 60)
        }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return seconds * 1_000_000 + fraction
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years begin in March, so that the leap day is their last.
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let ofEra = year - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func date(
        _ month: Substring, _ day: Substring, _ clock: Substring
    ) -> LocalDate? {
        let times = clock.split(separator: ":").compactMap { Int($0) }
        guard let month = months.firstIndex(of: String(month)), let day = Int(day),
            times.count == 3
        else { return nil }
        return LocalDate(
            month: month + 1, day: day, hour: times[0], minute: times[1], second: times[2])
    }
}

/// Points in time as reports write them, in seconds since 1970.
enum ReportTime {
    /// The greatest, the end of the year 2199: what is later is a mistake.
    private static let greatest: Int64 = 7_258_118_399

    /// A time of an aggregate report, and what is wrong with how it is written.
    static func seconds(_ text: String) -> (time: Int64, note: String?)? {
        if let number = Int64(text) {
            if 0...greatest ~= number { return (number, nil) }
            let seconds = number / 1000
            guard number > 0, seconds <= greatest else { return nil }
            return (seconds, "is in milliseconds, not in seconds")
        }
        if text.utf8.count <= 32, let number = Double(text), number >= 0,
            number <= Double(greatest)
        {
            return (Int64(number), "is no integer")
        }
        if let time = timestamp(text) { return (time, "is a date, not seconds since 1970") }
        return nil
    }

    /// A time of RFC 3339: "2016-04-01T00:00:00Z"; a space in place of the T, and no zone, are taken too.
    static func timestamp(_ text: String) -> Int64? {
        let octets = Array(text.utf8)
        guard 10...40 ~= octets.count else { return nil }
        func number(_ start: Int, _ length: Int) -> Int64? {
            guard start + length <= octets.count else { return nil }
            var value: Int64 = 0
            for octet in octets[start..<start + length] {
                guard 0x30...0x39 ~= octet else { return nil }
                value = value * 10 + Int64(octet - 0x30)
            }
            return value
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            octets[4] == 0x2D, octets[7] == 0x2D, 1...12 ~= month, 1...31 ~= day
        else { return nil }
        var time = days(year, month, day) * 86_400
        var rest = octets[10...]
        if octets.count >= 19, octets[10] == 0x54 || octets[10] == 0x74 || octets[10] == 0x20 {
            guard let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
                octets[13] == 0x3A, octets[16] == 0x3A, hour < 25, minute < 60, second < 61
            else { return nil }
            time += hour * 3600 + minute * 60 + second
            rest = octets[19...]
        }
        if rest.first == 0x2E { rest = rest.dropFirst().drop { 0x30...0x39 ~= $0 } }
        if rest.first == 0x2B || rest.first == 0x2D, rest.count >= 5 {
            let minutes = rest.count == 5 ? rest.startIndex + 3 : rest.startIndex + 4
            guard let hours = number(rest.startIndex + 1, 2), let minutes = number(minutes, 2)
            else { return nil }
            let offset = hours * 3600 + minutes * 60
            time -= rest.first == 0x2B ? offset : -offset
        }
        return 0...greatest ~= time ? time : nil
    }

    /// The time of a Date field (RFC 5322, section 3.3); nil where it cannot be read.
    static func date(_ text: String) -> Int64? {
        let months = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        let words = text.lowercased().split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\t" }
        )
        guard let place = words.firstIndex(where: { months.contains(String($0.prefix(3))) }),
            place > 0, words.count > place + 2, let day = Int64(words[place - 1]),
            let month = months.firstIndex(of: String(words[place].prefix(3))),
            let year = Int64(words[place + 1]), 1...31 ~= day, 1900...2200 ~= year
        else { return nil }
        let clock = words[place + 2].split(separator: ":").map { Int64($0) ?? -1 }
        guard clock.count >= 2, clock.allSatisfy({ 0...60 ~= $0 }) else { return nil }
        var time = days(year, Int64(month) + 1, day) * 86_400 + clock[0] * 3600 + clock[1] * 60
        if clock.count > 2 { time += clock[2] }
        if words.count > place + 3, let zone = Int64(words[place + 3]), abs(zone) < 2400 {
            time -= (zone / 100) * 3600 + (zone % 100) * 60
        }
        return 0...greatest ~= time ? time : nil
    }

    /// The days from 1970 to a day of the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years that begin in March have the leap day at their end.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

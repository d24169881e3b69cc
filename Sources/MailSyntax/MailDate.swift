/// A point in time as header fields give it (RFC 5322, section 3.3), and nothing of where it was told.
///
/// Reads the obsolete forms too (section 4.3): two and three digit years, named zones, comments anywhere. Writes UTC only, as
/// a zone tells where somebody is.
///
/// Trust: hostile bytes; time is linear in their number, and what is no date is nil.
public struct MailDate: Hashable, Sendable {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    public let seconds: Int64

    /// Wraps a time.
    public init(seconds: Int64) {
        self.seconds = seconds
    }

    /// Reads a date-time.
    public init?(parsing bytes: Span<UInt8>) {
        var words = DateWords(bytes)
        guard var word = words.next() else { return nil }
        // [ day-of-week "," ]: the comma is a separator like white space here.
        if word.number == nil {
            guard let following = words.next() else { return nil }
            word = following
        }
        guard let day = word.number, let month = words.next()?.month, let yearWord = words.next(),
            let year = Self.year(yearWord), let hour = words.next()?.number,
            let minute = words.next(after: UInt8(ascii: ":"))?.number,
            (1...31).contains(day), hour < 24, minute < 60
        else { return nil }
        var second = 0
        if words.follows(UInt8(ascii: ":")) {
            guard let given = words.next(after: UInt8(ascii: ":"))?.number, given <= 60 else {
                return nil
            }
            second = given
        }
        // An unknown or missing zone is -0000 (section 4.3).
        let offset = words.next()?.zoneOffset ?? 0
        let days = Self.days(year: year, month: month, day: day)
        seconds = Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
    }

    /// RFC 5322, section 4.3: 00 to 49 are 20xx, 50 to 99 and all of three digits are added to 1900.
    private static func year(_ word: DateWord) -> Int? {
        guard let number = word.number else { return nil }
        switch word.length {
        case 2: return number < 50 ? 2000 + number : 1900 + number
        case 3: return 1900 + number
        default: return (1900...9999).contains(number) ? number : nil
        }
    }

    /// Days since 1970-01-01 in the Gregorian calendar; the year begins in March, so that a leap day comes last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The date in UTC: `Thu, 1 Jan 2026 00:00:00 +0000`.
    public var text: String {
        let days = Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let time = Int(seconds) - days * 86_400
        let (year, month, day) = Self.civil(days)
        let weekday = ((days + 4) % 7 + 7) % 7
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(Self.weekdays[weekday]), \(day) \(Self.months[month - 1]) \(year) "
            + "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60)) +0000"
    }

    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400
        return month < 10 ? (year, month + 3, day) : (year + 1, month - 9, day)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

/// One word of a date: a run of letters, digits and signs.
struct DateWord {
    /// The octets; no date has a word longer than nine.
    let bytes: [UInt8]
    /// How many octets there are.
    var length: Int { bytes.count }

    /// The value of a word of one to four digits.
    var number: Int? {
        guard (1...4).contains(bytes.count), bytes.allSatisfy(\.isASCIIDigit) else { return nil }
        return bytes.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// The month that the word names, from 1.
    var month: Int? {
        MailDate.months.firstIndex { $0.utf8.equalsIgnoringASCIICase(bytes) }.map { $0 + 1 }
    }

    /// The zone's distance from UTC in seconds.
    var zoneOffset: Int? {
        if bytes.count == 5, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            let number = DateWord(bytes: Array(bytes[1...])).number, number % 100 < 60
        {
            let distance = (number / 100 * 60 + number % 100) * 60
            return bytes[0] == UInt8(ascii: "-") ? -distance : distance
        }
        // RFC 5322, section 4.3: military zones, and all unknown names, mean -0000.
        let name = String(decoding: bytes.asciiLowercased, as: UTF8.self)
        return Self.namedZones[name].map { $0 * 3600 }
    }

    private static let namedZones = [
        "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
    ]
}

/// Takes a date apart; white space, commas and comments separate words.
private struct DateWords {
    private let bytes: [UInt8]
    private var position = 0

    /// No date with its comments is longer; what follows cannot matter.
    private static let limit = 256

    init(_ span: Span<UInt8>) {
        bytes = span.extracting(0..<Swift.min(span.count, Self.limit)).copied()
    }

    mutating func next() -> DateWord? {
        skipSeparators()
        let start = position
        while position < bytes.count, Self.isWordOctet(bytes[position]) { position += 1 }
        guard position > start, position - start <= 9 else { return nil }
        return DateWord(bytes: Array(bytes[start..<position]))
    }

    mutating func next(after octet: UInt8) -> DateWord? {
        guard follows(octet) else { return nil }
        position += 1
        return next()
    }

    mutating func follows(_ octet: UInt8) -> Bool {
        skipSeparators()
        return position < bytes.count && bytes[position] == octet
    }

    private mutating func skipSeparators() {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")") where depth > 0: depth -= 1
            case UInt8(ascii: "\\") where depth > 0: position += 1
            case UInt8(ascii: ","): break
            case let octet where depth == 0 && !octet.isFoldingSpace: return
            default: break
            }
            position += 1
        }
    }

    private static func isWordOctet(_ octet: UInt8) -> Bool {
        octet.isASCIIAlphanumeric || octet == UInt8(ascii: "+") || octet == UInt8(ascii: "-")
    }
}

internal import Glibc

/// Moments in words.
enum UTCTime {
    /// A moment in microseconds since 1970, as RFC 3339 writes it.
    static func text(_ microseconds: Int64) -> String {
        var seconds = time_t(microseconds / 1_000_000)
        var fields = unsafe tm()
        guard unsafe gmtime_r(&seconds, &fields) != nil else { return "\(seconds)" }
        let date = unsafe [fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday]
        let clock = unsafe [fields.tm_hour, fields.tm_min, fields.tm_sec]
        return "\(joined(date, "-"))T\(joined(clock, ":"))Z"
    }

    private static func joined(_ numbers: [Int32], _ separator: String) -> String {
        numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: separator)
    }
}

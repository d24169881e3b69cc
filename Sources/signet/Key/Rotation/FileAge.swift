import Glibc

/// When files were written.
enum FileAge {
    /// The time of a file's last change, in seconds since 1970; nil where there is no file.
    static func made(_ path: String) -> Int64? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return max(0, Int64(status.st_mtim.tv_sec))
    }

    /// A span of seconds in words: `12 days`, `5 hours`, `40 minutes`, `3 seconds`.
    static func words(_ seconds: Int64) -> String {
        for (unit, size) in [("day", 86_400), ("hour", 3600), ("minute", 60)] as [(String, Int64)]
        where seconds >= size {
            let count = seconds / size
            return "\(count) \(unit)\(count == 1 ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }
}

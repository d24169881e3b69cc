import Glibc
import Threads

/// Reports problems, each kind at most once a minute.
final class ProblemReport: Sendable {
    enum Kind: Hashable, Sendable {
        case accepting
        case connections
        case drain
        case memory
        case slowReader
        case threads
    }

    private static let interval = 60.0

    private let report: @Sendable (String) -> Void
    private let last = Locked<[Kind: MonotonicTime]>([:])

    init(_ report: @escaping @Sendable (String) -> Void) {
        self.report = report
    }

    /// Reports a problem, unless one of its kind was reported within the minute.
    func report(_ kind: Kind, _ text: @autoclosure () -> String) {
        let now = MonotonicTime.now()
        let isDue = last.withLock { last in
            if let before = last[kind], now < before + Self.interval { return false }
            last[kind] = now
            return true
        }
        if isDue { report(text()) }
    }
}

/// An errno value in the system's words.
struct SystemText: CustomStringConvertible {
    let code: Int32

    init(_ code: Int32) { self.code = code }

    var description: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress,
                unsafe strerror_r(code, base, buffer.count) == 0
            else { return "error \(code)" }
            return unsafe String(cString: base)
        }
    }
}

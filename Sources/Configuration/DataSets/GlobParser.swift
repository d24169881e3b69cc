/// Takes a wildcard pattern's text apart.
struct GlobParser {
    private let bytes: [UInt8]
    private let syntax: Glob.Syntax
    private let ignoresCase: Bool
    private var position = 0

    init(_ bytes: [UInt8], syntax: Glob.Syntax, ignoresCase: Bool) {
        self.bytes = bytes
        self.syntax = syntax
        self.ignoresCase = ignoresCase
    }

    /// What stands between the asterisks: always at least one segment; runs of asterisks count as one.
    mutating func segments() throws(Glob.Fault) -> [[Glob.Element]] {
        var done: [[Glob.Element]] = []
        var current: [Glob.Element] = []
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "*"):
                if done.isEmpty || !current.isEmpty { done.append(current) }
                current = []
            case UInt8(ascii: "?") where syntax == .full:
                current.append(.any)
            case UInt8(ascii: "[") where syntax == .full:
                current.append(.set(try set()))
            case UInt8(ascii: "\\") where syntax == .full:
                guard let escaped = next() else {
                    throw Glob.Fault(
                        message: "a pattern that ends in a backslash", at: position - 1)
                }
                current.append(.byte(folded(escaped)))
            default:
                current.append(.byte(folded(byte)))
            }
        }
        done.append(current)
        return done
    }

    /// The rest of `[…]`; a `]` right after the opening is meant literally, as in glob(7).
    private mutating func set() throws(Glob.Fault) -> ByteSet {
        let start = position - 1
        var set = ByteSet()
        var isFirst = true
        let isInverted =
            position < bytes.count
            && (bytes[position] == UInt8(ascii: "!") || bytes[position] == UInt8(ascii: "^"))
        if isInverted { position += 1 }
        while let byte = next() {
            if byte == UInt8(ascii: "]"), !isFirst {
                if isInverted { set.invert() }
                return set
            }
            isFirst = false
            var last = byte
            if position + 1 < bytes.count, bytes[position] == UInt8(ascii: "-"),
                bytes[position + 1] != UInt8(ascii: "]")
            {
                last = bytes[position + 1]
                position += 2
            }
            guard byte <= last else {
                throw Glob.Fault(message: "a range in [ ] that runs backwards", at: position - 3)
            }
            for member in byte...last { set.insert(folded(member)) }
        }
        throw Glob.Fault(message: "a [ without its ]", at: start)
    }

    private mutating func next() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private func folded(_ byte: UInt8) -> UInt8 {
        ignoresCase ? asciiLowercased(byte) : byte
    }
}

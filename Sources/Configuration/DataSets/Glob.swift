/// A wildcard pattern, matched in time proportional to the text.
///
/// Patterns come from the postmaster, texts from anyone. Only the place after the last `*` is ever tried again, so the work is
/// bounded by the text's length times the pattern's, whatever both say; a pattern is at most 1,024 elements long.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// Which characters have a meaning beyond themselves.
    public enum Syntax: Hashable, Sendable {
        /// `*` alone, as in OpenDKIM's `refile:`.
        case asterisk
        /// `*`, `?` (any one octet), `[a-z]`, `[!a-z]`, and `\` before a character that is meant literally.
        case full
    }

    /// Why a text is not a pattern.
    public struct Fault: Error, Hashable, Sendable {
        /// What is wrong.
        public let message: String
        /// Where in the pattern, in octets from 0.
        public let offset: Int

        init(message: String, at offset: Int = 0) {
            self.message = message
            self.offset = offset
        }
    }

    /// The most elements in a pattern.
    public static let lengthLimit = 1024

    /// One position of the pattern.
    enum Element: Hashable, Sendable {
        case byte(UInt8)
        case any
        case set(ByteSet)

        func matches(_ byte: UInt8) -> Bool {
            switch self {
            case .byte(let wanted): wanted == byte
            case .any: true
            case .set(let set): set.contains(byte)
            }
        }
    }

    /// The pattern as written.
    public let description: String
    /// What stands between the asterisks: the first begins the text, the last ends it.
    private let segments: [[Element]]
    private let ignoresCase: Bool

    /// Compiles a pattern; case is ignored for ASCII letters only.
    public init(
        _ pattern: String, syntax: Syntax = .asterisk, ignoringCase: Bool = true
    ) throws(Fault) {
        description = pattern
        ignoresCase = ignoringCase
        var parser = GlobParser(Array(pattern.utf8), syntax: syntax, ignoresCase: ignoringCase)
        segments = try parser.segments()
        guard segments.reduce(0, { $0 + $1.count }) <= Self.lengthLimit else {
            throw Fault(message: "a pattern longer than \(Self.lengthLimit) characters")
        }
    }

    /// Whether the pattern is a plain text, equal to itself only.
    public var isLiteral: Bool {
        segments.count == 1
            && segments.allSatisfy { $0.allSatisfy { if case .byte = $0 { true } else { false } } }
    }

    /// The literal text that a pattern `*text` asks for at the end; nil for other patterns.
    var literalSuffix: [UInt8]? {
        guard segments.count == 2, segments[0].isEmpty else { return nil }
        var suffix: [UInt8] = []
        for element in segments[1] {
            guard case .byte(let byte) = element else { return nil }
            suffix.append(byte)
        }
        return suffix
    }

    /// Whether the whole text matches.
    public func matches(_ text: String) -> Bool {
        matches(text.utf8.span)
    }

    /// Whether all the bytes match.
    public func matches(_ bytes: Span<UInt8>) -> Bool {
        let first = segments[0]
        let last = segments[segments.count - 1]
        if segments.count == 1 {
            return bytes.count == first.count && stands(first, in: bytes, at: 0)
        }
        let lastStart = bytes.count - last.count
        guard lastStart >= first.count, stands(first, in: bytes, at: 0),
            stands(last, in: bytes, at: lastStart)
        else { return false }
        var position = first.count
        for segment in segments[1..<(segments.count - 1)] {
            // The leftmost place is as good as any other: it leaves the most text for the segments that follow.
            while position + segment.count <= lastStart,
                !stands(segment, in: bytes, at: position)
            { position += 1 }
            guard position + segment.count <= lastStart else { return false }
            position += segment.count
        }
        return true
    }

    /// Whether a segment matches at a place where the text is long enough for it.
    private func stands(_ segment: [Element], in bytes: Span<UInt8>, at start: Int) -> Bool {
        for offset in segment.indices {
            let byte = bytes[start + offset]
            guard segment[offset].matches(ignoresCase ? asciiLowercased(byte) : byte) else {
                return false
            }
        }
        return true
    }
}

/// A set of octets.
struct ByteSet: Hashable, Sendable {
    private var low: UInt128 = 0
    private var high: UInt128 = 0

    mutating func insert(_ byte: UInt8) {
        if byte < 128 { low |= 1 << UInt128(byte) } else { high |= 1 << UInt128(byte - 128) }
    }

    mutating func invert() {
        low = ~low
        high = ~high
    }

    func contains(_ byte: UInt8) -> Bool {
        byte < 128 ? low >> UInt128(byte) & 1 == 1 : high >> UInt128(byte - 128) & 1 == 1
    }
}

/// The octet with an ASCII capital letter made small.
func asciiLowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

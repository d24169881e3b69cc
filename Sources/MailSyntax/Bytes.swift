/// Byte tests and comparisons that the whole suite shares.
///
/// Mail is bytes before it is text: field names, tags and domain names compare by ASCII alone, and
/// nothing here depends on a locale, or needs its input to be UTF-8.
///
/// Trust: any bytes; linear time; no traps on ranges that lie inside their buffer.

extension UInt8 {
    /// Horizontal tab.
    public static let tab: UInt8 = 0x09
    /// Line feed.
    public static let lf: UInt8 = 0x0A
    /// Carriage return.
    public static let cr: UInt8 = 0x0D
    /// Space.
    public static let space: UInt8 = 0x20

    /// Whether this is a space or a tab (WSP of RFC 5234, appendix B.1).
    @inlinable public var isWSP: Bool { self == 0x20 || self == 0x09 }

    /// Whether this is a space, tab, CR or LF: any octet of folding white space.
    @inlinable public var isFoldingSpace: Bool { isWSP || self == 0x0D || self == 0x0A }

    /// Whether this is an ASCII digit.
    @inlinable public var isASCIIDigit: Bool { self &- 0x30 < 10 }

    /// Whether this is an ASCII letter of either case.
    @inlinable public var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// Whether this is an ASCII letter or digit.
    @inlinable public var isASCIIAlphanumeric: Bool { isASCIILetter || isASCIIDigit }

    /// Whether this is a control character of ASCII, DEL included.
    @inlinable public var isASCIIControl: Bool { self < 0x20 || self == 0x7F }

    /// The lower-case form of an ASCII capital; any other octet as it is.
    @inlinable public var asciiLowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit of either case, or nil.
    @inlinable public var hexDigitValue: UInt8? {
        if isASCIIDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}

extension Sequence<UInt8> {
    /// The octets with ASCII capitals in lower case.
    @inlinable public var asciiLowercased: [UInt8] { map { $0.asciiLowercased } }

    /// Whether two byte strings are equal when ASCII case is disregarded.
    @inlinable public func equalsIgnoringASCIICase(_ other: some Sequence<UInt8>) -> Bool {
        elementsEqual(other) { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension BidirectionalCollection<UInt8> {
    /// The part without leading and trailing octets of folding white space (space, tab, CR, LF).
    @inlinable public func trimmingFoldingSpace() -> SubSequence {
        var start = startIndex
        var end = endIndex
        while start < end, self[start].isFoldingSpace { formIndex(after: &start) }
        while start < end, self[index(before: end)].isFoldingSpace { formIndex(before: &end) }
        return self[start..<end]
    }
}

extension String {
    /// The text with ASCII capitals in lower case; no other character changes.
    public var asciiLowercased: String {
        guard utf8.contains(where: { $0 &- 0x41 < 26 }) else { return self }
        // Lower-casing ASCII keeps UTF-8 well formed, so that nothing is repaired here.
        return String(decoding: utf8.asciiLowercased, as: UTF8.self)
    }

    /// Whether two texts are equal when ASCII case is disregarded.
    public func equalsIgnoringASCIICase(_ other: String) -> Bool {
        utf8.equalsIgnoringASCIICase(other.utf8)
    }
}

extension Span<UInt8> {
    /// Copies the octets into an array.
    public func copied() -> [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    /// The octets with ASCII capitals in lower case.
    public var asciiLowercased: [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe $0.asciiLowercased }
    }

    /// Whether two byte strings are equal when ASCII case is disregarded.
    public func equalsIgnoringASCIICase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] {
            guard self[index].asciiLowercased == other[index].asciiLowercased else { return false }
        }
        return true
    }

    /// Whether all octets are printable ASCII, the space included.
    ///
    /// Looks at eight octets a step.
    public var isPrintableASCII: Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = 0
        let words = unsafe bytes
        while count &- index >= 8 {
            // Inside the span by the condition above, so that the load is safe.
            let word = unsafe words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let deletes = word ^ (ones &* 0x7F)
            // The highest bit of some octet is set where one is below the space, DEL, or not ASCII.
            let strange =
                (word &- ones &* 0x20) & ~word | (deletes &- ones) & ~deletes | word
            if strange & (ones &* 0x80) != 0 { return false }
            index &+= 8
        }
        while index < count {
            if self[index] < 0x20 || self[index] >= 0x7F { return false }
            index &+= 1
        }
        return true
    }

    /// The position of the first octet with a value, at or after a start, or nil.
    ///
    /// Looks at eight octets a step.
    public func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
        var index = Swift.max(0, start)
        let pattern = UInt64(octet) &* 0x0101_0101_0101_0101
        let words = unsafe bytes
        while count &- index >= 8 {
            // Inside the span by the condition above, so that the load is safe.
            let word = unsafe words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The lowest octet that is zero here is the first match; higher ones may be false.
            let difference = UInt64(littleEndian: word) ^ pattern
            let zeros =
                (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 { return index &+ zeros.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < count {
            if self[index] == octet { return index }
            index &+= 1
        }
        return nil
    }
}

extension [UInt8] {
    /// Appends the octets of a span.
    public mutating func append(contentsOf span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}

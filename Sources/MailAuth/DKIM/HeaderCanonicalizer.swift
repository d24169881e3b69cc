internal import MailSyntax

/// Prepares header fields for hashing (RFC 6376, sections 3.4.1 and 3.4.2).
///
/// Trust: fields of hostile messages, in any form that `HeaderSection` keeps; linear time.
enum HeaderCanonicalizer {
    /// Appends one field with the CRLF that ends it.
    static func append(
        _ field: HeaderSection.Field, of bytes: Span<UInt8>, _ kind: Canonicalization,
        to output: inout [UInt8]
    ) {
        switch kind {
        case .simple:
            output.append(contentsOf: bytes.extracting(field.whole))
        case .relaxed:
            appendName(bytes.extracting(field.name), to: &output)
            var value = RelaxedValue()
            value.append(bytes.extracting(field.value), to: &output)
            output.append(.cr)
            output.append(.lf)
        }
    }

    /// Appends the signature field itself: a part of its value counts as empty, and it has no CRLF
    /// at the end (RFC 6376, section 3.7).
    static func append(
        signature field: HeaderSection.Field, blanking blank: Range<Int>, of bytes: Span<UInt8>,
        _ kind: Canonicalization, to output: inout [UInt8]
    ) {
        let before = field.value.lowerBound..<blank.lowerBound
        let after = blank.upperBound..<field.value.upperBound
        switch kind {
        case .simple:
            output.append(
                contentsOf: bytes.extracting(field.whole.lowerBound..<blank.lowerBound))
            output.append(contentsOf: bytes.extracting(after))
        case .relaxed:
            appendName(bytes.extracting(field.name), to: &output)
            var value = RelaxedValue()
            value.append(bytes.extracting(before), to: &output)
            value.append(bytes.extracting(after), to: &output)
        }
    }

    /// Appends a field that is not part of a section: its name and its value.
    static func append(
        name: Span<UInt8>, value: Span<UInt8>, _ kind: Canonicalization, to output: inout [UInt8]
    ) {
        switch kind {
        case .simple:
            output.append(contentsOf: name)
            output.append(UInt8(ascii: ":"))
            output.append(contentsOf: value)
        case .relaxed:
            appendName(name, to: &output)
            var relaxed = RelaxedValue()
            relaxed.append(value, to: &output)
        }
    }

    private static func appendName(_ name: Span<UInt8>, to output: inout [UInt8]) {
        output.append(addingCapacity: name.count &+ 1) { output in
            for index in name.indices { output.append(name[index].asciiLowercased) }
            output.append(UInt8(ascii: ":"))
        }
    }
}

/// A field value in its relaxed form, from one or more pieces: unfolded, with single spaces, and
/// without white space at either end (RFC 6376, section 3.4.2).
private struct RelaxedValue {
    private var hasText = false
    private var pendingSpace = false

    mutating func append(_ piece: Span<UInt8>, to output: inout [UInt8]) {
        let end = piece.count
        var position = 0
        while position < end {
            let octet = piece[position]
            if octet.isWSP {
                pendingSpace = true
                position &+= 1
            } else if octet == .cr, isFold(piece, position) {
                position &+= 2
            } else {
                if pendingSpace, hasText { output.append(.space) }
                pendingSpace = false
                hasText = true
                let start = position
                position = piece.endOfText(from: position &+ 1)
                output.append(contentsOf: piece.extracting(start..<position))
            }
        }
    }

    /// Whether CRLF and white space follow: any other CRLF or CR is text.
    private func isFold(_ piece: Span<UInt8>, _ position: Int) -> Bool {
        piece.count &- position > 2 && piece[position &+ 1] == .lf && piece[position &+ 2].isWSP
    }

}

extension Span<UInt8> {
    /// The end of what stays as it is: text, and single spaces between text.
    fileprivate func endOfText(from start: Int) -> Int {
        var position = start
        let words = unsafe bytes
        while count &- position > 8 {
            // Both loads are inside the span by the condition above.
            let here = EightOctets(
                unsafe words.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
            let next = EightOctets(
                unsafe words.unsafeLoadUnaligned(fromByteOffset: position &+ 1, as: UInt64.self))
            let ends =
                here.equal(to: .tab) | here.equal(to: .cr)
                | here.equal(to: .space) & ~next.above(.space)
            if ends != 0 { return position &+ ends.trailingZeroBitCount >> 3 }
            position &+= 8
        }
        while position < count {
            let octet = self[position]
            if octet == .space {
                guard position &+ 1 < count, self[position &+ 1] > .space else { break }
            } else if octet == .tab || octet == .cr {
                break
            }
            position &+= 1
        }
        return position
    }
}

/// Eight octets that are compared in one step; the highest bit of each octet of an answer tells.
private struct EightOctets {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let high: UInt64 = ones &* 0x80
    private let word: UInt64

    init(_ loaded: UInt64) {
        // The first octet is the lowest.
        word = UInt64(littleEndian: loaded)
    }

    func equal(to octet: UInt8) -> UInt64 {
        let difference = word ^ Self.ones &* UInt64(octet)
        return ~((difference & ~Self.high &+ ~Self.high) | difference) & Self.high
    }

    /// Which are greater than an octet of ASCII.
    func above(_ octet: UInt8) -> UInt64 {
        ((word & ~Self.high &+ Self.ones &* UInt64(0x7F &- octet)) | word) & Self.high
    }
}

/// Base64 with the standard alphabet (RFC 4648, section 4).
///
/// Trust: decodes hostile text; linear time, memory three quarters of the input.
public enum Base64 {
    /// The padded text of some octets, in one line.
    @inlinable public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let octets = Array(bytes)
        return encode(octets.span)
    }

    /// The padded text of some octets, in one line.
    public static func encode(_ bytes: Span<UInt8>) -> String {
        String(decoding: octets(of: bytes), as: UTF8.self)
    }

    /// The padded text of some octets, in one line, as octets.
    public static func octets(of bytes: Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.append(addingCapacity: (bytes.count &+ 2) / 3 &* 4) { text in
            var position = 0
            while bytes.count &- position >= 3 {
                let bits =
                    UInt32(bytes[position]) << 16 | UInt32(bytes[position &+ 1]) << 8
                    | UInt32(bytes[position &+ 2])
                text.append(character(bits >> 18))
                text.append(character(bits >> 12 & 0x3F))
                text.append(character(bits >> 6 & 0x3F))
                text.append(character(bits & 0x3F))
                position &+= 3
            }
            guard position < bytes.count else { return }
            let hasTwo = bytes.count &- position == 2
            let bits =
                UInt32(bytes[position]) << 16
                | (hasTwo ? UInt32(bytes[position &+ 1]) << 8 : 0)
            text.append(character(bits >> 18))
            text.append(character(bits >> 12 & 0x3F))
            text.append(hasTwo ? character(bits >> 6 & 0x3F) : 0x3D)
            text.append(0x3D)
        }
        return text
    }

    /// The octets that a base64string stands for, or nil where it is not one.
    ///
    /// White space may stand between any two characters (RFC 6376, section 2.10), and at both ends.
    /// Padding may be left out, as that grammar allows, but what is there must be right. Bits after
    /// the last octet are disregarded (RFC 4648, section 3.5, leaves that to the decoder).
    @inlinable public static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let octets = Array(text)
        return decode(octets.span)
    }

    /// The octets that a base64string stands for, as above.
    public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        let values = Base64.values.span
        var bytes: [UInt8] = []
        var isValid = true
        bytes.append(addingCapacity: text.count / 4 &* 3 &+ 2) { bytes in
            var buffer: UInt32 = 0
            var digits = 0
            var padding = 0
            var position = 0
            while position < text.count {
                // Nearly always the next four are digits.
                if digits == 0, padding == 0, text.count &- position >= 4 {
                    let a = values[Int(text[position])]
                    let b = values[Int(text[position &+ 1])]
                    let c = values[Int(text[position &+ 2])]
                    let d = values[Int(text[position &+ 3])]
                    if a | b | c | d < 64 {
                        bytes.append(a << 2 | b >> 4)
                        bytes.append(b << 4 | c >> 2)
                        bytes.append(c << 6 | d)
                        position &+= 4
                        continue
                    }
                }
                let character = text[position]
                position &+= 1
                let value = values[Int(character)]
                guard value < 64 else {
                    if character.isFoldingSpace { continue }
                    padding += 1
                    guard character == 0x3D, padding <= 2 else {
                        isValid = false
                        return
                    }
                    continue
                }
                guard padding == 0 else {
                    isValid = false
                    return
                }
                buffer = buffer << 6 | UInt32(value)
                digits &+= 1
                guard digits == 4 else { continue }
                bytes.append(UInt8(truncatingIfNeeded: buffer >> 16))
                bytes.append(UInt8(truncatingIfNeeded: buffer >> 8))
                bytes.append(UInt8(truncatingIfNeeded: buffer))
                buffer = 0
                digits = 0
            }
            switch (digits, padding) {
            case (0, 0):
                break
            case (2, 0), (2, 2):
                bytes.append(UInt8(truncatingIfNeeded: buffer >> 4))
            case (3, 0), (3, 1):
                bytes.append(UInt8(truncatingIfNeeded: buffer >> 10))
                bytes.append(UInt8(truncatingIfNeeded: buffer >> 2))
            default:
                isValid = false
            }
        }
        return isValid ? bytes : nil
    }

    /// The octets that a base64string stands for, or nil where it is not one.
    public static func decode(_ text: String) -> [UInt8]? { decode(text.utf8.span) }

    /// The character of a digit.
    private static func character(_ digit: UInt32) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: digit)
        return switch digit {
        case ..<26: digit &+ UInt8(ascii: "A")
        case ..<52: digit &- 26 &+ UInt8(ascii: "a")
        case ..<62: digit &- 52 &+ UInt8(ascii: "0")
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    /// For each octet the digit it stands for, or 0xFF.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for digit in UInt8(0)..<64 { table[Int(character(UInt32(digit)))] = digit }
        return table
    }()
}

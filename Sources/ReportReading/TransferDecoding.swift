internal import MailSyntax

/// Transfer encodings (RFC 2045, section 6), read as they come.
enum TransferDecoding {
    /// The octets behind an encoding's name, and a note on what is wrong with them; an unknown encoding is none.
    static func decoded(
        _ body: ArraySlice<UInt8>, _ encoding: String
    ) -> (octets: [UInt8], note: String?) {
        switch encoding {
        case "base64":
            let (octets, strangers) = base64(body)
            guard strangers > 0 else { return (octets, nil) }
            return (octets, "the base64 text has \(strangers) octets that do not belong there")
        case "quoted-printable": return (quotedPrintable(body), nil)
        default: return (Array(body), nil)
        }
    }

    /// Decodes base64: "all line breaks or other characters not found in Table 1 must be ignored" (section 6.8).
    ///
    /// Padding in the middle ends a group and not the text, as some programs put several texts behind each other.
    static func base64(_ text: ArraySlice<UInt8>) -> (octets: [UInt8], strangers: Int) {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count / 4 * 3)
        var (bits, count, strangers): (UInt32, Int, Int) = (0, 0, 0)
        for octet in text {
            let value: UInt8
            switch octet {
            case 0x41...0x5A: value = octet &- 0x41
            case 0x61...0x7A: value = octet &- 0x61 &+ 26
            case 0x30...0x39: value = octet &- 0x30 &+ 52
            case 0x2B: value = 62
            case 0x2F: value = 63
            case 0x3D:
                (bits, count) = (0, 0)
                continue
            default:
                if !octet.isFoldingSpace { strangers += 1 }
                continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return (octets, strangers)
    }

    /// Decodes quoted-printable; what is no code stays as it is (section 6.7).
    static func quotedPrintable(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let octet = text[index]
            index += 1
            guard octet == 0x3D else {
                octets.append(octet)
                continue
            }
            if index + 1 < text.endIndex, let high = text[index].hexDigitValue,
                let low = text[index + 1].hexDigitValue
            {
                octets.append(high << 4 | low)
                index += 2
                continue
            }
            // A soft line break, with white space that a program put before its end.
            var end = index
            while end < text.endIndex, text[end].isWSP || text[end] == .cr { end += 1 }
            if end < text.endIndex, text[end] == .lf {
                index = end + 1
            } else if end == text.endIndex {
                index = end
            } else {
                octets.append(octet)
            }
        }
        return octets
    }
}

internal import MailSyntax

/// Makes of a document that is not well-formed one that may be, where its reporter forgot to escape text.
///
/// It escapes each "<" that does not begin a tag of the format, and each "&" that does not begin a reference that XML knows without a
/// declaration; attributes, comments and instructions go, and octets that are not UTF-8 become U+FFFD. Tags are neither added nor
/// moved: expat decides whether the result is a document.
struct MarkupMender {
    /// The document.
    private(set) var document: [UInt8] = []
    /// What was done, as notes.
    private(set) var notes: [String] = []

    private static let names = Set(AggregateElement.allCases.map { Array($0.rawValue.utf8) })
    private static let references = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"].map {
        Array($0.utf8)
    }
    private static let rootEnd = Array("feedback".utf8)

    /// Mends a document.
    init(_ octets: [UInt8]) {
        let text = Self.utf8(octets)
        if text.count != octets.count || text != octets {
            notes.append("the document is not valid UTF-8: other octets are replaced by U+FFFD")
        }
        document.reserveCapacity(text.count + 256)
        var escaped = 0
        var position = 0
        // What comes before the outermost element is not part of it.
        var isInside = false
        while position < text.count {
            let octet = text[position]
            if octet == 0x3C {
                let (length, output, isRootEnd) = Self.markup(text, position)
                if length == 0 {
                    if isInside { document += "&lt;".utf8 }
                    escaped += isInside ? 1 : 0
                    position += 1
                    continue
                }
                document += output
                if !output.isEmpty { isInside = true }
                position += length
                if isRootEnd { break }
                continue
            }
            position += 1
            guard isInside else { continue }
            if octet == 0x26 {
                if let length = Self.reference(text[(position - 1)...]) {
                    document += text[(position - 1)..<(position - 1 + length)]
                    position += length - 1
                } else {
                    document += "&amp;".utf8
                    escaped += 1
                }
            } else if octet == 0x3E {
                document += "&gt;".utf8
            } else if octet < 0x20, octet != 0x0A, octet != 0x0D, octet != 0x09 {
                document.append(0x3F)
            } else {
                document.append(octet)
            }
        }
        if escaped > 0 {
            notes.append(
                "\"<\" and \"&\" in text are not written as \"&lt;\" and \"&amp;\": read as text in"
                    + " \(escaped) places")
        }
    }

    /// The markup that begins at a "<": how long it is, 0 if it is none, and what is written for it.
    private static func markup(
        _ text: [UInt8], _ start: Int
    ) -> (length: Int, output: [UInt8], isRootEnd: Bool) {
        let rest = text[(start + 1)...]
        if rest.starts(with: "!DOCTYPE".utf8) { return (9, Array("<!DOCTYPE".utf8), false) }
        if rest.starts(with: "!--".utf8) {
            return (length(text, start, until: Array("-->".utf8)), [], false)
        }
        if rest.first == 0x3F {
            return (length(text, start, until: Array("?>".utf8)), [], false)
        }
        let isEnd = rest.first == 0x2F
        var name: [UInt8] = []
        var position = start + (isEnd ? 2 : 1)
        while position < text.count, name.count < 64 {
            let octet = text[position]
            if octet == 0x3A {
                name = []
            } else if octet.isASCIIAlphanumeric || octet == 0x5F || octet == 0x2D {
                name.append(octet)
            } else {
                break
            }
            position += 1
        }
        guard names.contains(name), position < text.count else { return (0, [], false) }
        // Attributes say nothing that is needed.
        var quote: UInt8?
        let limit = min(text.count, position + 4096)
        while position < limit {
            let octet = text[position]
            if let open = quote {
                if octet == open { quote = nil }
            } else if octet == 0x22 || octet == 0x27 {
                quote = octet
            } else if octet == 0x3E {
                break
            } else if octet == 0x3C {
                return (0, [], false)
            }
            position += 1
        }
        guard position < limit else { return (0, [], false) }
        let isEmpty = !isEnd && text[position - 1] == 0x2F
        let output =
            Array(isEnd ? "</".utf8 : "<".utf8) + name + Array(isEmpty ? "/>".utf8 : ">".utf8)
        return (position + 1 - start, output, isEnd && name == rootEnd)
    }

    /// How long what begins here is, its end included; to the end of the text where it has none.
    private static func length(_ text: [UInt8], _ start: Int, until end: [UInt8]) -> Int {
        var position = start
        while position + end.count <= text.count {
            if text[position] == end[0], text[position..<(position + end.count)].elementsEqual(end)
            {
                return position + end.count - start
            }
            position += 1
        }
        return text.count - start
    }

    /// The length of a reference that XML knows without a declaration.
    private static func reference(_ text: ArraySlice<UInt8>) -> Int? {
        for name in references where text.starts(with: name) { return name.count }
        guard text.dropFirst().first == 0x23 else { return nil }
        let digits = text.dropFirst(2).prefix(8)
        guard let end = digits.firstIndex(of: 0x3B) else { return nil }
        let number = digits[..<end]
        let isHex = number.first == 0x78
        let value = UInt32(
            String(decoding: isHex ? number.dropFirst() : number, as: UTF8.self),
            radix: isHex ? 16 : 10)
        guard let value, let scalar = Unicode.Scalar(value), scalar.value >= 0x20,
            scalar.value & 0xFFFE != 0xFFFE
        else { return nil }
        return end + 1 - text.startIndex
    }

    /// The octets as UTF-8.
    private static func utf8(_ octets: [UInt8]) -> [UInt8] {
        // UTF-16 is what expat reads by itself: what is mended is in an encoding of octets.
        if (try? UTF8Span(validating: octets.span)) != nil {
            let text = octets.filter { $0 != 0 }
            return text
        }
        return Array(String(decoding: octets.filter { $0 != 0 }, as: UTF8.self).utf8)
    }
}

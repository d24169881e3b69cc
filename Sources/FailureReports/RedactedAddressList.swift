internal import MailSyntax

/// The value of a field that has addresses, with names and local-parts redacted.
///
/// Trust: any octets, in linear time. What is no address is taken for a name: nothing is shown but what stands between an "@" and the
/// next separator.
struct RedactedAddressList {
    private let redactor: Redactor

    init(_ redactor: Redactor) { self.redactor = redactor }

    /// The redacted value.
    func text(of value: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        for item in Self.items(of: value) {
            let text = redacted(item.text.trimmingFoldingSpace())
            if !text.isEmpty {
                // Each on a line of its own, as the list may be long.
                output += output.isEmpty ? [0x20] : [0x0D, 0x0A, 0x20]
                output += text
            }
            if let separator = item.separator { output.append(separator) }
        }
        return output
    }

    /// What stands between the separators, without comments.
    private static func items(of value: ArraySlice<UInt8>) -> [(text: [UInt8], separator: UInt8?)] {
        var items: [(text: [UInt8], separator: UInt8?)] = []
        var text: [UInt8] = []
        var depth = 0
        var (isQuoted, isEscaped) = (false, false)
        for octet in value {
            if isEscaped {
                isEscaped = false
                if depth == 0 { text.append(octet) }
                continue
            }
            switch octet {
            case UInt8(ascii: "\\"):
                isEscaped = true
                if depth == 0 { text.append(octet) }
            case UInt8(ascii: "\"") where depth == 0:
                isQuoted.toggle()
                text.append(octet)
            case UInt8(ascii: "(") where !isQuoted: depth += 1
            case UInt8(ascii: ")") where !isQuoted && depth > 0: depth -= 1
            case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"):
                if depth == 0, !isQuoted {
                    items.append((text, octet))
                    text = []
                } else if depth == 0 {
                    text.append(octet)
                }
            default: if depth == 0 { text.append(octet) }
            }
        }
        return items + [(text, nil)]
    }

    /// A name and an address, either of which may be missing.
    private func redacted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard let angle = Self.angle(in: text) else {
            let words = text.split { $0.isFoldingSpace }.filter { $0.contains(UInt8(ascii: "@")) }
            guard !words.isEmpty else { return name(text) }
            return Array(words.map { redactor.addresses(in: $0) }.joined(separator: [0x20]))
        }
        let end = text[angle...].firstIndex(of: UInt8(ascii: ">")).map { $0 + 1 } ?? text.endIndex
        let name = name(text[..<angle].trimmingFoldingSpace())
        return name + (name.isEmpty ? [] : [0x20]) + redactor.addresses(in: text[angle..<end])
    }

    private func name(_ text: ArraySlice<UInt8>) -> [UInt8] {
        text.isEmpty ? [] : redactor.redacted(text)
    }

    /// The first "<" outside a quoted string.
    private static func angle(in text: ArraySlice<UInt8>) -> Int? {
        var (isQuoted, isEscaped) = (false, false)
        for (index, octet) in zip(text.indices, text) {
            if isEscaped {
                isEscaped = false
            } else if octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else if octet == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if octet == UInt8(ascii: "<"), !isQuoted {
                return index
            }
        }
        return nil
    }
}

internal import MailSyntax

/// The header section of a message or of a part of one, read as tolerantly as mail programs do.
struct MIMEHeader {
    /// The fields: names in lower case, values unfolded.
    private(set) var fields: [(name: String, value: String)] = []

    /// How many fields are looked at.
    private static let limit = 1000

    /// Reads the fields at the start of octets.
    ///
    /// - Parameters:
    ///   - octets: the part.
    ///   - limit: how many octets the section may have; what is beyond it is body.
    /// - Returns: the header, and where the body begins; nil where there is no header.
    static func read(
        _ octets: ArraySlice<UInt8>, atMost limit: Int
    ) -> (header: MIMEHeader, body: Int)? {
        var header = MIMEHeader()
        var position = octets.startIndex
        let end = min(octets.endIndex, octets.startIndex + limit)
        while position < end {
            let lineEnd = octets[position..<end].firstIndex(of: .lf) ?? end
            let next = min(lineEnd + 1, octets.endIndex)
            var line = octets[position..<lineEnd]
            if line.last == .cr { line = line.dropLast() }
            if line.isEmpty { return (header, next) }
            if line.first?.isWSP == true, !header.fields.isEmpty {
                header.fields[header.fields.count - 1].value +=
                    " " + String(decoding: line.trimmingFoldingSpace(), as: UTF8.self)
            } else if let colon = line.firstIndex(of: 0x3A), colon > line.startIndex,
                line[..<colon].allSatisfy({ FieldName.isNameOctet($0) || $0.isWSP })
            {
                if header.fields.count < Self.limit {
                    let name = line[..<colon].trimmingFoldingSpace().asciiLowercased
                    header.fields.append(
                        (
                            String(decoding: name, as: UTF8.self),
                            String(
                                decoding: line[(colon + 1)...].trimmingFoldingSpace(),
                                as: UTF8.self)
                        ))
                }
            } else if position == octets.startIndex,
                line.starts(with: "From ".utf8)
                    || line.starts(with: ">From ".utf8)
            {
                // The line of an mbox.
            } else {
                // No field: the body begins without an empty line.
                return header.fields.isEmpty ? nil : (header, position)
            }
            position = next
        }
        return header.fields.isEmpty ? nil : (header, position)
    }

    /// The first value of a field.
    subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// The media type, in lower case; "ContentType" is what one program writes in place of "Content-Type".
    var contentType: StructuredValue {
        StructuredValue(self["content-type"] ?? self["contenttype"] ?? "")
    }

    /// The transfer encoding, in lower case.
    var encoding: String {
        StructuredValue(self["content-transfer-encoding"] ?? "").value
    }

    /// The name of a file, from either field that may have it.
    var fileName: String {
        let disposition = StructuredValue(self["content-disposition"] ?? "")
        let name = disposition.parameter("filename") ?? contentType.parameter("name") ?? ""
        return PlainText.line(EncodedWords.decoded(name), atMost: 255)
    }
}

/// A value with parameters (RFC 2045, section 5.1), with the continuations and charsets of RFC 2231.
struct StructuredValue {
    /// The value before the parameters, in lower case.
    let value: String
    private var parameters: [String: String] = [:]

    /// How many parameters are looked at.
    private static let limit = 64

    /// Reads a value; what is no parameter is passed over.
    init(_ text: String) {
        var pieces = Self.pieces(of: text)
        value = pieces.isEmpty ? "" : pieces.removeFirst().asciiLowercased
        for piece in pieces.prefix(Self.limit) {
            guard let equals = piece.firstIndex(of: "=") else { continue }
            let name = PlainText.line(piece[..<equals], atMost: 80).asciiLowercased
            let value = PlainText.line(piece[piece.index(after: equals)...], atMost: 1024)
            if parameters[name] == nil { parameters[name] = value }
        }
    }

    /// A parameter, its pieces put together and decoded (RFC 2231, sections 3 and 4).
    func parameter(_ name: String) -> String? {
        if let plain = parameters[name] { return plain }
        if let encoded = parameters["\(name)*"] {
            return Self.percentDecoded(encoded, isFirst: true)
        }
        var whole = ""
        for number in 0..<Self.limit {
            if let piece = parameters["\(name)*\(number)"] {
                whole += piece
            } else if let piece = parameters["\(name)*\(number)*"] {
                whole += Self.percentDecoded(piece, isFirst: number == 0)
            } else {
                break
            }
        }
        return whole.isEmpty ? nil : whole
    }

    /// The pieces between semicolons; quoted strings and comments are kept together and taken off.
    private static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var piece: [UInt8] = []
        var (isQuoted, isEscaped, depth) = (false, false, 0)
        for octet in text.utf8.prefix(8192) {
            if isEscaped {
                if depth == 0 { piece.append(octet) }
                isEscaped = false
            } else if octet == 0x5C, isQuoted || depth > 0 {
                isEscaped = true
            } else if octet == 0x22, depth == 0 {
                isQuoted.toggle()
            } else if octet == 0x28, !isQuoted {
                depth += 1
            } else if octet == 0x29, depth > 0 {
                depth -= 1
            } else if octet == 0x3B, !isQuoted, depth == 0 {
                pieces.append(PlainText.line(String(decoding: piece, as: UTF8.self), atMost: 1200))
                piece = []
            } else if depth == 0 {
                piece.append(octet)
            }
        }
        pieces.append(PlainText.line(String(decoding: piece, as: UTF8.self), atMost: 1200))
        return pieces
    }

    /// Takes charset and language off the first piece, and decodes the octets as UTF-8.
    private static func percentDecoded(_ text: String, isFirst: Bool) -> String {
        var rest = Array(text.utf8)[...]
        if isFirst, let one = rest.firstIndex(of: 0x27),
            let two = rest[(one + 1)...].firstIndex(of: 0x27)
        {
            rest = rest[(two + 1)...]
        }
        var octets: [UInt8] = []
        while let octet = rest.popFirst() {
            if octet == 0x25, rest.count >= 2, let high = rest[rest.startIndex].hexDigitValue,
                let low = rest[rest.startIndex + 1].hexDigitValue
            {
                octets.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}

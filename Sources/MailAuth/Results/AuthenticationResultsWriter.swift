public import MailSyntax

/// The strict writer of `authres-payload` (RFC 8601, section 2.2).
///
/// Trust: values, reasons and comments may be what an attacker wrote. Each is quoted as its place asks, and
/// control characters become "?", so that none can end its string, its comment, its result or the field.
extension AuthenticationResults {
    /// The longest value that is written, in octets; the longest address that SMTP allows is far shorter.
    static let maximumValueLength = 900
    /// The longest comment or reason that is written, in octets; what is longer is cut.
    static let maximumProseLength = 400

    /// The value of a field with these results, folded, with its leading space.
    ///
    /// A method, result or property whose name is no Keyword is left out, and so is a value that is too
    /// long: no part of a value is ever written for the whole.
    public func fieldValue(for name: FieldName = .authenticationResults) -> [UInt8] {
        var writer = PieceWriter(name)
        writer.piece.appendValue(authservID.text)
        if let version { writer.piece.append(contentsOf: " \(version)".utf8) }
        writer.piece.append(UInt8(ascii: ";"))
        writer.endPiece()
        guard let last = results.lastIndex(where: \.isWritable) else {
            writer.piece.append(contentsOf: "none".utf8)
            writer.endPiece()
            return writer.finish()
        }
        for index in results.indices where results[index].isWritable {
            results[index].write(to: &writer)
            if index < last { writer.append(UInt8(ascii: ";")) }
        }
        return writer.finish()
    }
}

extension MethodResult {
    fileprivate var isWritable: Bool {
        ResultsText.isKeyword(method) && ResultsText.isKeyword(result)
    }

    // resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
    fileprivate func write(to writer: inout PieceWriter) {
        writer.piece.append(contentsOf: method.utf8.span)
        if let version { writer.piece.append(contentsOf: "/\(version)".utf8) }
        writer.piece.append(UInt8(ascii: "="))
        writer.piece.append(contentsOf: result.utf8.span)
        writer.endPiece(onNewLine: true)
        if let comment {
            ResultsText.appendComment(Self.prose(comment).utf8.span, to: &writer.piece)
            writer.endPiece()
        }
        if let reason {
            writer.piece.append(contentsOf: "reason=".utf8)
            writer.piece.appendValue(Self.prose(reason))
            writer.endPiece()
        }
        for index in properties.indices {
            let (ptype, name) = (properties[index].ptype, properties[index].name)
            guard ResultsText.isKeyword(ptype), ResultsText.isKeyword(name) else { continue }
            writer.piece.append(contentsOf: ptype.utf8.span)
            writer.piece.append(UInt8(ascii: "."))
            writer.piece.append(contentsOf: name.utf8.span)
            writer.piece.append(UInt8(ascii: "="))
            let start = writer.piece.count
            writer.piece.appendPropertyValue(properties[index].value)
            if writer.piece.count - start <= AuthenticationResults.maximumValueLength {
                writer.endPiece()
            } else {
                writer.dropPiece()
            }
        }
    }

    /// Text for people, cut where it is too long.
    private static func prose(_ text: String) -> String {
        let limit = AuthenticationResults.maximumProseLength
        guard text.utf8.count > limit else { return ResultsText.printable(text) }
        var result = String.UnicodeScalarView()
        var length = 0
        for scalar in ResultsText.printable(text).unicodeScalars {
            guard length <= limit - 7 else { return String(result) + "..." }
            length += UTF8.width(scalar)
            result.append(scalar)
        }
        return String(result)
    }
}

extension [UInt8] {
    // pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]
    fileprivate mutating func appendPropertyValue(_ text: String) {
        let text = ResultsText.printable(text)
        if ResultsText.isIdentity(text) {
            append(contentsOf: text.utf8.span)
        } else if let identity = ResultsText.identity(text) {
            append(contentsOf: identity)
        } else {
            appendValue(text)
        }
    }

    // value = token / quoted-string (RFC 2045, section 5.1)
    fileprivate mutating func appendValue(_ text: String) {
        let text = ResultsText.printable(text)
        if ResultsText.isToken(text) {
            append(contentsOf: text.utf8.span)
        } else {
            append(contentsOf: ResultsText.quoted(Array(text.utf8)))
        }
    }
}

/// Puts pieces into a folded value, each when the next is complete: until then a mark may follow it directly.
private struct PieceWriter {
    /// The piece that is being made.
    var piece: [UInt8] = []
    private var complete: [UInt8] = []
    private var beginsLine = false
    private var value: FoldedValue

    init(_ name: FieldName) {
        value = FoldedValue(for: name)
        piece.reserveCapacity(128)
        complete.reserveCapacity(128)
    }

    /// Ends the piece, which shall begin a line or follow what is before it.
    mutating func endPiece(onNewLine: Bool = false) {
        flush()
        swap(&piece, &complete)
        piece.removeAll(keepingCapacity: true)
        beginsLine = onNewLine
    }

    /// Forgets the piece that is being made.
    mutating func dropPiece() {
        piece.removeAll(keepingCapacity: true)
    }

    /// Adds a mark to the last complete piece.
    mutating func append(_ mark: UInt8) {
        complete.append(mark)
    }

    /// The value, once the last piece has ended.
    mutating func finish() -> [UInt8] {
        flush()
        return value.bytes
    }

    private mutating func flush() {
        if beginsLine { value.appendOnNewLine(complete) } else { value.append(complete) }
    }
}

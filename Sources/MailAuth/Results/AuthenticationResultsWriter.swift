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
        let lines = results.compactMap(Self.pieces)
        var value = FoldedValue(for: name)
        let version = version.map { " \($0)" } ?? ""
        value.append(Self.valueText(authservID.text) + Array(version.utf8) + [UInt8(ascii: ";")])
        if lines.isEmpty { value.append("none") }
        for (index, pieces) in lines.enumerated() {
            for (place, piece) in pieces.enumerated() {
                let isEnd = place == pieces.count - 1 && index < lines.count - 1
                let text = isEnd ? piece + [UInt8(ascii: ";")] : piece
                if place == 0 { value.appendOnNewLine(text) } else { value.append(text) }
            }
        }
        return value.bytes
    }

    // resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
    private static func pieces(_ result: MethodResult) -> [[UInt8]]? {
        guard ResultsText.isKeyword(result.method), ResultsText.isKeyword(result.result) else {
            return nil
        }
        let version = result.version.map { "/\($0)" } ?? ""
        var pieces = [Array("\(result.method)\(version)=\(result.result)".utf8)]
        if let comment = result.comment {
            pieces.append(ResultsText.comment(prose(comment)))
        }
        if let reason = result.reason {
            let text = String(decoding: prose(reason), as: UTF8.self)
            pieces.append(Array("reason=".utf8) + valueText(text))
        }
        for property in result.properties {
            guard ResultsText.isKeyword(property.ptype), ResultsText.isKeyword(property.name) else {
                continue
            }
            let value = propertyValue(property.value)
            guard value.count <= maximumValueLength else { continue }
            pieces.append(Array("\(property.ptype).\(property.name)=".utf8) + value)
        }
        return pieces
    }

    // pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]
    private static func propertyValue(_ text: String) -> [UInt8] {
        let text = ResultsText.printable(text)
        return ResultsText.isIdentity(text) ? Array(text.utf8) : valueText(text)
    }

    // value = token / quoted-string (RFC 2045, section 5.1)
    private static func valueText(_ text: String) -> [UInt8] {
        let text = ResultsText.printable(text)
        return ResultsText.isToken(text)
            ? Array(text.utf8) : ResultsText.quoted(Array(text.utf8))
    }

    private static func prose(_ text: String) -> [UInt8] {
        if text.utf8.count <= maximumProseLength { return Array(ResultsText.printable(text).utf8) }
        var result: [UInt8] = []
        for scalar in ResultsText.printable(text).unicodeScalars {
            guard result.count <= maximumProseLength - 7 else {
                return result + Array("...".utf8)
            }
            result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        return result
    }
}

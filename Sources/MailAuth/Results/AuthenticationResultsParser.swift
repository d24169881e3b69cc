internal import MailSyntax

/// The lenient reader of `authres-payload` (RFC 8601, section 2.2).
///
/// What does not fit is passed over, and noted in `isWellFormed`; the next semicolon starts afresh.
///
/// Trust: hostile text; one pass, bounded numbers of results and properties. A comment or a string without
/// its end takes the rest of the field with it, so that nothing is read twice.
struct AuthenticationResultsParser {
    private static let maximumResults = 256
    /// The longest identifier of a service, in octets: a domain name, or little more; it has to fit into a line.
    private static let maximumIdentifierLength = 255
    private static let maximumProperties = 64

    private(set) var authservID = ""
    private(set) var version: Int?
    private(set) var results: [MethodResult] = []
    private(set) var isWellFormed = true
    /// Whether "none" has come in place of results.
    private var hasNoResult = false

    private let text: [UInt8]
    private var position = 0
    /// The first comment after the last value, without its parentheses.
    private var comment: Range<Int>?

    init(_ text: Span<UInt8>) {
        self.text = text.copied()
        let isUTF8 = String(validating: self.text, as: UTF8.self) != nil
        isWellFormed = isUTF8 && !self.text.contains { $0.isASCIIControl && !$0.isFoldingSpace }
    }

    mutating func parse() {
        parseHead()
        while position < text.count, results.count < Self.maximumResults {
            // At a semicolon.
            position += 1
            parseResult()
        }
        if position < text.count { isWellFormed = false }
    }

    // [CFWS] authserv-id [ CFWS authres-version ] [CFWS]
    mutating func parseHead() {
        skipCFWS()
        let start = position
        let id = takeWord(stoppingAtEquals: true)
        if next == UInt8(ascii: "=") {
            // Some services leave the identifier out, and begin with their results.
            isWellFormed = false
            position = start
            parseResult()
            return
        }
        authservID = String(decoding: id.octets, as: UTF8.self)
        if id.pieces != 1 || id.octets.isEmpty { isWellFormed = false }
        if authservID.utf8.count > Self.maximumIdentifierLength {
            authservID = ""
            isWellFormed = false
        }
        skipCFWS()
        if next?.isASCIIDigit ?? false {
            let word = takeWord(stoppingAtEquals: true)
            // A number that nobody can mean is no version that is known here.
            version = number(word.octets)
            if version == nil { isWellFormed = false }
        }
        skipToSemicolon()
    }

    // resinfo = methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
    private mutating func parseResult() {
        guard let (method, value) = takePair(orNone: results.isEmpty && !hasNoResult) else {
            return
        }
        // "none" says that there are no results, and stands alone.
        if hasNoResult { isWellFormed = false }
        var result = methodResult(method, value)
        result.comment = comment.map {
            String(decoding: AddressSyntax.unquoted(text[$0]), as: UTF8.self)
        }
        while let (key, value) = takePair(orNone: false) { add(key, value, to: &result) }
        results.append(result)
    }

    /// The next `key=value` before the semicolon; words without "=" are passed over.
    private mutating func takePair(orNone: Bool) -> (key: String, value: String)? {
        skipCFWS()
        while let octet = next, octet != UInt8(ascii: ";") {
            let (key, hasValue) = takeKey()
            if hasValue { return (key, takeValue()) }
            // no-result = [CFWS] ";" [CFWS] "none"
            if orNone, key == "none", !hasNoResult {
                hasNoResult = true
            } else {
                isWellFormed = false
            }
        }
        return nil
    }

    // methodspec = [CFWS] method [CFWS] "=" [CFWS] result
    // method     = Keyword [ [CFWS] "/" [CFWS] method-version ]
    private mutating func methodResult(_ key: String, _ value: String) -> MethodResult {
        let parts = key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let version = parts.count > 1 ? number(Array(parts[1].utf8)) : nil
        let result = MethodResult(
            String(parts[0]), version: version, value.asciiLowercased)
        if !ResultsText.isKeyword(result.method) || !ResultsText.isKeyword(result.result)
            || (parts.count > 1 && version == nil)
        {
            isWellFormed = false
        }
        return result
    }

    private mutating func add(_ key: String, _ value: String, to result: inout MethodResult) {
        // reasonspec = "reason" [CFWS] "=" [CFWS] value
        if key == "reason" {
            if result.reason != nil || !result.properties.isEmpty { isWellFormed = false }
            result.reason = result.reason ?? value
            return
        }
        // propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
        let parts = key.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let (ptype, name) = parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("", key)
        if !ResultsText.isKeyword(ptype) || !ResultsText.isKeyword(name) { isWellFormed = false }
        guard result.properties.count < Self.maximumProperties else {
            isWellFormed = false
            return
        }
        result.properties.append(MethodResult.Property(ptype, name, value))
    }

    private func number(_ digits: [UInt8]) -> Int? {
        guard digits.allSatisfy(\.isASCIIDigit), !digits.isEmpty else { return nil }
        // More than 18 digits would not fit; any such number is unknown all the same.
        return digits.count > 18 ? .max : Int(String(decoding: digits, as: UTF8.self))
    }
}

/// The words of a field.
extension AuthenticationResultsParser {
    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipCFWS() {
        while let octet = next {
            if octet.isFoldingSpace {
                position += 1
            } else if octet == UInt8(ascii: "(") {
                skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        guard let end = ResultsText.endOfComment(text.span, at: position) else {
            isWellFormed = false
            position = text.count
            return
        }
        if comment == nil { comment = position + 1..<end - 1 }
        position = end
    }

    private mutating func skipToSemicolon() {
        while true {
            skipCFWS()
            guard let octet = next, octet != UInt8(ascii: ";") else { return }
            isWellFormed = false
            _ = takeWord(stoppingAtEquals: false)
        }
    }

    /// A run of octets and quoted strings up to white space, a comment or a semicolon.
    private struct Word {
        var octets: [UInt8] = []
        /// How many runs and quoted strings it is made of: 1 in all that is a `value`.
        var pieces = 0
    }

    private mutating func takeWord(stoppingAtEquals: Bool) -> Word {
        var word = Word()
        var isInRun = false
        while let octet = next, !octet.isFoldingSpace, octet != UInt8(ascii: "("),
            octet != UInt8(ascii: ";"), !(stoppingAtEquals && octet == UInt8(ascii: "="))
        {
            if octet == UInt8(ascii: "\"") {
                let content = takeQuoted()
                word.pieces += 1
                isInRun = false
                // An address keeps the quotes of its local-part.
                word.octets += next == UInt8(ascii: "@") ? ResultsText.localPart(content) : content
            } else {
                if !isInRun { word.pieces += 1 }
                isInRun = true
                word.octets.append(octet)
                position += 1
            }
        }
        return word
    }

    private mutating func takeQuoted() -> [UInt8] {
        let start = position + 1
        guard let end = ResultsText.endOfQuotedString(text.span, at: position) else {
            isWellFormed = false
            position = text.count
            return AddressSyntax.unquoted(text[start...])
        }
        position = end
        return AddressSyntax.unquoted(text[start..<end - 1])
    }

    /// The text before "=", in lower case, white space and comments around its marks dropped; and whether
    /// there is an "=".
    private mutating func takeKey() -> (key: String, hasValue: Bool) {
        var key: [UInt8] = []
        while true {
            let word = takeWord(stoppingAtEquals: true)
            key += word.octets
            skipCFWS()
            if next == UInt8(ascii: "=") {
                position += 1
                return (String(decoding: key.asciiLowercased, as: UTF8.self), true)
            }
            let joins: (UInt8?) -> Bool = { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
            guard let octet = next, octet != UInt8(ascii: ";"), joins(octet) || joins(key.last)
            else {
                return (String(decoding: key.asciiLowercased, as: UTF8.self), false)
            }
        }
    }

    // pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]
    private mutating func takeValue() -> String {
        skipCFWS()
        var word = takeWord(stoppingAtEquals: false)
        comment = nil
        skipCFWS()
        // A local-part may have white space and comments around it (RFC 5322, section 3.4.1).
        if next == UInt8(ascii: "@") {
            word.octets += takeWord(stoppingAtEquals: false).octets
        }
        let value = String(decoding: word.octets, as: UTF8.self)
        // Many services do not quote what is no token, "/" in base64 say; it is clear all the same.
        if word.pieces != 1, !ResultsText.isIdentity(value) { isWellFormed = false }
        return value
    }
}

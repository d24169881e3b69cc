internal import MailSyntax

/// What a Received field says that everybody may know: when, by which class of protocol, and how many hops it stands for.
///
/// The sanitised field names our public host in place of both ends: `by mx.example.org with ESMTPSA; Thu, 1 Jan 2026 …`. A
/// Received field without "from" is what RFC 5322, section 3.6.7, allows and Postfix itself writes for sendmail(1).
///
/// Trust: the field may be anybody's. Nothing of its text is copied: the protocol is one of a list, date and count are numbers.
struct ReceivedStamp: Hashable, Sendable {
    /// The time of receipt; nil where the field has none that can be read.
    var date: MailDate?
    /// The transmission type (RFC 3848, and the IANA registry of mail transmission types); nil for others.
    var transmission: String?
    /// The number of hops that the field stands for: one, unless a field of ours says more.
    var hops = 1

    /// The most hops that a field is believed to stand for.
    static let hopsLimit = 9999

    /// A stamp of the present.
    init(date: MailDate, hops: Int = 1) {
        self.date = date
        self.hops = hops
    }

    /// Reads the value of a Received field; there is always something to know of it, if only that it is there.
    init(reading value: Span<UInt8>) {
        var words = ReceivedWords(value)
        var followsWith = false
        while let word = words.next() {
            switch word {
            case .word(let range):
                let text = value.extracting(range)
                if followsWith, let known = Self.known(text) { transmission = known }
                followsWith = text.equalsIgnoringASCIICase("with".utf8.span)
            case .comment(let range):
                if let count = Self.hops(in: value.extracting(range)) { hops = count }
            case .semicolon(let position):
                date = MailDate(parsing: value.extracting(position + 1..<value.count)) ?? date
            }
        }
    }

    /// The field's value, with its leading space and a fold where the line grows too long.
    ///
    /// - Parameters:
    ///   - host: our public name.
    ///   - queueID: the MTA's name for the message, where this is the MTA's own hop.
    ///   - now: the time that is given where the field had none.
    /// - Returns: what stands after the colon.
    func value(host: String, queueID: String? = nil, now: MailDate) -> [UInt8] {
        var value = FoldedValue(for: .received)
        value.append("by \(host)")
        if let transmission { value.append("with \(transmission)") }
        if let queueID { value.append("id \(queueID)") }
        if hops > 1 { value.append("(\(Self.hopsWord) \(hops))") }
        var bytes = value.bytes
        bytes.append(UInt8(ascii: ";"))
        let date = Array((date ?? now).text.utf8)
        let line = bytes.count - (bytes.lastIndex(of: .lf) ?? -"Received:".utf8.count)
        bytes +=
            line + 1 + date.count > FoldedValue.recommendedWidth ? [.lf, .tab] : [.space]
        return bytes + date
    }

    private static let hopsWord = "hops"

    /// Reads our own count, `hops 7`.
    private static func hops(in comment: Span<UInt8>) -> Int? {
        let prefix = hopsWord.utf8.count + 1
        guard (prefix + 1...prefix + 4).contains(comment.count),
            comment.extracting(0..<prefix).equalsIgnoringASCIICase("\(hopsWord) ".utf8.span)
        else { return nil }
        var count = 0
        for index in prefix..<comment.count {
            guard comment[index].isASCIIDigit else { return nil }
            count = count * 10 + Int(comment[index] - 0x30)
        }
        return Swift.max(1, count)
    }

    private static func known(_ word: Span<UInt8>) -> String? {
        guard word.count <= 10 else { return nil }
        return transmissions.first { $0.utf8.span.equalsIgnoringASCIICase(word) }
    }

    private static let transmissions = [
        "ESMTPSA", "ESMTPS", "ESMTPA", "ESMTP", "SMTP", "LMTP", "LMTPA", "LMTPS", "LMTPSA",
        "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTP", "UTF8LMTPA", "UTF8LMTPS",
        "UTF8LMTPSA", "MMS", "HTTP", "HTTPS",
    ]
}

/// Takes a Received field apart, in one pass: words, comments and the semicolons between clauses and date.
private struct ReceivedWords {
    enum Part {
        case word(Range<Int>)
        /// What stands between the parentheses of a comment that is not inside another one.
        case comment(Range<Int>)
        case semicolon(Int)
    }

    private let bytes: [UInt8]
    private var position = 0

    init(_ span: Span<UInt8>) {
        bytes = span.copied()
    }

    mutating func next() -> Part? {
        while position < bytes.count, bytes[position].isFoldingSpace { position += 1 }
        guard position < bytes.count else { return nil }
        let start = position
        switch bytes[start] {
        case UInt8(ascii: ";"):
            position += 1
            return .semicolon(start)
        case UInt8(ascii: "("):
            return comment()
        default:
            word()
            return .word(start..<position)
        }
    }

    private mutating func comment() -> Part {
        let start = position + 1
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\\"): position += 1
            default: break
            }
            position += 1
            if depth == 0 { return .comment(start..<position - 1) }
        }
        position = bytes.count
        return .comment(Swift.min(start, bytes.count)..<bytes.count)
    }

    /// A run up to white space, a comment or a semicolon; these do not end it inside quotes.
    private mutating func word() {
        var isQuoted = false
        while position < bytes.count {
            let octet = bytes[position]
            if octet == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if octet == UInt8(ascii: "\\") {
                position += 1
            } else if !isQuoted,
                octet.isFoldingSpace || octet == UInt8(ascii: "(") || octet == UInt8(ascii: ";")
            {
                break
            }
            position += 1
        }
        position = Swift.min(position, bytes.count)
    }
}

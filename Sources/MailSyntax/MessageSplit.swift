/// A message file in two: its header section, and where its body begins.
public struct SplitMessage: Sendable {
    /// What ended the header section.
    public enum Ending: Hashable, Sendable {
        /// The empty line of RFC 5322, section 2.1.
        case emptyLine
        /// The end of the message: there is no body.
        case endOfMessage
        /// A line that is neither a field nor the continuation of one. As with Postfix, it is the body's
        /// first line.
        case malformedLine
    }

    /// The header section, with CRLF line ends.
    public var header: HeaderSection
    /// Where the header section begins: 0, or after the line that separates the messages of an mbox file.
    public var headerStart = 0
    /// Where the body begins in the message as it was given.
    public var bodyStart: Int
    /// What ended the header section.
    public var ending: Ending
}

extension HeaderSection {
    /// Splits a message as files have it, with line ends of CRLF or LF, or some of each.
    ///
    /// A line is a field where it has a name of visible ASCII, white space at most after it, and a colon.
    /// It is the continuation of one where it begins with a space or tab and is not the first. An empty line
    /// ends the section, and any other line does as well. A CR without LF is an octet like others.
    ///
    /// A first line that begins with "From " and is no field is the separator of mbox files (RFC 4155), or
    /// Thunderbird's "From - " and date: it is no part of the message.
    public static func split(
        message: [UInt8], limits: Limits = .standard
    ) throws(LimitExceeded) -> SplitMessage {
        var header = HeaderSection(limits: limits)
        let bytes = message.span
        let headerStart = Line.endOfSeparator(in: bytes)
        func end(_ bodyStart: Int, _ ending: SplitMessage.Ending) -> SplitMessage {
            SplitMessage(
                header: header, headerStart: headerStart, bodyStart: bodyStart, ending: ending)
        }
        var position = headerStart
        while position < bytes.count {
            var line = Line(startingAt: position, in: bytes)
            if line.content.isEmpty { return end(line.next, .emptyLine) }
            guard let colon = Line.colon(of: bytes.extracting(line.content)) else {
                return end(position, .malformedLine)
            }
            let start = position
            position = line.next
            while position < bytes.count, bytes[position].isWSP {
                line = Line(startingAt: position, in: bytes)
                position = line.next
            }
            header.append(
                name: bytes.extracting(start..<start + colon),
                value: bytes.extracting(start + colon + 1..<line.content.upperBound))
            if let exceeded = header.limitExceeded { throw exceeded }
        }
        return end(position, .endOfMessage)
    }
}

/// One line of a message file.
private struct Line {
    /// The line without its end.
    let content: Range<Int>
    /// Where the next line begins.
    let next: Int

    init(startingAt start: Int, in bytes: Span<UInt8>) {
        guard let lineEnd = bytes.firstIndex(of: .lf, from: start) else {
            content = start..<bytes.count
            next = bytes.count
            return
        }
        let hasCR = lineEnd > start && bytes[lineEnd - 1] == .cr
        content = start..<(hasCR ? lineEnd - 1 : lineEnd)
        next = lineEnd + 1
    }

    /// Where the line after the separator of an mbox file begins; 0 where the first line is none.
    static func endOfSeparator(in bytes: Span<UInt8>) -> Int {
        let first = Line(startingAt: 0, in: bytes)
        let line = bytes.extracting(first.content)
        let mark: [UInt8] = [0x46, 0x72, 0x6F, 0x6D, 0x20]
        guard line.count > mark.count, Line.colon(of: line) == nil else { return 0 }
        for index in mark.indices where line[index] != mark[index] { return 0 }
        return first.next
    }

    /// Where the colon is in a field's first line; nil where the line is no field.
    ///
    /// RFC 5322, section 4.5, lets white space stand before the colon in obsolete syntax.
    static func colon(of line: Span<UInt8>) -> Int? {
        var position = 0
        while position < line.count, FieldName.isNameOctet(line[position]) { position += 1 }
        guard position > 0 else { return nil }
        while position < line.count, line[position].isWSP { position += 1 }
        return position < line.count && line[position] == 0x3A ? position : nil
    }
}

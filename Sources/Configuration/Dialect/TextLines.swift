/// One line of a configuration or data set file, without its comment and outer white space.
struct TextLine {
    /// Counted from 1.
    let number: Int
    /// Where the text begins, in octets from 1.
    let column: Int
    let text: String
}

/// The lines of a text file that its owner wrote by hand.
///
/// Trust: the file belongs to the postmaster, yet may be anything (a binary, a truncated download): every octet has a
/// defined outcome. A `#` begins a comment wherever it stands, as in all four peers; there is no quoting, so a value cannot
/// contain one. CRLF line ends and a UTF-8 byte order mark are tolerated.
enum TextLines {
    /// The longest line: an inline RSA-8192 key fits eight times over.
    static let lengthLimit = 65_536

    /// The lines that hold anything, in order; what is wrong with the others is reported.
    static func split(
        _ bytes: [UInt8], file: String, report: (ConfigurationProblem) -> Void
    ) -> [TextLine] {
        var lines: [TextLine] = []
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var number = 0
        while start < bytes.count {
            number += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let line = bytes[start..<end]
            start = end + 1
            let location = SourceLocation(file: file, line: number)
            if line.contains(0) {
                report(
                    ConfigurationProblem(
                        .error, at: location, "a NUL byte: this is not a text file",
                        suggestion: "the rest of the file is not read"))
                return lines
            }
            do throws(LineFault) {
                if let text = try text(of: line) {
                    lines.append(TextLine(number: number, column: text.column, text: text.text))
                }
            } catch {
                let place = SourceLocation(file: file, line: number, column: error.column)
                report(ConfigurationProblem(.error, at: place, error.message))
            }
        }
        return lines
    }

    private struct LineFault: Error {
        let column: Int?
        let message: String
    }

    /// What a line says besides its comment; nil when that is nothing.
    private static func text(
        of line: ArraySlice<UInt8>
    ) throws(LineFault) -> (column: Int, text: String)? {
        guard line.count <= lengthLimit else {
            throw LineFault(column: nil, message: "a line longer than \(lengthLimit) octets")
        }
        var rest = line
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<hash] }
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
        guard !rest.isEmpty else { return nil }
        if let control = rest.firstIndex(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
            let name = rest[control] == UInt8(ascii: "\r") ? "carriage return" : "control character"
            throw LineFault(column: control - line.startIndex + 1, message: "a \(name) in the line")
        }
        let column = rest.startIndex - line.startIndex + 1
        guard let text = String(validating: Array(rest), as: UTF8.self) else {
            throw LineFault(column: column, message: "the line is not UTF-8")
        }
        return (column, text)
    }

    /// Space or horizontal tab.
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}

extension StringProtocol {
    /// The text without blanks (space, tab) at its ends.
    func trimmingBlanks() -> String {
        var rest = Substring(self).utf8
        while let last = rest.last, TextLines.isBlank(last) { rest.removeLast() }
        while let first = rest.first, TextLines.isBlank(first) { rest.removeFirst() }
        return String(Substring(rest))
    }

    /// The text up to the first run of blanks, and what follows it; nil when nothing follows.
    func splitAtBlank() -> (first: String, rest: String?) {
        let utf8 = self.utf8
        guard let blank = utf8.firstIndex(where: TextLines.isBlank) else {
            return (String(self), nil)
        }
        let rest = self[blank...].trimmingBlanks()
        return (String(self[..<blank]), rest.isEmpty ? nil : rest)
    }
}

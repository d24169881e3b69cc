internal import MailSyntax

/// Writes the value of a DKIM-Signature field: tags separated by "; ", folded with CRLF and a tab
/// before column 78 wherever the grammar allows white space (RFC 6376, section 3.5).
struct SignatureWriter {
    /// The value so far, from the space after the colon on.
    private(set) var bytes: [UInt8] = []
    private var column = "DKIM-Signature:".utf8.count

    private static let width = 78
    private static let tabWidth = 8

    init() {
        bytes.reserveCapacity(1024)
    }

    /// Writes a tag that stays on one line.
    mutating func tag(_ name: StaticString, _ value: Span<UInt8>) {
        begin(name, value.count + 1)
        write(value)
        end()
    }

    /// Writes a tag that stays on one line.
    mutating func tag(_ name: StaticString, _ value: String) {
        tag(name, value.utf8.span)
    }

    /// Writes a tag whose value is a list, of which each part may begin a line.
    mutating func tag(_ name: StaticString, list: Span<UInt8>, separator: UInt8) {
        var start = 0
        var end = list.firstIndex(of: separator) ?? list.count
        begin(name, end + 1)
        write(list.extracting(first: end))
        while end < list.count {
            write(separator)
            start = end + 1
            end = list.firstIndex(of: separator, from: start) ?? list.count
            if column + (end - start) + 1 > Self.width { fold() }
            write(list.extracting(start..<end))
        }
        self.end()
    }

    /// Begins the last tag, whose value comes later; nothing follows it.
    mutating func beginLastTag(_ name: StaticString) {
        begin(name, 1)
    }

    /// Goes on with the last tag, breaking lines where they are full.
    mutating func appendBreakable(_ value: Span<UInt8>) {
        var start = 0
        while start < value.count {
            // One column is left for the semicolon.
            if column + 1 >= Self.width { fold() }
            let end = min(value.count, start + Self.width - 1 - column)
            write(value.extracting(start..<end))
            start = end
        }
    }

    /// The value with "\n" for CRLF, as a milter hands it to the MTA.
    var milterValue: [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(bytes.count)
        var start = 0
        while let lineEnd = bytes.span.firstIndex(of: .cr, from: start) {
            value.append(contentsOf: bytes.span.extracting(start..<lineEnd))
            start = lineEnd + 1
        }
        value.append(contentsOf: bytes.span.extracting(start..<bytes.count))
        return value
    }

    private mutating func begin(_ name: StaticString, _ length: Int) {
        if column + name.utf8CodeUnitCount + length + 2 > Self.width, !bytes.isEmpty {
            fold()
        } else {
            write(.space)
        }
        name.withUTF8Buffer { unsafe write($0.span) }
        write(UInt8(ascii: "="))
    }

    private mutating func end() {
        write(UInt8(ascii: ";"))
    }

    private mutating func fold() {
        bytes.append(.cr)
        bytes.append(.lf)
        bytes.append(.tab)
        column = Self.tabWidth
    }

    private mutating func write(_ octet: UInt8) {
        bytes.append(octet)
        column += 1
    }

    private mutating func write(_ octets: Span<UInt8>) {
        bytes.append(contentsOf: octets)
        column += octets.count
    }
}

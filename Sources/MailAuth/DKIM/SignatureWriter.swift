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
    mutating func tag(_ name: StaticString, _ value: some Collection<UInt8>) {
        begin(name, value.count + 1)
        write(value)
        end()
    }

    /// Writes a tag that stays on one line.
    mutating func tag(_ name: StaticString, _ value: some StringProtocol) {
        tag(name, value.utf8)
    }

    /// Writes a tag whose parts may each begin a line.
    mutating func tag(_ name: StaticString, parts: [[UInt8]], separator: UInt8) {
        begin(name, (parts.first?.count ?? 0) + 1)
        for (index, part) in parts.enumerated() {
            if index > 0 {
                write(CollectionOfOne(separator))
                if column + part.count + 1 > Self.width { fold() }
            }
            write(part)
        }
        end()
    }

    /// Writes a tag that may be broken anywhere.
    mutating func tag(_ name: StaticString, breakable value: some StringProtocol) {
        begin(name, 1)
        appendBreakable(value)
        end()
    }

    /// Begins the last tag, whose value comes later; nothing follows it.
    mutating func beginLastTag(_ name: StaticString) {
        begin(name, 1)
    }

    /// Goes on with the last tag, breaking lines where they are full.
    mutating func appendBreakable(_ value: some StringProtocol) {
        var rest = Array(value.utf8)[...]
        while !rest.isEmpty {
            // One column is left for the semicolon.
            if column + 1 >= Self.width { fold() }
            let line = rest.prefix(Self.width - 1 - column)
            write(line)
            rest = rest.dropFirst(line.count)
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
            write(CollectionOfOne(UInt8.space))
        }
        write(name.description.utf8)
        write(CollectionOfOne(UInt8(ascii: "=")))
    }

    private mutating func end() {
        write(CollectionOfOne(UInt8(ascii: ";")))
    }

    private mutating func fold() {
        bytes.append(.cr)
        bytes.append(.lf)
        bytes.append(.tab)
        column = Self.tabWidth
    }

    private mutating func write(_ octets: some Collection<UInt8>) {
        bytes.append(contentsOf: octets)
        column += octets.count
    }
}

/// Reads a mailbox over IMAP: as much of the protocol as a test needs to see what arrived.
public final class IMAPClient {
    private let socket: LoopbackSocket
    private var reader: LineReader
    private var tag = 0

    /// Connects to `port` on 127.0.0.1 and logs in.
    public init(port: UInt16, user: String, password: String) throws {
        socket = try LoopbackSocket.connect(port: port)
        reader = LineReader(socket)
        _ = try reader.next()
        try command("LOGIN \"\(user)\" \"\(password)\"")
    }

    /// The messages of the inbox, in order, each with CRLF line ends.
    public func messages() throws -> [[UInt8]] {
        let selected = try command("SELECT INBOX")
        // RFC 3501, section 7.3.1: "* 3 EXISTS".
        let count = selected.lines.compactMap { line -> Int? in
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count == 3 && words[2] == "EXISTS" ? Int(words[1]) : nil
        }.last
        guard let count, count > 0 else { return [] }
        return try command("FETCH 1:\(count) BODY.PEEK[]").literals
    }

    /// Sends one command and returns the lines and literals of its answer, which must be OK.
    @discardableResult
    private func command(_ text: String) throws -> (lines: [String], literals: [[UInt8]]) {
        tag += 1
        try socket.write(Array("t\(tag) \(text)\r\n".utf8))
        var lines: [String] = []
        var literals: [[UInt8]] = []
        while let bytes = try reader.next() {
            let line = String(decoding: bytes, as: UTF8.self)
            if line.hasPrefix("t\(tag) ") {
                guard line.hasPrefix("t\(tag) OK") else {
                    throw TestKitError("\(text) was answered: \(line)")
                }
                return (lines, literals)
            }
            lines.append(line)
            if let length = Self.literalLength(line) {
                literals.append(try reader.next(count: length))
            }
        }
        throw TestKitError("the IMAP server closed the connection at \(text)")
    }

    /// The length that a line announces for what follows it: `… {123}`.
    private static func literalLength(_ line: String) -> Int? {
        guard let open = line.lastIndex(of: "{"), let close = line.lastIndex(of: "}"), open < close
        else { return nil }
        return Int(line[line.index(after: open)..<close])
    }
}

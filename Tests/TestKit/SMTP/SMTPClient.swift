/// An SMTP client that says exactly what it is told, for tests.
///
/// The named commands cover the ordinary session; ``command(_:)``, ``send(_:)`` and ``reply()``
/// allow any other, right or wrong.
public final class SMTPClient {
    private let socket: LoopbackSocket
    private var reader: LineReader

    /// What the server said first.
    public private(set) var greeting = SMTPReply(code: 0, lines: [])

    /// Connects to `port` on 127.0.0.1 and reads the greeting.
    public init(port: UInt16) throws {
        socket = try LoopbackSocket.connect(port: port, seconds: 60)
        reader = LineReader(socket)
        greeting = try reply()
    }

    /// Sends `bytes` as they are.
    public func send(_ bytes: [UInt8]) throws {
        try socket.write(bytes)
    }

    /// Reads one answer, which may have several lines.
    public func reply() throws -> SMTPReply {
        var lines: [String] = []
        while let line = try reader.next() {
            let text = String(decoding: line, as: UTF8.self)
                .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[0]
            guard text.count >= 3, let code = Int(text.prefix(3)) else {
                throw TestKitError("not an SMTP reply: \(text)")
            }
            lines.append(String(text.dropFirst(4)))
            if !text.dropFirst(3).hasPrefix("-") { return SMTPReply(code: code, lines: lines) }
        }
        throw TestKitError("the server closed the connection after \(lines)")
    }

    /// Sends one command line and reads the answer.
    @discardableResult
    public func command(_ line: String) throws -> SMTPReply {
        try send(Array("\(line)\r\n".utf8))
        return try reply()
    }

    /// Sends several commands in one packet and reads their answers (RFC 2920).
    public func pipeline(_ commands: [String]) throws -> [SMTPReply] {
        try send(Array(commands.map { "\($0)\r\n" }.joined().utf8))
        return try commands.map { _ in try reply() }
    }

    /// Sends one command line, which must be accepted.
    @discardableResult
    public func require(_ line: String) throws -> SMTPReply {
        let reply = try command(line)
        guard reply.isPositive else { throw TestKitError("\(line) was answered: \(reply)") }
        return reply
    }

    /// Says EHLO.
    @discardableResult
    public func ehlo(_ name: String = "client.example.net") throws -> SMTPReply {
        try require("EHLO \(name)")
    }

    /// Plays a client elsewhere, where the server allows it (Postfix's XCLIENT).
    ///
    /// The attributes are given as Postfix names them: `ADDR`, `NAME`, `HELO`, `LOGIN`, …
    public func xclient(_ attributes: KeyValuePairs<String, String>) throws {
        try require("XCLIENT " + attributes.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    }

    /// Plays out.example at an address, logged in or not, where the server allows it.
    public func xclient(_ address: String, login: String?) throws {
        if let login {
            try xclient(["ADDR": address, "NAME": "out.example", "LOGIN": login])
        } else {
            try xclient(["ADDR": address, "NAME": "out.example"])
        }
    }

    /// Logs in with AUTH PLAIN (RFC 4616).
    public func authenticate(_ user: String, password: String) throws {
        let response = Base64.encode(Array("\0\(user)\0\(password)".utf8))
        try require("AUTH PLAIN \(response)")
    }

    /// Sends one message and returns the answer to its end, or the first refusal.
    ///
    /// `parameters` follow the reverse-path in MAIL, such as `SMTPUTF8 BODY=8BITMIME`. `message` has
    /// CRLF line ends; its dots are stuffed here.
    @discardableResult
    public func deliver(
        from: String, to recipients: [String], parameters: String = "", _ message: [UInt8]
    ) throws -> SMTPReply {
        let mail = try command("MAIL FROM:<\(from)>\(parameters.isEmpty ? "" : " ")\(parameters)")
        guard mail.isPositive else { return mail }
        for recipient in recipients {
            let answer = try command("RCPT TO:<\(recipient)>")
            guard answer.isPositive else { return answer }
        }
        let data = try command("DATA")
        guard data.isPositive else { return data }
        try send(Self.stuffed(message))
        return try reply()
    }

    /// Says QUIT.
    public func quit() throws {
        try command("QUIT")
    }

    /// Closes the connection without a word.
    public func drop() {
        socket.shut()
    }

    /// `message` as it follows DATA: dots doubled at line starts, then the closing dot
    /// (RFC 5321, section 4.5.2).
    public static func stuffed(_ message: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(message.count + 64)
        var atLineStart = true
        for byte in message {
            if atLineStart && byte == UInt8(ascii: ".") { out.append(byte) }
            out.append(byte)
            atLineStart = byte == UInt8(ascii: "\n")
        }
        if !atLineStart { out += Array("\r\n".utf8) }
        return out + Array(".\r\n".utf8)
    }
}

import Glibc
import Synchronization

/// An SMTP server on loopback that keeps each message as it came, and accepts everything unless it
/// is told to answer otherwise.
///
/// It is what lies "outside" for a private Postfix: the end of the way, where a test looks at what
/// has left.
public final class SMTPSink: Sendable {
    /// A message that has arrived.
    public struct Message: Sendable {
        /// The argument of MAIL FROM without angle brackets.
        public let sender: String
        /// The arguments of RCPT TO without angle brackets.
        public let recipients: [String]
        /// Header and body with CRLF line ends, without dot stuffing and the closing dot.
        public let bytes: [UInt8]

        /// A message of which only the bytes are known, from a mailbox say.
        public init(sender: String = "", recipients: [String] = [], bytes: [UInt8]) {
            self.sender = sender
            self.recipients = recipients
            self.bytes = bytes
        }

        /// The message as text; bytes that are not UTF-8 are replaced.
        public var text: String { String(decoding: bytes, as: UTF8.self) }

        /// The header section's fields from top to bottom, each with its folds, without its line end.
        public var fields: [String] {
            var fields: [String] = []
            for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            {
                let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
                guard let first = line.first else { break }
                let text = String(decoding: line, as: UTF8.self)
                if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t"), !fields.isEmpty {
                    fields[fields.count - 1] += "\r\n" + text
                } else {
                    fields.append(text)
                }
            }
            return fields
        }

        /// What follows the empty line after the header section.
        public var body: ArraySlice<UInt8> {
            var start = bytes.startIndex
            while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let isEmpty = bytes[start...end].elementsEqual("\r\n".utf8)
                start = end + 1
                if isEmpty { break }
            }
            return bytes[start...]
        }

        /// The values of the fields `name`, from top to bottom, folds kept.
        public func values(of name: String) -> [String] {
            let start = name.lowercased() + ":"
            return fields.filter { $0.lowercased().hasPrefix(start) }
                .map { String($0.dropFirst(start.count)) }
        }
    }

    /// What it can be told to answer to.
    public enum Occasion: Sendable {
        /// RCPT with this address.
        case recipient(String)
        /// The end of this message.
        case end(Message)
    }

    /// Gives a reply, `450 4.2.1 busy` say; nil for the usual one.
    public typealias Answer = @Sendable (Occasion) -> String?

    /// The port that it listens on.
    public let port: UInt16

    private let listener: LoopbackSocket
    private let arrived = Mutex<[Message]>([])

    /// Starts to listen; `answer` has its say before each reply to a recipient or a message.
    public init(answer: @escaping Answer = { _ in nil }) throws {
        listener = try LoopbackSocket.listen()
        port = listener.localPort
        let listener = listener
        BackgroundThread.start { [weak self] in
            while let connection = listener.accept() {
                BackgroundThread.start { [weak self] in
                    // A broken connection only means that its message has not arrived.
                    try? Self.serve(connection, answer) { self?.keep($0) }
                }
            }
        }
    }

    deinit { listener.shut() }

    /// What has arrived so far, in order.
    public var messages: [Message] { arrived.withLock { $0 } }

    /// Forgets what has arrived.
    public func clear() { arrived.withLock { $0 = [] } }

    /// Waits until `count` messages have arrived, and returns all.
    public func waitForMessages(_ count: Int = 1, seconds: Double = 20) throws -> [Message] {
        try wait(
            for: "\(count) messages in the sink, which has \(messages.count)", seconds: seconds
        ) {
            let all = messages
            return all.count >= count ? all : nil
        }
    }

    /// Waits for the message whose text contains `text`.
    public func waitForMessage(containing text: String, seconds: Double = 20) throws -> Message {
        try wait(for: "a message with \"\(text)\" in the sink", seconds: seconds) {
            messages.first { $0.text.contains(text) }
        }
    }

    private func keep(_ message: Message) {
        arrived.withLock { $0.append(message) }
    }

    private static func serve(
        _ connection: LoopbackSocket, _ answer: Answer, keep: (Message) -> Void
    ) throws {
        var reader = LineReader(connection)
        var sender = ""
        var recipients: [String] = []
        func say(_ line: String) throws { try connection.write(Array("\(line)\r\n".utf8)) }
        try say("220 sink.example.net ESMTP")
        while let line = try reader.next() {
            let text = String(decoding: line, as: UTF8.self)
            switch text.prefix(4).uppercased() {
            case "EHLO":
                try say("250-sink.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")
            case "MAIL":
                sender = path(in: text)
                recipients = []
                try say("250 2.1.0 ok")
            case "RCPT":
                let recipient = path(in: text)
                let reply = answer(.recipient(recipient)) ?? "250 2.1.5 ok"
                if reply.hasPrefix("2") { recipients.append(recipient) }
                try say(reply)
            case "DATA":
                try say("354 go on")
                guard let bytes = try readData(&reader) else { return }
                let message = Message(sender: sender, recipients: recipients, bytes: bytes)
                let reply = answer(.end(message)) ?? "250 2.0.0 kept"
                if reply.hasPrefix("2") { keep(message) }
                try say(reply)
            case "QUIT":
                try say("221 2.0.0 bye")
                return
            default:
                try say("250 2.0.0 ok")
            }
        }
    }

    private static func readData(_ reader: inout LineReader) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while let line = try reader.next() {
            if line == Array(".\r\n".utf8) { return bytes }
            // RFC 5321, section 4.5.2: the first of the dots at a line's start is removed.
            bytes += line.first == UInt8(ascii: ".") ? line[1...] : line[...]
        }
        return nil
    }

    private static func path(in command: String) -> String {
        guard let open = command.firstIndex(of: "<"), let close = command.lastIndex(of: ">"),
            open < close
        else { return "" }
        return String(command[command.index(after: open)..<close])
    }
}

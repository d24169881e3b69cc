internal import TestKit

/// What Postfix writes to a filter, made once and sent many times.
///
/// A step ends where the MTA waits for a reply. A filter that has asked for no replies gets a whole
/// message in one step.
struct Transcript {
    /// One piece of the conversation, after which one reply is awaited.
    typealias Step = [UInt8]

    /// What Postfix writes at once when a client's SMTP commands come one by one.
    struct Piece {
        /// The octets.
        let octets: [UInt8]
        /// Whether the MTA then waits for a reply.
        let awaitsReply: Bool
    }

    /// Who sends, and what.
    struct Mail {
        var clientName = "client.example.net"
        var clientAddress = "192.0.2.1"
        var sender = "<ann@example.org>"
        var message: MailMessage
    }

    /// From the greeting to MAIL; the last piece waits for nothing.
    let greeting: [Step]
    /// A message from MAIL to end of message, whose last reply is the verdict.
    let message: [Step]
    /// The greeting and one message, cut where SMTP commands are.
    let pieces: [Piece]

    /// Writes down the conversation.
    ///
    /// - Parameters:
    ///   - mail: who sends, and what.
    ///   - options: the protocol bits (SMFIP) that were agreed.
    ///   - macroLists: the macros that the filter asked for, by stage (SMFIM).
    init(_ mail: Mail, options: UInt32, macroLists: [UInt32: String]) {
        var writer = Writer(options: options, macroLists: macroLists)
        writer.event(
            "C",
            MilterWire.strings([mail.clientName]) + Array("4".utf8) + [0x9c, 0x40]
                + MilterWire.strings([mail.clientAddress]),
            macros: [
                ("j", "mx.example.org"), ("{daemon_name}", "mx.example.org"),
                ("v", "Postfix 3.7.11"), ("_", "\(mail.clientName) [\(mail.clientAddress)]"),
            ])
        writer.event("H", MilterWire.strings(["client.example.net"]), macros: [])
        greeting = writer.steps + [writer.pending]
        let greetingPieces = writer.pieces
        writer = Writer(options: options, macroLists: macroLists)
        writer.event(
            "M", MilterWire.strings([mail.sender]),
            macros: [
                ("{mail_addr}", "ann@example.org"), ("{mail_host}", "mx.example.org"),
                ("{mail_mailer}", "smtp"),
            ])
        writer.event(
            "R", MilterWire.strings(["<bob@example.com>"]),
            macros: [
                ("{rcpt_addr}", "bob@example.com"), ("{rcpt_host}", "mx.example.com"),
                ("{rcpt_mailer}", "smtp"),
            ])
        let queueID = [("i", "4XyZ7k2Wbqz4wcr")]
        writer.event("T", [], macros: queueID)
        for field in mail.message.fields {
            writer.event("L", MilterWire.strings([field.name]) + field.value + [0], macros: queueID)
        }
        writer.event("N", [], macros: queueID)
        var rest = mail.message.body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(65_535)
            rest = rest.dropFirst(chunk.count)
            writer.event("B", Array(chunk), macros: queueID)
        }
        writer.event("E", [], macros: queueID)
        // The two aborts that follow in Postfix leave with the next message.
        message = writer.steps
        pieces = greetingPieces + writer.pieces
    }

    /// Writes down the conversation that follows a reply to the offer.
    ///
    /// - Parameters:
    ///   - mail: who sends, and what.
    ///   - reply: the frame with which the filter answered the offer.
    init(_ mail: Mail, reply: [UInt8]) {
        var macroLists: [UInt32: String] = [:]
        var offset = 17
        while offset + 4 < reply.count {
            let names = reply.dropFirst(offset + 4).prefix { $0 != 0 }
            macroLists[MilterWire.number(at: offset, of: reply)] =
                String(decoding: names, as: UTF8.self)
            offset += 4 + names.count + 1
        }
        self.init(
            mail, options: MilterWire.number(at: 13, of: reply), macroLists: macroLists)
    }

    private struct Writer {
        let options: UInt32
        let macroLists: [UInt32: String]
        var steps: [Step] = []
        var pending: Step = []
        var pieces: [Piece] = []
        private var piece: [UInt8] = []

        init(options: UInt32, macroLists: [UInt32: String]) {
            self.options = options
            self.macroLists = macroLists
        }

        /// Writes the macros of an event, and the event itself if the filter wants it.
        mutating func event(_ command: Character, _ data: [UInt8], macros: [(String, String)]) {
            let bits = Self.bits[command] ?? (0, 0)
            // Postfix sends the header's macros, which are those of its end, before each field.
            let list = Self.stages[command].flatMap { macroLists[$0] }?.split(separator: " ")
            let macros = macros.filter { macro in list?.contains { $0 == macro.0 } ?? true }
            let text = macros.flatMap { MilterWire.strings([$0.0, $0.1]) }
            var octets = MilterWire.frame("D", [command.asciiValue ?? 0] + text)
            let isSent = options & bits.unsent == 0
            if isSent { octets += MilterWire.frame(command, data) }
            let awaitsReply = isSent && options & bits.silent == 0
            pending += octets
            piece += octets
            if awaitsReply || !"LNB".contains(command) {
                pieces.append(Piece(octets: piece, awaitsReply: awaitsReply))
                piece = []
            }
            guard awaitsReply else { return }
            steps.append(pending)
            pending = []
        }

        /// The stage (SMFIM) whose macros go with an event.
        private static let stages: [Character: UInt32] = [
            "C": 0, "H": 1, "M": 2, "R": 3, "T": 4, "E": 5, "N": 6, "L": 6, "B": 6,
        ]

        /// The protocol bits (SMFIP) of an event: do not send it, it gets no reply.
        private static let bits: [Character: (unsent: UInt32, silent: UInt32)] = [
            "C": (0x01, 0x1000), "H": (0x02, 0x2000), "M": (0x04, 0x4000), "R": (0x08, 0x8000),
            "B": (0x10, 0x8_0000), "L": (0x20, 0x80), "N": (0x40, 0x4_0000), "T": (0x200, 0x1_0000),
        ]
    }

    /// What follows a message: Postfix ends it twice.
    static let aborts = MilterWire.frame("A") + MilterWire.frame("A")
}

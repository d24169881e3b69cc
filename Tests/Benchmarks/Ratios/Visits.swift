internal import Glibc
internal import TestKit

/// Messages that each come on a connection of their own, as from SMTP clients with one message.
struct Visits {
    /// How many messages.
    let count: Int
    /// How many clients at a time.
    let clients: Int
    /// Microseconds that a client lets pass between two SMTP commands; nil where all commands are
    /// there at once.
    var pause: Double?

    /// Delivers them.
    ///
    /// - Throws: where the filter refuses one, or the first answer does not show its work.
    func run(_ subject: Subject) throws {
        let transcripts = TranscriptBook(subject.mail)
        var visits: [Visit] = []
        var begun = 0
        var ended = 0
        while ended < count {
            while begun < count, visits.count < clients {
                // Clients do not come all at once.
                let delay = begun < clients ? (pause ?? 0) * 8 * Double(begun) / Double(clients) : 0
                visits.append(
                    Visit(subject.socket, transcripts, pause, startsAt: wallMicroseconds() + delay))
                begun += 1
            }
            try wait(for: visits)
            let now = wallMicroseconds()
            for visit in visits { try visit.proceed(now) }
            visits.removeAll { visit in
                if visit.isOver { ended += 1 }
                return visit.isOver
            }
        }
        try subject.check(transcripts.lastAnswer)
    }

    /// Waits until one of them has something to read or its pause is over.
    private func wait(for visits: [Visit]) throws {
        let due = visits.compactMap(\.dueAt).min()
        let left = due.map { max(0, ($0 - wallMicroseconds()) / 1_000) } ?? 60_000
        var polled = visits.map {
            pollfd(
                fd: $0.dueAt == nil ? $0.descriptor : -1, events: Int16(POLLIN), revents: 0)
        }
        let ready = unsafe poll(&polled, nfds_t(polled.count), Int32(left.rounded(.up)))
        guard ready >= 0 || errno == EINTR else { throw TestKitError("poll: errno \(errno)") }
        guard ready > 0 || due != nil else { throw TestKitError("no reply in a minute") }
        for (visit, entry) in zip(visits, polled) { visit.isReadable = entry.revents != 0 }
    }
}

/// What has been agreed is the same each time, so the transcript is written once.
final class TranscriptBook {
    private let mail: Transcript.Mail
    private var reply: [UInt8] = []
    private var transcript: Transcript?
    /// The answer to the message that ended last.
    var lastAnswer: [UInt8] = []

    init(_ mail: Transcript.Mail) {
        self.mail = mail
    }

    /// The transcript after this reply to the offer.
    func transcript(after reply: [UInt8]) -> Transcript {
        if let transcript, reply == self.reply { return transcript }
        let fresh = Transcript(mail, reply: reply)
        self.reply = reply
        transcript = fresh
        return fresh
    }
}

/// One connection with one message.
final class Visit {
    /// When the next piece is to be written; nil while a reply is awaited.
    private(set) var dueAt: Double?
    /// Whether there is something to read.
    var isReadable = false
    /// Whether the message has ended.
    private(set) var isOver = false
    /// The socket; -1 before the connection is made.
    var descriptor: Int32 { socket?.descriptor ?? -1 }

    private let path: String
    private let transcripts: TranscriptBook
    private let pause: Double?
    private var socket: LoopbackSocket?
    private var pieces: ArraySlice<Transcript.Piece> = []
    private var hasNegotiated = false
    private var input: [UInt8] = []

    init(_ path: String, _ transcripts: TranscriptBook, _ pause: Double?, startsAt: Double) {
        self.path = path
        self.transcripts = transcripts
        self.pause = pause
        dueAt = startsAt
    }

    /// Reads and writes what the time has come for.
    func proceed(_ now: Double) throws {
        if isReadable, let socket {
            isReadable = false
            let octets = try socket.read()
            guard !octets.isEmpty else { throw TestKitError("the filter closed the connection") }
            input += octets
            try takeReplies(now)
        }
        while let due = dueAt, due <= now, !isOver { try write(now) }
    }

    private func takeReplies(_ now: Double) throws {
        if !hasNegotiated {
            guard let end = MilterLine.frame(input) else { return }
            pieces = transcripts.transcript(after: Array(input[..<end])).pieces[...]
            hasNegotiated = true
            input = []
            dueAt = now + (pause ?? 0)
            return
        }
        // A verdict is the last frame of the answer, and a frame without data.
        guard input.suffix(5).starts(with: [0, 0, 0, 1]), let verdict = input.last else { return }
        guard [UInt8(ascii: "c"), UInt8(ascii: "a")].contains(verdict) else {
            throw TestKitError("the filter answered \(verdict)")
        }
        if !pieces.isEmpty {
            input = []
            dueAt = now + (pause ?? 0)
            return
        }
        transcripts.lastAnswer = input
        try socket?.write(Transcript.aborts + MilterWire.frame("Q"))
        socket = nil
        isOver = true
    }

    private func write(_ now: Double) throws {
        dueAt = nil
        guard let socket else {
            let socket = try LoopbackSocket.connect(path: path)
            try socket.write(MilterLine.offer)
            self.socket = socket
            return
        }
        var octets: [UInt8] = []
        while let piece = pieces.popFirst() {
            octets += piece.octets
            if piece.awaitsReply { break }
            if let pause {
                dueAt = now + pause
                break
            }
        }
        try socket.write(octets)
    }
}

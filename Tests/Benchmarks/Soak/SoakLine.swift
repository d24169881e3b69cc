internal import Glibc
internal import TestKit

/// One connection of a soak, from connect to its end.
///
/// It writes in pieces of random lengths, and never more than the socket takes, so that hundreds of
/// them make progress side by side.
final class SoakLine {
    /// What came of a turn.
    enum Turn {
        /// Nothing has ended.
        case goesOn
        /// The message has its verdict, and these are its edits; nil where a frame is not understood.
        case answered([SoakEdit]?)
        /// The connection ended before the verdict; the message is to be sent again.
        case interrupted(edits: Int)
    }

    /// The message's number.
    let number: Int
    /// The message.
    let message: MailMessage
    /// The socket.
    var descriptor: Int32 { socket.descriptor }
    /// Whether there is something to write.
    var isWriting: Bool { sent < outgoing.count }
    /// Whether this side has cut the connection.
    var isCut: Bool { cut.map { written >= $0 } ?? false }
    /// When something last happened, in microseconds.
    private(set) var lastProgress = wallMicroseconds()

    private let socket: LoopbackSocket
    private var outgoing: [UInt8]
    private var sent = 0
    private var input: [UInt8] = []
    private var edits: [SoakEdit] = []
    private var isUnderstood = true
    private var reply: [UInt8]
    private var steps: ArraySlice<Transcript.Step> = []
    /// After how many octets this side closes the connection; nil where it does not.
    private let cut: Int?
    private var written = 0

    /// Connects, and offers.
    init(_ path: String, _ number: Int, _ message: MailMessage, cut: Int?) throws {
        socket = try LoopbackSocket.connect(path: path)
        let flags = fcntl(socket.descriptor, F_GETFL)
        _ = fcntl(socket.descriptor, F_SETFL, flags | O_NONBLOCK)
        self.number = number
        self.message = message
        self.cut = cut
        outgoing = MilterLine.offer
        reply = []
    }

    /// The next message on the connection of one that has been answered.
    init(after line: SoakLine, _ number: Int, _ message: MailMessage, cut: Int?) {
        socket = line.socket
        self.number = number
        self.message = message
        self.cut = cut
        reply = line.reply
        outgoing = Transcript.aborts
        begin(hasGreeted: true)
    }

    private func begin(hasGreeted: Bool) {
        let mail = Transcript.Mail(
            clientName: "localhost", clientAddress: "127.0.0.1", message: message)
        let transcript = Transcript(mail, reply: reply)
        let greeting = hasGreeted ? [] : transcript.greeting
        steps = (greeting.dropLast() + [(greeting.last ?? []) + transcript.message[0]])[...]
        steps += transcript.message.dropFirst()
        outgoing += steps.removeFirst()
    }

    /// Says goodbye; the connection ends with this object.
    func quit() {
        _ = write(Transcript.aborts + MilterWire.frame("Q"))
    }

    /// Writes and reads what goes.
    func proceed(_ generator: inout some RandomNumberGenerator) -> Turn {
        if isWriting {
            let left = outgoing.count - sent
            var count = left
            if Bool.random(using: &generator) { count = .random(in: 1...left, using: &generator) }
            if let cut { count = min(count, max(0, cut - written)) }
            let result = write(Array(outgoing[sent..<sent + count]))
            if result < 0, errno != EAGAIN { return .interrupted(edits: edits.count) }
            sent += max(0, result)
            written += max(0, result)
            if let cut, written >= cut { return .interrupted(edits: 0) }
        }
        return read()
    }

    private func write(_ octets: [UInt8]) -> Int {
        let count = unsafe octets.withUnsafeBytes {
            unsafe send(socket.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count > 0 { lastProgress = wallMicroseconds() }
        return count
    }

    private func read() -> Turn {
        var buffer = [UInt8](repeating: 0, count: 8_192)
        let count = unsafe recv(socket.descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN { return .goesOn }
        guard count > 0 else { return .interrupted(edits: edits.count) }
        lastProgress = wallMicroseconds()
        input += buffer[..<count]
        while let end = MilterLine.frame(input) {
            let frame = Array(input[..<end])
            input.removeFirst(end)
            if let turn = take(frame) { return turn }
        }
        return .goesOn
    }

    private func take(_ frame: [UInt8]) -> Turn? {
        let command = Character(UnicodeScalar(frame[4]))
        switch command {
        case "O":
            guard reply.isEmpty else {
                isUnderstood = false
                return nil
            }
            reply = frame
            begin(hasGreeted: false)
        case "c", "a":
            if !isWriting, steps.isEmpty {
                return .answered(isUnderstood && input.isEmpty ? edits : nil)
            }
            // An answer to what has not been sent yet is as bad as none.
            if isWriting || steps.isEmpty { isUnderstood = false }
            if let step = steps.popFirst() { outgoing += step }
        case "p":
            break
        default:
            if let edit = SoakEdit(command, Array(frame[5...])) {
                edits.append(edit)
            } else {
                isUnderstood = false
            }
        }
        return nil
    }
}

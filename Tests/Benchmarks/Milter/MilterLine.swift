internal import Glibc
internal import TestKit

/// One connection to a filter, driven by whoever polls it.
///
/// Lean on purpose: on a small machine the client's work would disturb what is measured.
final class MilterLine {
    /// The socket, for poll(2).
    let descriptor: Int32
    private let socket: LoopbackSocket
    private let transcript: Transcript
    private var input: [UInt8] = []
    private var step = 0
    /// Everything that the filter said about the last message.
    private(set) var answer: [UInt8] = []

    /// Connects, negotiates and greets.
    init(_ path: String, _ mail: Transcript.Mail) throws {
        socket = try LoopbackSocket.connect(path: path)
        descriptor = socket.descriptor
        try socket.write(Self.offer)
        while Self.frame(input) == nil { input += try socket.read() }
        transcript = Transcript(mail, reply: input)
        input = []
        for (index, piece) in transcript.greeting.enumerated() {
            try socket.write(piece)
            guard index < transcript.greeting.count - 1 else { break }
            while Self.frame(input) == nil { input += try socket.read() }
            input = []
        }
    }

    /// Begins a message.
    func begin() throws {
        step = 0
        answer = []
        try socket.write(transcript.message[0])
    }

    /// Reads what is there, and goes on as the replies allow.
    ///
    /// - Returns: true when the message has ended.
    func advance() throws -> Bool {
        let bytes = try socket.read()
        guard !bytes.isEmpty else { throw TestKitError("the filter closed the connection") }
        input += bytes
        while let end = Self.frame(input) {
            let command = Character(UnicodeScalar(input[4]))
            answer += input[..<end]
            input.removeFirst(end)
            switch command {
            case "c", "a", "s":
                step += 1
                if step == transcript.message.count {
                    try socket.write(Transcript.aborts)
                    return true
                }
                try socket.write(transcript.message[step])
            case "d", "r", "t", "y":
                throw TestKitError("the filter answered \(command) at step \(step)")
            default:
                continue
            }
        }
        return false
    }

    /// Delivers one message and waits for its end.
    func deliver() throws {
        try begin()
        while try !advance() {}
    }

    /// Closes the connection.
    func quit() {
        try? socket.write(MilterWire.frame("Q"))
        socket.shut()
    }

    /// What Postfix offers.
    static let offer: [UInt8] = {
        let words: [UInt32] = [6, 0x1ff, 0x1f_ffff]
        return MilterWire.frame("O", words.flatMap(MilterWire.number))
    }()

    /// Where the first frame ends, if it is whole.
    static func frame(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let end = 4 + Int(MilterWire.number(at: 0, of: bytes))
        return bytes.count >= end ? end : nil
    }
}

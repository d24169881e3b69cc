import TestKit

/// A milter and a policy service that are none of ours, which refuse mail to some recipients.
final class OtherFilters: Sendable {
    private let milterSocket: LoopbackSocket
    private let policySocket: LoopbackSocket

    /// The milter, as main.cf names it.
    var milter: String { "inet:127.0.0.1:\(milterSocket.localPort)" }
    /// The policy service, as main.cf names it.
    var policy: String { "inet:127.0.0.1:\(policySocket.localPort)" }

    init() throws {
        milterSocket = try LoopbackSocket.listen()
        policySocket = try LoopbackSocket.listen()
        Self.serve(milterSocket, Self.filter)
        Self.serve(policySocket, Self.advise)
    }

    deinit {
        milterSocket.shut()
        policySocket.shut()
    }

    private static func serve(
        _ listener: LoopbackSocket,
        _ session: @escaping @Sendable (LoopbackSocket) throws -> Void
    ) {
        BackgroundThread.start {
            while let connection = listener.accept() {
                // Postfix that goes away ends a session.
                BackgroundThread.start { try? session(connection) }
            }
        }
    }

    /// The milter's answer at the end of a message.
    private static func reply(to recipient: String) -> String? {
        if recipient.contains("virus") { return "550 5.7.1 Virus found" }
        return recipient.contains("overloaded") ? "451 4.7.1 Too much to do" : nil
    }

    private static func filter(_ connection: LoopbackSocket) throws {
        var input: [UInt8] = []
        var reply: String?
        while true {
            let more = try connection.read()
            guard !more.isEmpty else { return }
            input += more
            while input.count >= 5 {
                let length = Int(MilterWire.number(at: 0, of: input))
                guard input.count >= 4 + length else { break }
                let data = Array(input[5..<4 + length])
                let command = Character(Unicode.Scalar(input[4]))
                input.removeFirst(4 + length)
                switch command {
                case "O":
                    // Version 6, no actions, every step.
                    let numbers: [UInt32] = [6, 0, 0]
                    try connection.write(
                        MilterWire.frame("O", numbers.flatMap { MilterWire.number($0) }))
                case "D", "K": break
                case "A": reply = nil
                case "Q": return
                case "R":
                    let recipient = MilterWire.strings(from: 0, of: data).first ?? []
                    reply = Self.reply(to: String(decoding: recipient, as: UTF8.self))
                    try connection.write(MilterWire.frame("c"))
                case "E":
                    let answer = reply.map { MilterWire.frame("y", MilterWire.strings([$0])) }
                    reply = nil
                    try connection.write(answer ?? MilterWire.frame("c"))
                default: try connection.write(MilterWire.frame("c"))
                }
            }
        }
    }

    private static func advise(_ connection: LoopbackSocket) throws {
        var request = ""
        while true {
            let more = try connection.read()
            guard !more.isEmpty else { return }
            request += String(decoding: more, as: UTF8.self)
            guard request.hasSuffix("\n\n") else { continue }
            let isRefused = request.contains("recipient=greylisted@")
            request = ""
            let action = isRefused ? "450 4.2.0 come again later" : "DUNNO"
            try connection.write(Array("action=\(action)\n\n".utf8))
        }
    }
}

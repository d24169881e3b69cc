import MailSyntax
import Milter

/// An octet that says where to cut, an octet that says what the filter wants, and what an MTA sends.
func checkMilter(_ input: [UInt8]) throws(BrokenPromise) {
    guard input.count > 2 else { return }
    let octets = Array(input.dropFirst(2))
    let whole = MilterRecord(octets, cut: octets.count, wants: input[1])
    let pieces = MilterRecord(octets, cut: Int(input[0]) % octets.count, wants: input[1])
    try promise("every cut means the same", whole == pieces)
    try promise(
        "a session is closed as often as it is made",
        whole.events.count { $0 == "close" } == whole.sessions)
    try promise("lines are few", whole.problems.count <= whole.events.count + 1)
    let (passed, faults) = passage(of: octets)
    try promise("what passed the guard passes it again", passage(of: passed) == (passed, []))
    try promise("the guard ends a connection once", faults.count <= 1)
    // Where a request of the policy protocol comes first, the answer is one of that protocol.
    if octets.starts(with: "requ".utf8) {
        return try promise(
            "a policy request is answered", whole.output.starts(with: "action=451 ".utf8))
    }
    var rest = whole.output[...]
    while !rest.isEmpty {
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        try promise("the answers are frames", rest.count >= 4 + length && length > 0)
        rest = rest.dropFirst(4 + length)
    }
}

/// The frames that a guard lets through, and the faults that it reports.
private func passage(of octets: [UInt8]) -> ([UInt8], [String]) {
    let record = MilterRecord.Record()
    let filter = MilterRecord.Filter(wants: 0, record: record)
    var frames = FrameGuard(
        MilterService(filter: { filter }, isOverTCP: false) { record.value.problems.append($0) })
    var passed: [UInt8] = []
    _ = frames.receive(octets.span, frames: &passed)
    return (passed, record.value.problems)
}

/// What comes of a connection's octets.
private struct MilterRecord: Equatable {
    var sessions = 0
    var events: [String] = []
    var problems: [String] = []
    var output: [UInt8] = []

    /// Feeds the octets in two pieces and ends the connection.
    init(_ octets: [UInt8], cut: Int, wants: UInt8) {
        let record = Record()
        let filter = Filter(wants: wants, record: record)
        let connection = MilterConnection(
            MilterService(filter: { filter }, isOverTCP: wants & 1 != 0) {
                record.value.problems.append($0)
            })
        var output: [UInt8] = []
        if connection.receive(octets.span.extracting(..<cut), output: &output) == .goOn {
            _ = connection.receive(octets.span.extracting(cut...), output: &output)
        }
        connection.end()
        self = record.value
        self.output = output
    }

    private init() {}

    /// Filled by one thread.
    final class Record: @unchecked Sendable {
        var value = MilterRecord()
    }

    struct Filter: MilterFilter {
        let wants: UInt8
        let record: Record

        var needs: MilterNeeds {
            MilterNeeds(
                events: MilterEvents(rawValue: wants & 2 == 0 ? 0xff : UInt16(wants)),
                repliesTo: wants & 4 == 0 ? .all : [], optionalEdits: [.addHeaders],
                macros: [.mail: ["i"]])
        }

        func makeSession(protocol negotiated: NegotiatedProtocol) -> Session {
            record.value.sessions += 1
            return Session(self)
        }
    }

    final class Session: MilterSession {
        private let filter: Filter

        init(_ filter: Filter) { self.filter = filter }

        private func note(_ text: String, _ answers: Bool = true) -> MilterReply {
            filter.record.value.events.append(text)
            // The octets decide, too.
            switch text.utf8.count % 16 {
            case 13 where answers: return .reject
            case 14 where answers: return .skip
            case 15 where answers: return .accept
            default: return .continue
            }
        }

        private func text(_ octets: Span<UInt8>) -> String { "\(octets.copied())" }

        func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
            note("connect \(client) \(macros["j"] ?? "-")")
        }
        func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply {
            note("helo \(text(name))")
        }
        func mail(
            _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
        ) -> MilterReply {
            note("mail \(text(reversePath)) \(parameters) \(macros["i"] ?? "-")")
        }
        func recipient(
            _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
        ) -> MilterReply {
            note("recipient \(text(forwardPath)) \(parameters) \(macros["i"] ?? "-")")
        }
        func data(_ macros: borrowing MilterMacros) -> MilterReply { note("data") }
        func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
            note("header \(text(name)) \(text(value))")
        }
        func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply { note("eoh") }
        func body(_ chunk: Span<UInt8>) -> MilterReply { note("body \(text(chunk))") }
        func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
            let reply = note("eom \(macros["i"] ?? "-")")
            return MilterVerdict(edits: [.addHeader(name: "X", value: [32, 49])], reply: reply)
        }
        func abort(_ macros: borrowing MilterMacros) { _ = note("abort", false) }
        func close() { _ = note("close", false) }
    }
}

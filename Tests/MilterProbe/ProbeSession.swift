import Glibc
import Milter
import Synchronization

/// The sessions made so far, for their numbers.
private let made = Atomic<Int>(0)

struct ProbeFilter: MilterFilter {
    let script: Script
    var needs: MilterNeeds { script.needs }

    func makeSession(protocol negotiated: NegotiatedProtocol) -> ProbeSession {
        ProbeSession(script: script, negotiated: negotiated)
    }
}

/// A session that tells on standard output what it sees, and answers as its script says.
///
/// A line is the session's number, the event, and its arguments with LF shown as "|"; of a very
/// long header value only the length.
final class ProbeSession: MilterSession {
    private let script: Script
    private let number: Int
    private var blocks = false

    init(script: Script, negotiated: NegotiatedProtocol) {
        self.script = script
        number = made.add(1, ordering: .relaxed).newValue
        report(
            "negotiate", "leadingSpace=\(negotiated.hasLeadingSpace)",
            "edits=" + String(negotiated.edits.rawValue, radix: 16))
    }

    deinit {
        report("deinit")
    }

    func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
        report(
            "connect", client.hostName, "\(client.family)",
            client.address.map { "\($0)" } ?? "-", "\(client.port)", macros["j"] ?? "-",
            macros["daemon_name"] ?? "-")
        return answer("connect")
    }

    func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply {
        report("helo", text(name))
        return answer("helo")
    }

    func mail(
        _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        report(
            "mail", text(reversePath),
            parameters.map { String(decoding: $0, as: UTF8.self) }
                .joined(separator: ","), macros["auth_authen"] ?? "-", macros["{i}"] ?? "-")
        return answer("mail")
    }

    func recipient(
        _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
    ) -> MilterReply {
        report("recipient", text(forwardPath), macros["i"] ?? "-")
        return answer("recipient")
    }

    func data(_ macros: borrowing MilterMacros) -> MilterReply {
        report("data", macros["i"] ?? "-")
        return answer("data")
    }

    func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
        let name = text(name)
        report("header", name + ":" + (value.count > 10_000 ? " \(value.count)" : text(value)))
        if name == "X-Block" { blocks = true }
        return answer("header")
    }

    func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply {
        report("endOfHeader")
        if blocks { usleep(UInt32(script.block * 1_000_000)) }
        return answer("endOfHeader")
    }

    func body(_ chunk: Span<UInt8>) -> MilterReply {
        report("body", "\(chunk.count)")
        return answer("body")
    }

    func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
        report("endOfMessage", macros["i"] ?? "-")
        blocks = false
        return MilterVerdict(edits: script.edits, reply: answer("endOfMessage"))
    }

    func abort(_ macros: borrowing MilterMacros) {
        report("abort")
        blocks = false
    }

    func close() {
        report("close")
    }

    private func answer(_ event: String) -> MilterReply {
        script.answers[event] ?? .continue
    }

    private func text(_ bytes: Span<UInt8>) -> String {
        var copy: [UInt8] = []
        for index in bytes.indices {
            copy.append(bytes[index] == 10 ? UInt8(ascii: "|") : bytes[index])
        }
        return String(decoding: copy, as: UTF8.self)
    }

    private func report(_ event: String, _ arguments: String...) {
        log((["\(number)", event] + arguments).joined(separator: " "))
    }
}

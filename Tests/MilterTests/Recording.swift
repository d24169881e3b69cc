import MailSyntax
import TestKit

@testable import Milter

/// All that comes of octets which are fed to the protocol: what the session saw, and what was sent.
struct Recording: Equatable {
    var events: [String] = []
    /// At each event with macros: its name, {i}, {x} and {auth_type}.
    var macros: [String] = []
    var output: [UInt8] = []
    var problems: [String] = []
    /// Clients that spoke the policy protocol.
    var policyClients = 0
    var step = MilterConnection.Step.goOn

    /// The letters of the frames that were sent.
    var replies: [Character] {
        var letters: [Character] = []
        var rest = output[...]
        while rest.count > 4 {
            letters.append(Character(UnicodeScalar(rest[rest.startIndex + 4])))
            rest = rest.dropFirst(4 + Int(MilterWire.number(at: 0, of: Array(rest.prefix(4)))))
        }
        return letters
    }

    /// Feeds pieces one after another, and ends the connection.
    static func play(
        _ pieces: [[UInt8]], needs: MilterNeeds = MilterNeeds(events: .all, repliesTo: .all),
        answer: @escaping @Sendable (MilterEvents) -> MilterReply = { _ in .continue },
        verdict: MilterVerdict = .continue
    ) -> Recording {
        let record = Record()
        let filter = Filter(needs: needs, answer: answer, verdict: verdict, record: record)
        let connection = MilterConnection(
            MilterService(
                filter: { filter }, isOverTCP: false,
                onProblem: { record.value.problems.append($0) },
                onPolicyClient: { record.value.policyClients += 1 }))
        var output: [UInt8] = []
        for piece in pieces where record.value.step == .goOn {
            record.value.step = connection.receive(piece.span, output: &output)
        }
        connection.end()
        record.value.output = output
        return record.value
    }

    /// Filled by one thread, the test's.
    final class Record: @unchecked Sendable {
        var value = Recording()
    }

    struct Filter: MilterFilter {
        let needs: MilterNeeds
        let answer: @Sendable (MilterEvents) -> MilterReply
        let verdict: MilterVerdict
        let record: Record

        func makeSession(protocol negotiated: NegotiatedProtocol) -> Session {
            Session(filter: self)
        }
    }

    final class Session: MilterSession {
        private let filter: Filter

        init(filter: Filter) { self.filter = filter }

        private func note(_ event: MilterEvents, _ text: String) -> MilterReply {
            filter.record.value.events.append(text)
            return filter.answer(event)
        }

        private func note(_ name: String, _ macros: borrowing MilterMacros) {
            let values = ["i", "x", "auth_type"].map { macros[$0] ?? "-" }
            filter.record.value.macros.append(([name] + values).joined(separator: " "))
        }

        private func text(_ octets: Span<UInt8>) -> String {
            String(decoding: octets.copied(), as: UTF8.self)
        }

        func connect(_ client: MilterClient, _ macros: borrowing MilterMacros) -> MilterReply {
            note("connect", macros)
            return note(.connect, "connect")
        }
        func helo(_ name: Span<UInt8>, _ macros: borrowing MilterMacros) -> MilterReply {
            note("helo", macros)
            return note(.helo, "helo \(text(name))")
        }
        func mail(
            _ reversePath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
        ) -> MilterReply {
            note("mail", macros)
            return note(.mail, "mail")
        }
        func recipient(
            _ forwardPath: Span<UInt8>, parameters: [[UInt8]], _ macros: borrowing MilterMacros
        ) -> MilterReply {
            note("rcpt", macros)
            return note(.recipient, "rcpt \(text(forwardPath)) \(parameters.count)")
        }
        func data(_ macros: borrowing MilterMacros) -> MilterReply { note(.data, "data") }
        func header(name: Span<UInt8>, value: Span<UInt8>) -> MilterReply {
            note(.header, "header \(text(name)):\(text(value))")
        }
        func endOfHeader(_ macros: borrowing MilterMacros) -> MilterReply {
            note(.endOfHeader, "eoh")
        }
        func body(_ chunk: Span<UInt8>) -> MilterReply { note(.body, "body \(text(chunk))") }
        func endOfMessage(_ macros: borrowing MilterMacros) -> MilterVerdict {
            note("eom", macros)
            filter.record.value.events.append("eom")
            return filter.verdict
        }
        func abort(_ macros: borrowing MilterMacros) { filter.record.value.events.append("abort") }
        func close() { filter.record.value.events.append("close") }
    }
}

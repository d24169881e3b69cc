import Configuration
import Glibc
import Milter

/// What the probe is told on its command line.
struct Script: Sendable {
    var socketPath: String?
    /// Without a path: whether to listen on [::] rather than 127.0.0.1.
    var usesIPv6 = false
    var needs = MilterNeeds(events: .all)
    /// The answers by event.
    var answers: [String: MilterReply] = [:]
    var edits: [MessageEdit] = []
    /// Seconds to block in, at end of headers, for messages with a field X-Block.
    var block = 0.0
    var drainLimit = 5
    /// How many descriptors the process may have; the system's limit without it.
    var descriptors: UInt?
    var transport = MilterTransport.native

    static let events: [String: MilterEvents] = [
        "connect": .connect, "helo": .helo, "mail": .mail, "recipient": .recipient,
        "data": .data, "header": .header, "endOfHeader": .endOfHeader, "body": .body, "all": .all,
    ]

    /// Reads `name=value` arguments; an unknown one ends the probe.
    init(arguments: [String]) {
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, read(parts[0], parts[1]) else {
                log("bad argument: \(argument)")
                exit(64)
            }
        }
    }

    private mutating func read(_ name: String, _ value: String) -> Bool {
        switch name {
        case "socket": socketPath = value
        case "inet6": usesIPv6 = value == "yes"
        case "events": needs.events = Self.eventSet(value)
        case "replies": needs.repliesTo = Self.eventSet(value)
        case "edits": needs.edits = MilterEdits(rawValue: UInt32(value, radix: 16) ?? 0)
        case "optional": needs.optionalEdits = MilterEdits(rawValue: UInt32(value, radix: 16) ?? 0)
        case "macros": needs.macros[.mail] = value.split(separator: ",").map(String.init)
        case "block": block = Double(value) ?? 0
        case "transport": transport = MilterTransport(rawValue: value) ?? .native
        case "drain": drainLimit = Int(value) ?? 0
        case "descriptors": descriptors = UInt(value)
        case "answer": return readAnswer(value)
        case "edit": return readEdit(value)
        default: return false
        }
        return true
    }

    private static func eventSet(_ names: String) -> MilterEvents {
        names.split(separator: ",").reduce(into: []) { $0.formUnion(events[String($1)] ?? []) }
    }

    /// `EVENT:tempfail` or `EVENT:CODE:ENHANCED:TEXT`.
    private mutating func readAnswer(_ value: String) -> Bool {
        let parts = value.split(
            separator: ":", maxSplits: 3, omittingEmptySubsequences: false
        ).map(String.init)
        guard parts.count > 1 else { return false }
        switch parts[1] {
        case "accept": answers[parts[0]] = .accept
        case "discard": answers[parts[0]] = .discard
        case "tempfail": answers[parts[0]] = .tempfail
        case "reject": answers[parts[0]] = .reject
        case "skip": answers[parts[0]] = .skip
        default:
            guard parts.count == 4, let code = Int(parts[1]) else { return false }
            answers[parts[0]] = .reply(
                SMTPReply(
                    code: code, enhancedCode: parts[2].isEmpty ? nil : parts[2], text: parts[3]))
        }
        return true
    }

    /// `insert:INDEX:NAME:VALUE`, `add:0:NAME:VALUE`, `change:N:NAME:VALUE`, `delete:N:NAME:`,
    /// `quarantine:0::REASON`, `addRecipient:0::ADDRESS` and so on.
    private mutating func readEdit(_ value: String) -> Bool {
        let parts = value.split(
            separator: ":", maxSplits: 3, omittingEmptySubsequences: false
        ).map(String.init)
        guard parts.count == 4, let index = Int(parts[1]) else { return false }
        let (name, text) = (parts[2], parts[3])
        switch parts[0] {
        case "insert":
            edits.append(.insertHeader(index: index, name: name, value: Array(text.utf8)))
        case "add": edits.append(.addHeader(name: name, value: Array(text.utf8)))
        case "change":
            edits.append(.changeHeader(name: name, occurrence: index, value: Array(text.utf8)))
        case "delete": edits.append(.deleteHeader(name: name, occurrence: index))
        case "quarantine": edits.append(.quarantine(reason: text))
        case "addRecipient": edits.append(.addRecipient(text))
        case "deleteRecipient": edits.append(.deleteRecipient(text))
        case "changeSender": edits.append(.changeSender(text))
        default: return false
        }
        return true
    }
}

/// Writes one line to standard output.
func log(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe write(1, bytes, bytes.count)
}

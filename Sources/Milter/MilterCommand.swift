internal import MailSyntax

/// A command of the MTA, by its letter on the wire (`SMFIC_*`).
enum MilterCommand: UInt8 {
    case abort = 0x41  // A
    case body = 0x42  // B
    case connect = 0x43  // C
    case macros = 0x44  // D
    case endOfMessage = 0x45  // E
    case helo = 0x48  // H
    case quitForNewConnection = 0x4B  // K
    case header = 0x4C  // L
    case mail = 0x4D  // M
    case endOfHeader = 0x4E  // N
    case negotiate = 0x4F  // O
    case quit = 0x51  // Q
    case recipient = 0x52  // R
    case data = 0x54  // T
    case unknown = 0x55  // U

    /// The command of a letter; an unknown one is a fault.
    init(letter: UInt8) throws(MilterFault) {
        guard let command = MilterCommand(rawValue: letter) else {
            throw MilterFault("an unknown command, 0x\(String(letter, radix: 16))")
        }
        self = command
    }

    /// The event that a filter can ask for; nil for commands that are not asked for.
    var event: MilterEvents? {
        switch self {
        case .connect: .connect
        case .helo: .helo
        case .mail: .mail
        case .recipient: .recipient
        case .data: .data
        case .header: .header
        case .endOfHeader: .endOfHeader
        case .body: .body
        default: nil
        }
    }

    /// The stage whose macros come before the command; nil where they belong to no stage.
    ///
    /// Before header fields and pieces of the body Postfix repeats those of the end of the header
    /// section and of the message, which come in their own place too.
    var stage: MilterStage? {
        switch self {
        case .connect: .connect
        case .helo: .helo
        case .mail: .mail
        case .recipient: .recipient
        case .data: .data
        case .endOfHeader: .endOfHeader
        case .endOfMessage: .endOfMessage
        default: nil
        }
    }
}

/// The data of commands, read from the wire.
///
/// Trust: any octets; what is not well formed is a fault, which ends the connection.
enum CommandData {
    /// Checks the data of a command that nobody reads here.
    static func check(_ data: Span<UInt8>, of command: MilterCommand) throws(MilterFault) {
        switch command {
        case .negotiate: _ = try offer(data)
        case .macros: _ = try macroList(data)
        case .connect: _ = try client(data)
        case .helo: _ = try textEnd(data)
        case .mail, .recipient: _ = try textCount(data)
        case .header: _ = try nameEnd(ofField: data)
        case .abort, .body, .data, .endOfHeader, .endOfMessage, .quit, .quitForNewConnection,
            .unknown:
            break
        }
    }

    /// The letter of the command that macros belong to, and where their list begins: names and
    /// values in turn, each ended by NUL.
    static func macroList(
        _ data: Span<UInt8>
    ) throws(MilterFault) -> (command: UInt8, start: Int) {
        guard data.count > 0 else { throw MilterFault("macros without a command") }
        let texts = data.count > 1 ? try textCount(data.extracting(1...)) : 0
        guard texts.isMultiple(of: 2) else { throw MilterFault("macros of which one has no value") }
        return (data[0], 1)
    }

    /// The version, the actions and the protocol bits that the MTA offers; more may follow.
    static func offer(_ data: Span<UInt8>) throws(MilterFault) -> MilterOffer {
        guard data.count >= 12 else { throw MilterFault("an offer of \(data.count) octets") }
        return MilterOffer(
            version: data.bigEndian32(at: 0), actions: data.bigEndian32(at: 4),
            options: data.bigEndian32(at: 8))
    }

    /// The client: its name, NUL, the family's letter, and for the families that have one the port
    /// of two octets and the address, NUL.
    static func client(_ data: Span<UInt8>) throws(MilterFault) -> MilterClient {
        guard let nameEnd = data.firstIndex(of: 0), nameEnd + 1 < data.count else {
            throw MilterFault("a client without a name or a family")
        }
        let name = data.extracting(..<nameEnd).text
        var client = MilterClient(hostName: name, family: .unknown, address: nil, port: 0)
        let family = data[nameEnd + 1]
        guard family != UInt8(ascii: "U") else { return client }
        let address = data.extracting((nameEnd + 2)...)
        guard address.count >= 3, address[address.count - 1] == 0 else {
            throw MilterFault("a client without a whole address")
        }
        let port = UInt16(address[0]) << 8 | UInt16(address[1])
        switch family {
        case UInt8(ascii: "4"):
            client.family = .ipv4
        case UInt8(ascii: "6"):
            client.family = .ipv6
        case UInt8(ascii: "L"):
            client.family = .unix
            return client
        default:
            throw MilterFault("a client of an unknown family")
        }
        guard
            let parsed = MilterClient.address(
                address.extracting(2..<address.count - 1).text, family: client.family)
        else { throw MilterFault("a client with a malformed address") }
        client.address = parsed
        client.port = port
        return client
    }

    /// A text that ends in NUL: where that is.
    static func textEnd(_ data: Span<UInt8>) throws(MilterFault) -> Int {
        guard data.count > 0, data[data.count - 1] == 0 else {
            throw MilterFault("a text without its end")
        }
        return data.count - 1
    }

    /// Texts that each end in NUL, one at least: how many they are.
    static func textCount(_ data: Span<UInt8>) throws(MilterFault) -> Int {
        guard data.count > 0, data[data.count - 1] == 0 else {
            throw MilterFault("a list of texts without its end")
        }
        var count = 0
        for index in data.indices where data[index] == 0 { count += 1 }
        return count
    }

    /// Texts that each end in NUL, one at least: where each ends.
    static func textEnds(_ data: Span<UInt8>) throws(MilterFault) -> [Int] {
        var ends: [Int] = []
        ends.reserveCapacity(try textCount(data))
        var start = 0
        while let end = data.firstIndex(of: 0, from: start) {
            ends.append(end)
            start = end + 1
        }
        return ends
    }

    /// A header field: where its name ends.
    ///
    /// The value is all between that NUL and the last octet, which is a NUL too.
    static func nameEnd(ofField data: Span<UInt8>) throws(MilterFault) -> Int {
        guard let end = data.firstIndex(of: 0), end + 1 < data.count, data[data.count - 1] == 0
        else { throw MilterFault("a header field without a value") }
        return end
    }
}

/// What the MTA offers when a connection begins.
struct MilterOffer: Equatable {
    /// The highest version that it speaks.
    var version: UInt32
    /// The edits that it makes (`SMFIF_*`).
    var actions: UInt32
    /// What it can leave out, and more (`SMFIP_*`).
    var options: UInt32
}

extension Span<UInt8> {
    /// The octets as text, malformed UTF-8 repaired.
    var text: String { String(decoding: copied(), as: UTF8.self) }
}

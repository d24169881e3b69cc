internal import Glibc
internal import MailAuth
internal import MailCrypto
internal import MailDNS
internal import MailSyntax
internal import TestKit

/// What a soak sends to a daemon, and how it knows that an answer is whole and belongs to its message.
protocol SoakSubject: Sendable {
    /// The program.
    var program: String { get }
    /// Its configuration, without a socket.
    var configuration: String { get }
    /// The message of this number, which is unlike every other.
    func message(_ number: Int) -> MailMessage
    /// Whether these are the edits that the message must get: all of them, once.
    func isRight(_ edits: [SoakEdit], for message: MailMessage) -> Bool
}

/// An edit as it came.
struct SoakEdit {
    /// The command letter.
    let command: Character
    /// The index of the insertion, or the occurrence of the field.
    let index: UInt32
    /// The field; a deletion has no value.
    let field: MailMessage.Field

    /// Reads a frame's data.
    init?(_ command: Character, _ data: [UInt8]) {
        let strings = MilterWire.strings(from: 4, of: data)
        guard data.count > 4, strings.count == 2 else { return nil }
        self.command = command
        index = MilterWire.number(at: 0, of: data)
        field = MailMessage.Field(
            String(decoding: strings[0], as: UTF8.self),
            String(decoding: strings[1], as: UTF8.self))
    }
}

extension MailMessage {
    /// The ordinary message with a body and a subject of its own.
    fileprivate static func numbered(_ number: Int) -> MailMessage {
        var message = Mail.ordinary
        message.fields.removeAll { ScrubExperiments.others.contains($0.name) }
        message.fields.append(Field("X-Number", " \(number)"))
        message.body =
            Mail.body(ofSize: 60 * (1 + number % 20)) + Array("Number \(number)\r\n".utf8)
        return message
    }
}

/// signet-scrub with a message of which some of ten fields go: those that the bits of its number name.
struct ScrubSoak: SoakSubject {
    let program = "signet-scrub"
    let configuration = ScrubExperiments.configuration

    func message(_ number: Int) -> MailMessage {
        var message = MailMessage.numbered(number)
        for (bit, name) in ScrubExperiments.removed.enumerated()
        where number & (1 << bit) != 0 || bit == number % 10 {
            let index = (number / 7 + bit) % message.fields.count
            message.fields.insert(.init(name, " 192.0.2.\(bit) \(number)"), at: index)
        }
        return message
    }

    func isRight(_ edits: [SoakEdit], for message: MailMessage) -> Bool {
        let names = ScrubExperiments.removed
        let expected = message.fields.map(\.name).filter(names.contains)
        let isDeletion = edits.allSatisfy {
            $0.command == "m" && $0.index == 1 && $0.field.value.isEmpty
        }
        return isDeletion && edits.map(\.field.name).sorted() == expected.sorted()
    }
}

/// signet-dkim as a signer; its signature must be that of the message.
struct SigningSoak: SoakSubject {
    let program = "signet-dkim"
    let configuration: String
    private let keys: Keys
    private let record: DNSAnswer
    private let parsedKeys = ParsedKeyCache()

    init() throws {
        keys = try Keys()
        configuration = keys.directives(keys.ed25519) + "SyslogSuccess no\n"
        let text = "v=DKIM1; k=ed25519; p=" + Base64.encode(keys.ed25519.key.publicKey.recordOctets)
        record = .records([.text([Array(text.utf8)])], .insecure)
    }

    func message(_ number: Int) -> MailMessage { .numbered(number) }

    func isRight(_ edits: [SoakEdit], for message: MailMessage) -> Bool {
        guard edits.count == 1, let edit = edits.first, edit.command == "i", edit.index <= 1,
            edit.field.name == "DKIM-Signature"
        else { return false }
        var header = HeaderSection()
        for field in [edit.field] + message.fields {
            header.append(name: Array(field.name.utf8), value: field.value)
        }
        var verifier = DKIMVerifier(header: header, now: Int64(time(nil)))
        for question in verifier.questions { verifier.answer(question, record) }
        verifier.update(message.body.span)
        return verifier.finish(keys: parsedKeys).status == .pass
    }
}

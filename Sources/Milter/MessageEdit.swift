internal import MailSyntax

/// One change to a message or its envelope, made at end of message.
///
/// Header values are what stands after the colon: they carry their own leading space, and fold with
/// a bare LF followed by a space or tab.
public enum MessageEdit: Sendable, Equatable {
    /// Insert a field: index 0 stands above the MTA's own Received, 1 just below it.
    case insertHeader(index: Int, name: String, value: [UInt8])
    /// Add a field at the end of the header section.
    case addHeader(name: String, value: [UInt8])
    /// Change the nth field of that name, counting from 1 and from the top.
    case changeHeader(name: String, occurrence: Int, value: [UInt8])
    /// Delete the nth field of that name; the later ones then count one less, so delete from the
    /// highest down.
    case deleteHeader(name: String, occurrence: Int)
    /// Put the message on hold; later filters do not see it.
    case quarantine(reason: String)
    /// Add an envelope recipient, "<user@example.org>".
    case addRecipient(String)
    /// Delete an envelope recipient, exactly as the recipient event gave it.
    case deleteRecipient(String)
    /// Change the envelope sender.
    case changeSender(String)

    /// The edit without its value, for the log.
    package var summary: String {
        switch self {
        case .insertHeader(let index, let name, _): "insert \(Self.printable(name)) at \(index)"
        case .addHeader(let name, _): "add \(Self.printable(name))"
        case .changeHeader(let name, let occurrence, _):
            "change \(Self.printable(name)) \(occurrence)"
        case .deleteHeader(let name, let occurrence):
            "delete \(Self.printable(name)) \(occurrence)"
        case .quarantine: "quarantine"
        case .addRecipient: "add recipient"
        case .deleteRecipient: "delete recipient"
        case .changeSender: "change sender"
        }
    }

    private static func printable(_ name: String) -> String {
        let printable = name.utf8.prefix(80).map {
            (33...126).contains($0) ? $0 : UInt8(ascii: "?")
        }
        return String(decoding: printable, as: UTF8.self)
    }

    /// The action that the MTA must have granted.
    var need: MilterEdits {
        switch self {
        case .insertHeader, .addHeader: .addHeaders
        case .changeHeader, .deleteHeader: .changeHeaders
        case .quarantine: .quarantine
        case .addRecipient: .addRecipients
        case .deleteRecipient: .deleteRecipients
        case .changeSender: .changeSender
        }
    }

    /// A header value in the form that was agreed: without the leading space where the MTA puts one
    /// there itself.
    package static func wireValue(_ value: [UInt8], hasLeadingSpace: Bool) -> ArraySlice<UInt8> {
        let isSpaceImplied = !hasLeadingSpace && value.first == .space
        return value[(isSpaceImplied ? 1 : 0)...]
    }

    /// Why this edit must not be sent, nil if it is well formed.
    ///
    /// The engines make well-formed fields; this is the last guard before the message.
    func fault(granted: MilterEdits) -> String? {
        guard granted.contains(need) else { return "the MTA has not granted it" }
        switch self {
        case .insertHeader(let index, let name, let value):
            guard (0...0x7fff_ffff).contains(index) else { return "index out of range" }
            return Self.nameFault(name) ?? Self.valueFault(value)
        case .addHeader(let name, let value):
            return Self.nameFault(name) ?? Self.valueFault(value)
        case .changeHeader(let name, let occurrence, let value):
            guard (1...0x7fff_ffff).contains(occurrence) else { return "occurrence out of range" }
            // To the protocol an empty value means deletion.
            guard !value.isEmpty else { return "empty value" }
            return Self.nameFault(name) ?? Self.valueFault(value)
        case .deleteHeader(let name, let occurrence):
            guard (1...0x7fff_ffff).contains(occurrence) else { return "occurrence out of range" }
            return Self.nameFault(name)
        case .quarantine(let text), .addRecipient(let text), .deleteRecipient(let text),
            .changeSender(let text):
            guard !text.utf8.isEmpty, text.utf8.count <= 2000 else { return "bad length" }
            guard text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                return "control character"
            }
            return nil
        }
    }

    /// RFC 5322, section 2.2: a field name is printable ASCII without the colon.
    private static func nameFault(_ name: String) -> String? {
        guard (1...998).contains(name.utf8.count) else { return "bad length of field name" }
        let octets = name.utf8.span
        for index in octets.indices where !FieldName.isNameOctet(octets[index]) {
            return "bad field name"
        }
        return nil
    }

    private static func valueFault(_ value: [UInt8]) -> String? {
        // Postfix itself carries no field over 60 kB.
        guard value.count <= 60_000 else { return "field too long" }
        if value.span.firstIndex(of: 0) != nil { return "NUL in the value" }
        if value.span.firstIndex(of: .cr) != nil { return "CR in the value" }
        var start = 0
        while let lineEnd = value.span.firstIndex(of: .lf, from: start) {
            start = lineEnd + 1
            // RFC 5322, section 2.2.3: a line break folds only if white space follows.
            guard start < value.count, value[start].isWSP else {
                return "line break without white space after it"
            }
        }
        return nil
    }
}

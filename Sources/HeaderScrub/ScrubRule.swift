public import Configuration
internal import MailSyntax

/// One rule: what happens to the fields that a pattern matches.
public struct ScrubRule: Sendable {
    /// What happens to a field.
    public enum Action: String, Sendable, CaseIterable {
        /// The field goes.
        case remove = "Remove"
        /// The field's value is replaced by one that gives nobody away.
        case replace = "Replace"
        /// The field stays as it is.
        case keep = "Keep"
    }

    /// What happens to a field.
    public let action: Action
    /// The pattern for its name.
    public let name: Glob
    /// The pattern for its value, unfolded and without white space at its ends; nil for any value.
    public let value: Glob?
    /// Where the rule stands.
    public let location: SourceLocation
    /// What every name that the pattern matches begins with; all of the name where the pattern is no more than a name.
    let head: NameHead

    /// Why a rule cannot be used.
    public struct Fault: Error, Sendable {
        /// What is wrong.
        public let message: String
        /// What to do about it.
        public let suggestion: String?
        /// Where in the rule's text, in octets from 0.
        public let offset: Int
    }

    /// Reads a rule's text: `NAMEGLOB` or `NAMEGLOB VALUEGLOB`.
    public init(
        _ action: Action, _ text: String, at location: SourceLocation
    ) throws(Fault) {
        let bytes = Array(text.utf8)
        let nameEnd = bytes.firstIndex(where: \.isWSP) ?? bytes.count
        let valueStart = bytes[nameEnd...].firstIndex { !$0.isWSP } ?? bytes.count
        let nameText = String(decoding: bytes[..<nameEnd], as: UTF8.self)
        self.action = action
        self.location = location
        name = try Self.glob(nameText, at: 0)
        value =
            valueStart < bytes.count
            ? try Self.glob(String(decoding: bytes[valueStart...], as: UTF8.self), at: valueStart)
            : nil
        let literal = bytes[..<nameEnd].prefix { !Self.wildcards.contains($0) }
        head = NameHead(literal.span)
        try check(nameText)
    }

    /// What begins a part of a pattern that is more than its letters.
    private static let wildcards = Array("*?[\\".utf8)

    private static func glob(_ text: String, at offset: Int) throws(Fault) -> Glob {
        do throws(Glob.Fault) {
            return try Glob(text, syntax: .full)
        } catch {
            throw Fault(message: error.message, suggestion: nil, offset: offset + error.offset)
        }
    }

    private func check(_ nameText: String) throws(Fault) {
        if let colon = nameText.utf8.firstIndex(of: UInt8(ascii: ":")) {
            throw Fault(
                message: "no field name has a colon",
                suggestion: "write the name alone, and a pattern for the value after a space",
                offset: nameText.utf8.distance(from: nameText.startIndex, to: colon))
        }
        let field = FieldName(nameText)
        if action == .replace, field != .received, field != MIMEVersion.name {
            throw Fault(
                message: "only Received and MIME-Version fields can be replaced",
                suggestion: "write Replace Received, or Remove \(nameText)", offset: 0)
        }
        if action == .remove, name.isLiteral, ProtectedFields.isEssential(Array(nameText.utf8).span)
        {
            throw Fault(
                message: "a message cannot do without its \(nameText) field",
                suggestion: "remove the line", offset: 0)
        }
    }
}

extension ScrubRule {
    /// The rule as a configuration has it.
    public var text: String {
        ([action.rawValue, name.description] + (value.map { [$0.description] } ?? []))
            .joined(separator: " ")
    }
}

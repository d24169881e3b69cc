/// A message in transit: header fields from the top, and the body.
public struct MailMessage: Sendable, Equatable, CustomStringConvertible {
    /// A header field.
    public struct Field: Sendable, Equatable {
        /// The name, as written.
        public var name: String
        /// What follows the colon, with its leading space; folds are LF and white space.
        public var value: [UInt8]

        /// Makes a field.
        ///
        /// - Parameters:
        ///   - name: The name.
        ///   - value: What follows the colon, with its leading space.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = Array(value.utf8)
        }

        /// The value as text.
        public var text: String { String(decoding: value, as: UTF8.self) }

        /// The field's first physical line.
        var firstLine: String {
            name + ":" + String(decoding: value.prefix { $0 != 10 }, as: UTF8.self)
        }

        func isNamed(_ other: String) -> Bool { name.lowercased() == other.lowercased() }
    }

    /// The fields, from the top.
    public var fields: [Field]
    /// The body, lines ended by CRLF.
    public var body: [UInt8]

    /// Makes a message of fields and a body.
    ///
    /// - Parameters:
    ///   - fields: The fields, from the top.
    ///   - body: The body, lines ended by CRLF.
    public init(fields: [Field], body: [UInt8]) {
        self.fields = fields
        self.body = body
    }

    /// Reads a message from text whose lines end with LF.
    ///
    /// - Parameter text: The header section, an empty line, the body.
    public init(_ text: String) {
        fields = []
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        while let line = lines.popFirst(), !line.isEmpty {
            if line.first == " " || line.first == "\t", !fields.isEmpty {
                fields[fields.count - 1].value += [10] + Array(line.utf8)
            } else {
                let colon = line.firstIndex(of: ":") ?? line.endIndex
                fields.append(Field(String(line[..<colon]), String(line[colon...].dropFirst())))
            }
        }
        body = Array(lines.joined(separator: "\r\n").utf8)
    }

    /// The values of the fields of that name, from the top.
    public func values(_ name: String) -> [String] {
        fields.filter { $0.isNamed(name) }.map(\.text)
    }

    /// The message as text, header lines ended by LF.
    public var description: String {
        fields.map { "\($0.name):\($0.text)\n" }.joined() + "\n"
            + String(decoding: body, as: UTF8.self)
    }
}

/// A message in Postfix's queue while a filter edits it.
///
/// Postfix puts its own Received on top and hides it from filters: they see and count the other
/// fields, yet insert among all of them.
struct QueuedMessage {
    private(set) var message: MailMessage
    private let ownReceived: String

    /// - Parameters:
    ///   - message: The message as it came.
    ///   - prepended: Fields of access rules, which stand above the own Received and are shown.
    ///   - ownReceived: The own Received field, after its colon.
    init(_ message: MailMessage, prepended: [MailMessage.Field], ownReceived: String) {
        self.message = message
        self.ownReceived = "Received:" + ownReceived
        self.message.fields =
            prepended + [MailMessage.Field("Received", ownReceived)] + message.fields
    }

    /// The first Received whose first line begins the own one; the same test that Postfix makes.
    private var hiddenIndex: Int? {
        message.fields.firstIndex { $0.isNamed("Received") && ownReceived.hasPrefix($0.firstLine) }
    }

    /// What a filter is shown.
    var shown: [MailMessage.Field] {
        var fields = message.fields
        if let hiddenIndex { fields.remove(at: hiddenIndex) }
        return fields
    }

    mutating func insert(_ field: MailMessage.Field, at index: Int) {
        message.fields.insert(field, at: min(index, message.fields.count))
    }

    mutating func add(_ field: MailMessage.Field) {
        message.fields.append(field)
    }

    mutating func change(_ field: MailMessage.Field, occurrence: Int) {
        if let index = index(of: field.name, occurrence) {
            message.fields[index] = field
        } else {
            message.fields.append(field)
        }
    }

    mutating func delete(_ name: String, occurrence: Int) {
        if let index = index(of: name, occurrence) { message.fields.remove(at: index) }
    }

    mutating func replaceBody(with body: [UInt8]) {
        message.body = body
    }

    private func index(of name: String, _ occurrence: Int) -> Int? {
        let hidden = hiddenIndex
        let matches = message.fields.indices.filter {
            $0 != hidden && message.fields[$0].isNamed(name)
        }
        let nth = max(occurrence, 1) - 1
        return nth < matches.count ? matches[nth] : nil
    }
}

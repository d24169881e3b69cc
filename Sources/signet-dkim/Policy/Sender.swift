import MailSyntax

/// The address that a message is signed for, or why there is none.
enum Sender: Equatable, Sendable {
    /// One address whose domain can answer for the message.
    case mailbox(Mailbox)
    /// None that could; the reason in the words of the log.
    case none(reason: String)

    /// Finds the sender in the first present one of the given header fields (SenderHeaders), or in From where there is none.
    ///
    /// Several fields of that name, or addresses of several domains in it, are no sender: to sign for one of them would lend
    /// its name to the others. The From field has been read already: `author`.
    init(in header: HeaderSection, fields names: [FieldName], author: AuthorField) {
        for name in names + (names.contains(.from) ? [] : [.from]) {
            let positions = header.indices(named: name)
            guard let position = positions.first else { continue }
            guard positions.count == 1 else {
                self = .none(reason: "\(positions.count) \(name) fields")
                return
            }
            let value = header.bytes.span.extracting(header.fields[position].value)
            if name == .from {
                self.init(author, named: name)
            } else if ListPost.isListField(name) {
                // "NO", or other ways to post than mail, say nothing of a sender.
                let mailboxes = ListPost.mailboxes(value)
                guard !mailboxes.isEmpty else { continue }
                self.init(.authors(mailboxes), named: name)
            } else {
                self.init(AuthorField(parsing: value), named: name)
            }
            return
        }
        self = .none(reason: "no \(names.map(\.text).joined(separator: ", ")) field")
    }

    private init(_ field: AuthorField, named name: FieldName) {
        switch field {
        case .authors(let all), .sloppy(let all, _):
            let mailboxes = all.filter { !$0.isDoubtful }
            guard let first = mailboxes.first else {
                self = .none(reason: "no address in \(name)")
                return
            }
            let differ = mailboxes.dropFirst().contains { $0.domain != first.domain }
            self = differ ? .none(reason: "several domains in \(name)") : .mailbox(first)
        case .nobody(let reason):
            self = .none(reason: reason.text(of: name))
        case .malformed(let error):
            self = .none(reason: "\(name) is malformed: \(error)")
        }
    }
}

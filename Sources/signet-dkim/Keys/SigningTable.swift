import Configuration
import MailSyntax

/// Sender addresses and patterns, each with the name of the key that signs (opendkim.conf(5), SigningTable).
struct SigningTable: Sendable {
    /// One line's value.
    struct Line: Hashable, Sendable {
        /// The key's name; `%` stands for the sender's domain.
        let name: String
        /// The signer for i=; `%` in it stands for the sender's domain.
        let signer: String?

        /// Reads a value: `name`, or `name:signer`.
        init?(_ entry: DataSet.Entry) {
            let fields = entry.fields(atMost: 2)
            guard let name = fields.first, !name.isEmpty else { return nil }
            self.name = name
            signer = fields.count == 2 && !fields[1].isEmpty ? fields[1] : nil
        }

        /// The name of the key for mail of a domain.
        func keyName(for domain: DomainName) -> String { name == "%" ? domain.ascii : name }

        /// The identity for i= for mail of a domain.
        func identity(for domain: DomainName) -> String? {
            signer.map { text in
                text.split(separator: "%", omittingEmptySubsequences: false)
                    .joined(separator: domain.ascii)
            }
        }
    }

    /// The table as read.
    let set: DataSet
    /// Whether every matching line counts, not the first alone (MultipleSignatures).
    let takesAll: Bool

    /// The lines that apply to a sender, best first.
    func lines(for sender: Mailbox) -> [Line] {
        var lines: [Line] = []
        for entry in matches(sender) {
            guard let line = Line(entry), !lines.contains(line) else { continue }
            lines.append(line)
            if !takesAll { break }
        }
        return lines
    }

    /// Whether any line applies to a sender.
    func serves(_ sender: Mailbox) -> Bool { !matches(sender).isEmpty }

    private func matches(_ sender: Mailbox) -> [DataSet.Entry] {
        set.entries(
            localPart: String(decoding: sender.localPart, as: UTF8.self), domain: sender.domain)
    }
}

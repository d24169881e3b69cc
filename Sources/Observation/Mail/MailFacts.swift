internal import DaemonKit
package import FlightRecord
package import MailSyntax
package import Milter
package import Traffic

/// What the MTA tells of a message, as far as a record has it.
///
/// Values are copied out of the message in short pieces, and made into texts on the writer's thread.
package struct MailFacts: Sendable {
    private let client: Client
    private let helo: [UInt8]
    private let tls: String?
    private let login: String?
    private let queueID: String?
    private let sender: [UInt8]?
    private var messageID: [UInt8] = []
    private var from: [[UInt8]] = []
    /// How long the header section is: what is told of a message is made of pieces of it.
    let headerOctets: Int

    /// The most octets of a field that are looked at, and the most From fields.
    private static let fieldLimit = 2_000
    private static let mostFields = 4

    /// Collects what is known at the end of a message.
    ///
    /// - Parameters:
    ///   - client: who sends.
    ///   - helo: what the client said in HELO; empty where it was not heard.
    ///   - sender: the reverse-path; nil where it was not heard.
    ///   - header: the header section.
    ///   - macros: the MTA's macros.
    package init(
        client: Client, helo: [UInt8] = [], sender: [UInt8]?, header: HeaderSection,
        _ macros: borrowing MilterMacros
    ) {
        self.client = client
        self.helo = helo
        self.sender = sender
        tls = macros["{tls_version}"]
        login = macros["{auth_authen}"]
        queueID = macros["i"]
        headerOctets = header.bytes.count
        if let position = header.indices(named: .messageID).first {
            messageID = Self.value(at: position, of: header)
        }
        for position in header.indices(named: .from).prefix(Self.mostFields) {
            from.append(Self.value(at: position, of: header))
        }
    }

    private static func value(at position: Int, of header: HeaderSection) -> [UInt8] {
        let value = header.fields[position].value
        return Array(header.bytes[value].prefix(fieldLimit))
    }

    /// Adds the facts to an entry.
    package func add(to entry: inout FlightEntry) {
        entry.add(.queueID, queueID)
        entry.add(.messageID, Self.bare(messageID))
        entry.add(.clientAddress, client.address?.unmapped.description)
        entry.add(.clientName, client.hostName.hasPrefix("[") ? nil : LogText.safe(client.hostName))
        entry.add(.helo, LogText.safe(helo))
        entry.add(.tls, tls.map { LogText.safe($0) })
        entry.add(.login, login.map { LogText.safe($0) })
        entry.add(.listener, client.daemonName.map { LogText.safe($0) })
        entry.add(.sender, sender.map { $0.isEmpty || $0 == [0x3C, 0x3E] ? "<>" : Self.bare($0) })
        for value in from {
            for domain in AuthorField(parsing: value.span).domains {
                entry.add(.author, domain.ascii)
            }
        }
    }

    /// A value without white space and angle brackets around it.
    private static func bare(_ octets: [UInt8]) -> String {
        var rest = octets[...]
        while let first = rest.first, first <= 0x20 || first == 0x3C { rest = rest.dropFirst() }
        while let last = rest.last, last <= 0x20 || last == 0x3E { rest = rest.dropLast() }
        return LogText.safe(rest, limit: 998)
    }
}

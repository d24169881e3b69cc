internal import DaemonKit
package import FlightRecord
package import MailAuth
internal import MailDNS
package import MailSyntax
package import Milter
internal import Replay
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
    private let recipients: Recipients
    private let header: HeaderSection
    private let omission: String?
    private let negotiated: NegotiatedProtocol
    private let mtaName: String?
    private let macros: [String: String]
    private let received: Int64
    private let attributes: [String: [UInt8]]
    private let abridging: Abridging

    /// Makes of a header section what is kept of it, so that the decision can be taken again.
    package typealias Abridging = @Sendable (HeaderSection) -> [AbridgedHeader.Field]

    /// How much memory the facts hold on to, about: the header section, and the recipients.
    var octets: Int { header.bytes.count + recipients.octets }

    /// The recipients of a message, as they came, in a number that is bounded.
    package struct Recipients: Sendable {
        /// The first ones.
        private(set) var paths: [[UInt8]] = []
        /// How many there are.
        private(set) var count = 0

        /// The most that are kept, and the most octets of one.
        private static let most = 20
        private static let longest = 400

        /// None.
        package init() {}

        /// Takes one.
        package mutating func add(_ path: Span<UInt8>) {
            count += 1
            guard paths.count < Self.most, path.count <= Self.longest else { return }
            paths.append(path.copied())
        }

        var octets: Int { paths.reduce(0) { $0 + 32 + $1.count } }
    }

    /// The most octets of a field that are looked at, and the most From fields.
    private static let fieldLimit = 2_000
    private static let mostFields = 4

    /// Collects what is known at the end of a message.
    ///
    /// - Parameters:
    ///   - client: who sends.
    ///   - helo: what the client said in HELO; empty where it was not heard.
    ///   - sender: the reverse-path; nil where it was not heard.
    ///   - recipients: the recipients.
    ///   - header: the header section.
    ///   - omission: why the decision cannot be taken again; nil where it can.
    ///   - received: when it was received, in seconds since 1970.
    ///   - negotiated: what was agreed with the MTA.
    ///   - conditions: the macros that the configuration asks for.
    ///   - attributes: what else the decision rests on.
    ///   - abridging: what of the header section is kept for deciding again.
    ///   - macros: the MTA's macros.
    package init(
        client: Client, helo: [UInt8], sender: [UInt8]?, recipients: Recipients,
        header: HeaderSection, omission: String? = nil, received: Int64 = 0,
        negotiated: NegotiatedProtocol = NegotiatedProtocol(),
        conditions: [String: String] = [:], attributes: [String: [UInt8]] = [:],
        abridging: @escaping Abridging = { AbridgedHeader.fields(of: $0) },
        _ macros: borrowing MilterMacros
    ) {
        self.attributes = attributes
        self.abridging = abridging
        self.recipients = recipients
        self.header = header
        self.omission = omission
        self.received = received
        self.negotiated = negotiated
        self.macros = conditions
        mtaName = macros["j"]
        self.client = client
        self.helo = helo
        self.sender = sender
        tls = macros["{tls_version}"]
        login = macros["{auth_authen}"]
        queueID = macros["i"]
    }

    /// The values of the first fields of a name: looked for on the writer's thread.
    private func values(of name: FieldName, atMost count: Int) -> [[UInt8]] {
        header.indices(named: name).prefix(count).map { position in
            Array(header.value(of: position).prefix(Self.fieldLimit))
        }
    }

    /// Adds the facts to an entry.
    package func add(to entry: inout FlightEntry) {
        entry.add(.queueID, queueID)
        for value in values(of: .messageID, atMost: 1) {
            entry.add(.messageID, Self.bare(value))
        }
        entry.add(.clientAddress, client.address?.unmapped.description)
        entry.add(.clientName, client.hostName.hasPrefix("[") ? nil : LogText.safe(client.hostName))
        entry.add(.helo, LogText.safe(helo))
        entry.add(.tls, tls.map { LogText.safe($0) })
        entry.add(.login, login.map { LogText.safe($0) })
        entry.add(.listener, client.daemonName.map { LogText.safe($0) })
        entry.add(.sender, sender.map { $0.isEmpty || $0 == [0x3C, 0x3E] ? "<>" : Self.bare($0) })
        for path in recipients.paths { entry.add(.recipient, Self.bare(path)) }
        if recipients.count > recipients.paths.count {
            entry.add(.recipient, "(\(recipients.count - recipients.paths.count) more)")
        }
        for value in values(of: .from, atMost: Self.mostFields) {
            for domain in AuthorField(parsing: value.span).domains {
                entry.add(.author, domain.ascii)
            }
        }
    }

    /// Adds what the decision rests on, so that it can be taken again.
    ///
    /// - Parameters:
    ///   - questions: what was asked of the DNS.
    ///   - statements: what the signatures cover.
    ///   - ended: when the decision was taken, in seconds since the first question could be asked.
    ///   - entry: the entry.
    func addEvidence(
        _ questions: [RecordingResolver.Entry], _ statements: [MessageWitness.Statement],
        ended: Double, to entry: inout FlightEntry
    ) {
        var facts = RecordedFacts()
        (facts.received, facts.ended) = (received, ended)
        if let omission {
            facts.omission = omission
            _ = entry.add(evidence: facts.lines)
            return
        }
        if header.limitExceeded == nil, recipients.count == recipients.paths.count {
            facts.hostName = client.hostName
            facts.address = client.address?.description
            (facts.helo, facts.sender, facts.recipients) = (helo, sender, recipients.paths)
            facts.macros = macros
            facts.macros["i"] = queueID
            facts.macros["j"] = mtaName
            facts.macros["{daemon_name}"] = client.daemonName
            facts.macros["{auth_type}"] = client.authenticationType
            facts.macros["{auth_authen}"] = login
            facts.edits = negotiated.edits.rawValue
            facts.hasLeadingSpace = negotiated.hasLeadingSpace
            facts.fields = abridging(header)
            facts.attributes = attributes
            (facts.questions, facts.statements) = (questions, statements)
            if entry.add(evidence: facts.lines) { return }
        }
        var omitted = RecordedFacts()
        omitted.omission =
            "its header section, recipients or DNS answers are more than a record takes"
        _ = entry.add(evidence: omitted.lines)
    }

    /// A value without white space and angle brackets around it.
    private static func bare(_ octets: [UInt8]) -> String {
        var rest = octets[...]
        while let first = rest.first, first <= 0x20 || first == 0x3C { rest = rest.dropFirst() }
        while let last = rest.last, last <= 0x20 || last == 0x3E { rest = rest.dropLast() }
        // Decoded here: LogText.safe takes any sequence of octets, and is slow with one from another module.
        return LogText.safe(String(decoding: rest.prefix(998 + 4), as: UTF8.self), limit: 998)
    }
}

/// One question of Postfix (SMTPD_POLICY_README): the attributes that matter here.
///
/// Trust: HELO name, sender and recipient are what the client said; the rest is Postfix's.
package struct PolicyRequest: Hashable, Sendable {
    /// The attributes that are kept; all others are skipped.
    package enum Attribute: String, CaseIterable, Sendable {
        case request
        case stage = "protocol_state"
        case clientAddress = "client_address"
        case clientName = "client_name"
        case helo = "helo_name"
        case sender
        case recipient
        case queueID = "queue_id"
        case instance
        case saslMethod = "sasl_method"
        case saslUser = "sasl_username"
        case certificateSubject = "ccert_subject"
        case certificateIssuer = "ccert_issuer"
    }

    /// Where in the SMTP session the question comes up.
    package enum Stage: String, Sendable {
        case connect = "CONNECT"
        case ehlo = "EHLO"
        case helo = "HELO"
        case mail = "MAIL"
        case recipient = "RCPT"
        case data = "DATA"
        case endOfMessage = "END-OF-MESSAGE"
        case verify = "VRFY"
        case etrn = "ETRN"
    }

    /// Values in the order of `Attribute.allCases`; empty while there is none.
    private var values: [[UInt8]] = []

    /// A request without attributes.
    package init() {}

    /// The value of an attribute, empty where there is none.
    package subscript(attribute: Attribute) -> [UInt8] {
        get { values.isEmpty ? [] : values[attribute.position] }
        set {
            if values.isEmpty {
                if newValue.isEmpty { return }
                values = [[UInt8]](repeating: [], count: Attribute.allCases.count)
            }
            values[attribute.position] = newValue
        }
    }

    /// The octets of all values.
    package var octetCount: Int { values.reduce(0) { $0 + $1.count } }

    /// Whether it is of the kind that is answered here; requests made by hand may leave it out.
    var isForPolicy: Bool {
        let kind = self[.request]
        return kind.isEmpty || kind.elementsEqual("smtpd_access_policy".utf8)
    }

    /// The stage; requests made by hand may leave it out, and a recipient is then meant.
    ///
    /// Nil for one that is not known.
    package var stage: Stage? {
        let text = self[.stage]
        return text.isEmpty ? .recipient : Stage(rawValue: String(decoding: text, as: UTF8.self))
    }

    /// Whether the client has proved to be one of ours: by SASL, or by a certificate.
    ///
    /// Postfix gives subject and issuer of verified certificates only; the fingerprint, which it
    /// gives of every certificate, proves nothing.
    package var isAuthenticated: Bool {
        !self[.saslMethod].isEmpty || !self[.saslUser].isEmpty
            || !self[.certificateSubject].isEmpty || !self[.certificateIssuer].isEmpty
    }

    /// The queue id for the log; nil while Postfix has not given one.
    package var queueID: String? {
        self[.queueID].isEmpty ? nil : PrintableText.of(self[.queueID], limit: 64)
    }
}

extension PolicyRequest.Attribute {
    /// The place of the value among all.
    fileprivate var position: Int {
        switch self {
        case .request: 0
        case .stage: 1
        case .clientAddress: 2
        case .clientName: 3
        case .helo: 4
        case .sender: 5
        case .recipient: 6
        case .queueID: 7
        case .instance: 8
        case .saslMethod: 9
        case .saslUser: 10
        case .certificateSubject: 11
        case .certificateIssuer: 12
        }
    }

    /// The attributes and their names as Postfix writes them, by the length of the name.
    private static let byLength: [[(name: [UInt8], attribute: PolicyRequest.Attribute)]] = {
        let longest = allCases.map(\.rawValue.utf8.count).max() ?? 0
        return (0...longest).map { length in
            allCases.filter { $0.rawValue.utf8.count == length }
                .map { (Array($0.rawValue.utf8), $0) }
        }
    }()

    /// The attribute of a name; nil for those that are skipped.
    init?(octets name: Span<UInt8>) {
        guard name.count < Self.byLength.count else { return nil }
        for (known, attribute) in Self.byLength[name.count] where name.isEqual(to: known.span) {
            self = attribute
            return
        }
        return nil
    }
}

extension Span<UInt8> {
    fileprivate func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}

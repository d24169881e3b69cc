import MailAuth
import MailSyntax
import PolicyProtocol

/// The text of refusals, with places for what was found (Reason_Message).
struct ReasonTemplate: Hashable, Sendable {
    /// What can stand between braces.
    enum Placeholder: String, CaseIterable, Hashable, Sendable {
        /// "rejected" or "deferred".
        case rejectdefer
        /// "SPF fail: " and the reason.
        case spf
        /// The result's word.
        case result
        /// Why, in a sentence that names mechanism and domain.
        case reason
        /// "helo" or "mailfrom".
        case identity
        /// The domain that was checked.
        case domain
        /// The mechanism that decided.
        case mechanism
        /// The client's address.
        case client
        /// What the domain's owner says.
        case explanation
        /// The host that checked.
        case receiver
        /// Nothing: the peer's address of a web site that is gone.
        case url
    }

    private enum Piece: Hashable, Sendable {
        case text(String)
        case placeholder(Placeholder)
    }

    /// Why a text is no template.
    struct Fault: Error, Hashable, Sendable {
        let message: String
    }

    /// The most octets of a filled-in text: with codes and recipient it fits an SMTP reply line
    /// (RFC 5321, section 4.5.3.1.5).
    static let longestText = 400

    /// The text when the configuration has none.
    static let standardText = "Message {rejectdefer} due to: {spf}"

    /// The template of `standardText`.
    static let standard = ReasonTemplate(pieces: [
        .text("Message "), .placeholder(.rejectdefer), .text(" due to: "), .placeholder(.spf),
    ])

    private let pieces: [Piece]

    private init(pieces: [Piece]) { self.pieces = pieces }

    /// Reads a template; "{{" and "}}" are braces.
    init(parsing text: String) throws(Fault) {
        var pieces: [Piece] = []
        var literal = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "{" || character == "}" else {
                literal.append(character)
                continue
            }
            if rest.first == character {
                rest.removeFirst()
                literal.append(character)
                continue
            }
            guard character == "{", let end = rest.firstIndex(of: "}") else {
                throw Fault(message: "a brace without its pair")
            }
            let name = rest[..<end]
            guard let placeholder = Placeholder(rawValue: String(name)) else {
                throw Fault(message: "{\(name)} is not one of its placeholders")
            }
            if !literal.isEmpty { pieces.append(.text(literal)) }
            literal = ""
            pieces.append(.placeholder(placeholder))
            rest = rest[rest.index(after: end)...]
        }
        if !literal.isEmpty { pieces.append(.text(literal)) }
        self.pieces = pieces
    }

    /// Whether a placeholder stands in it.
    func uses(_ placeholder: Placeholder) -> Bool { pieces.contains(.placeholder(placeholder)) }

    /// The text of one refusal: printable ASCII, bounded.
    ///
    /// - Parameters:
    ///   - finding: what was found.
    ///   - ruling: whether the message is refused or put off.
    ///   - client: the address that was checked.
    ///   - receiver: the host that checked; nil to withhold it.
    /// - Returns: the text.
    func filled(
        _ finding: Finding, ruling: Policy.Ruling, client: IPAddress, receiver: String?
    ) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let literal): text += literal
            case .placeholder(let placeholder):
                text += Self.value(of: placeholder, finding, ruling, client, receiver)
            }
        }
        return PrintableText.beginning(of: text, limit: Self.longestText)
    }

    private static func value(
        of placeholder: Placeholder, _ finding: Finding, _ ruling: Policy.Ruling,
        _ client: IPAddress, _ receiver: String?
    ) -> String {
        let domain = finding.domain?.ascii ?? "unknown"
        return switch placeholder {
        case .rejectdefer: ruling == .defer ? "deferred" : "rejected"
        case .spf: "SPF \(finding.result.rawValue): \(reason(finding))"
        case .result: finding.result.rawValue
        case .reason: reason(finding)
        case .identity: finding.identity.rawValue
        case .domain: domain
        case .mechanism: finding.mechanism
        case .client: client.description
        case .explanation: finding.explanation ?? ""
        case .receiver: receiver ?? "<UNKNOWN>"
        case .url: ""
        }
    }

    /// RFC 7208, section 6.2: text from the domain's owner must be marked as his.
    private static func reason(_ finding: Finding) -> String {
        guard let explanation = finding.explanation, let domain = finding.domain else {
            return finding.sentence
        }
        return "\(finding.sentence); \(domain.ascii) explains: \(explanation)"
    }
}

internal import MailAuth
internal import MailSyntax

/// The fields of the part `message/feedback-report` (RFC 5965, section 3; RFC 6591, section 3; RFC 9991, section 4).
struct FeedbackFields {
    private let message: FailedMessage
    private let trigger: FailureTrigger
    private let redactor: Redactor?
    private let date: String

    /// The most SPF records that are shown, and the longest, in octets.
    private static let mostRecords = 20
    private static let longestRecord = 4096
    private static let longestCanonicalizedHeader = 64 << 10
    private static let base64Line = 72

    init(_ message: FailedMessage, _ trigger: FailureTrigger, _ redactor: Redactor?) {
        self.message = message
        self.trigger = trigger
        self.redactor = redactor
        date = MailDate(seconds: message.received).text
    }

    /// The fields as lines that end with a line feed.
    ///
    /// - Parameters:
    ///   - generator: the program, with its version.
    ///   - incidents: how many failures the report stands for.
    /// - Returns: the octets.
    func lines(by generator: String, incidents: Int) -> [UInt8] {
        var fields: [(String, String)] = [
            ("Feedback-Type", "auth-failure"), ("Version", "1"), ("User-Agent", generator),
            ("Auth-Failure", kind), ("Authentication-Results", results),
            ("Identity-Alignment", alignment), ("Delivery-Result", message.delivery.rawValue),
        ]
        fields += signature + records
        if let queueID = message.queueID { fields.append(("Original-Envelope-Id", queueID)) }
        if let sender { fields.append(("Original-Mail-From", "<\(sender)>")) }
        fields.append(("Arrival-Date", date))
        if let source = message.source { fields.append(("Source-IP", source.unmapped.description)) }
        fields.append(("Reported-Domain", message.author.domain.ascii))
        if incidents > 1 { fields.append(("Incidents", String(incidents))) }
        return fields.flatMap { FoldedLine.octets($0, $1) }
    }

    /// The failure (RFC 6591, section 3.3; RFC 9991, section 4).
    private var kind: String {
        switch trigger {
        case .dmarc: "dmarc"
        case .spf: "spf"
        case .dkim(let signature):
            switch signature.reason {
            case .bodyChanged, .bodyTooShort: "bodyhash"
            case .keyRecord(.revoked): "revoked"
            default: "signature"
            }
        }
    }

    /// "it MUST reflect only a single authentication method's result" (RFC 6591, section 3.1).
    private var results: String {
        let method: MethodResult
        switch trigger {
        case .dmarc:
            method = .dmarc(message.author.result.rawValue, from: message.author.domain.ascii)
        case .dkim(let signature):
            method = .dkim(
                signature.status.rawValue, domain: signature.domain?.ascii,
                selector: signature.selector?.ascii,
                signature: signature.signaturePrefix.isEmpty ? nil : signature.signaturePrefix)
        case .spf(let result):
            method = .spf(result.rawValue, mailFrom: message.reversePath?.domain?.ascii)
        }
        let value = AuthenticationResults(message.authservID, [method]).fieldValue()
        return String(decoding: value.trimmingFoldingSpace(), as: UTF8.self)
    }

    /// The mechanisms "that failed to authenticate an aligned identity, or the keyword "none" if none did".
    private var alignment: String {
        let failed = message.author.failedMechanisms.map(\.rawValue)
        return failed.isEmpty ? "none" : failed.joined(separator: ", ")
    }

    /// "REQUIRED for DKIM failures of an aligned identifier" (RFC 9991, section 4), and for those that "d" asks for.
    private var signature: [(String, String)] {
        var found: DKIMResult?
        if case .dkim(let signature) = trigger {
            found = signature
        } else {
            found = message.signatures.first {
                $0.status != .pass && message.author.mayBeAligned($0.domain)
            }
        }
        guard let found, let domain = found.domain?.ascii else { return [] }
        var fields = [("DKIM-Domain", domain)]
        if let identity = found.identity { fields.append(("DKIM-Identity", address(identity))) }
        if let selector = found.selector { fields.append(("DKIM-Selector", selector.ascii)) }
        return fields + canonicalized(found)
    }

    /// What was hashed, in Base64: it shows what was changed on the way.
    ///
    /// "If DKIM-Canonicalized-Header and DKIM-Canonicalized-Body encode redacted data, they MUST NOT be included" (RFC 6591, section
    /// 3.2.4).
    private func canonicalized(_ signature: DKIMResult) -> [(String, String)] {
        guard redactor == nil, signature.status.isFailure else { return [] }
        let header = signature.canonicalizedHeader(
            in: message.header, atMost: Self.longestCanonicalizedHeader)
        let body = message.body.flatMap {
            signature.canonicalizedBody($0.span, in: message.header)
        }
        return [("DKIM-Canonicalized-Header", header), ("DKIM-Canonicalized-Body", body)]
            .compactMap { name, octets in octets.map { (name, Self.base64($0)) } }
    }

    private static func base64(_ octets: [UInt8]) -> String {
        let text = Base64.encode(octets)
        // In pieces, as FoldedLine folds where spaces are.
        return stride(from: 0, to: text.utf8.count, by: base64Line).map {
            String(decoding: text.utf8.dropFirst($0).prefix(base64Line), as: UTF8.self)
        }.joined(separator: " ")
    }

    /// "REQUIRED for SPF failure of an aligned identifier" (RFC 9991, section 4), and for those that "s" asks for: "once for every
    /// SPF record used" (RFC 6591, section 3.2.6).
    private var records: [(String, String)] {
        guard let spf = message.spf, spf.result != .pass, let visit = spf.visit else { return [] }
        var isAsked = message.author.mayBeAligned(spf.domain)
        if case .spf = trigger { isAsked = true }
        guard isAsked else { return [] }
        return Self.visits(visit).prefix(Self.mostRecords).compactMap { visit in
            guard let record = visit.record, record.bytes.count <= Self.longestRecord else {
                return nil
            }
            let text = String(decoding: AddressSyntax.quoted(record.bytes), as: UTF8.self)
            return ("SPF-DNS", "txt : \(visit.domain.ascii) : \(text)")
        }
    }

    private static func visits(_ visit: SPFVisit) -> [SPFVisit] {
        [visit] + visit.nested.flatMap(visits)
    }

    private var sender: String? {
        message.reversePath.map { address($0.text) }
    }

    private func address(_ text: String) -> String {
        guard let redactor else { return text }
        return String(decoding: redactor.addresses(in: text.utf8), as: UTF8.self)
    }
}

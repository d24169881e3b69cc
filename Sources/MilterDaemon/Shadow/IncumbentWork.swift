internal import MailAuth
internal import MailSyntax

/// What the filters before ours have done with a message, by the fields that they have put on top of it.
///
/// Postfix shows a milter the header fields that those before it have added (`smtpd_milters` are asked in order), and never its own
/// Received, so that they are the first.
///
/// Trust: below them stands what strangers have written; it is read only as far as trace fields reach.
struct IncumbentWork {
    /// The signatures, the topmost first.
    private(set) var signatures: [SignatureSummary] = []
    /// The results that are given under our authserv-id.
    private(set) var results: [MethodResult] = []

    /// The names of fields that filters add, in small letters.
    private static let traces: Set<String> = [
        "authentication-results", "dkim-signature", "dkim-filter", "dmarc-filter", "received-spf",
        "arc-authentication-results", "arc-message-signature", "arc-seal",
    ]
    /// The most fields that are looked at.
    private static let mostFields = 50

    /// Looks at the fields on top of a header section.
    init(_ header: HeaderSection, _ authservID: AuthservID) {
        var spf: MethodResult?
        for position in header.fields.indices.prefix(Self.mostFields) {
            let name = String(decoding: header.name(of: position), as: UTF8.self).asciiLowercased
            guard Self.traces.contains(name) else { break }
            let value = Array(header.value(of: position))
            switch name {
            case "dkim-signature":
                if let signature = SignatureSummary(value) { signatures.append(signature) }
            case "authentication-results" where AuthenticationResults.claims(value.span, authservID):
                results += AuthenticationResults(parsing: value.span).results
            case "received-spf" where spf == nil: spf = Self.received(value)
            default: break
            }
        }
        // Who has verified has not signed: what stands there is the sender's.
        if results.contains(where: { $0.method == "dkim" }) { signatures = [] }
        if let spf, !results.contains(where: { $0.method == "spf" }) { results.append(spf) }
    }

    /// A Received-SPF field as a result (RFC 7208, section 9.1).
    private static func received(_ value: [UInt8]) -> MethodResult? {
        let text = String(decoding: value.prefix(2_000), as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0 == ";" }
        guard let result = words.first?.lowercased() else { return nil }
        func pair(_ name: String) -> String? {
            words.first { $0.hasPrefix("\(name)=") }.map {
                $0.dropFirst(name.count + 1).filter { !"\"<>".contains($0) }
            }
        }
        return pair("identity") == "helo"
            ? .spf(result, helo: pair("helo")) : .spf(result, mailFrom: pair("envelope-from"))
    }
}

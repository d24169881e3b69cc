import MailAuth
import MailDNS
import MailSyntax

/// The results for one message, for people and for programs.
struct MessageReport: Encodable {
    private let dkim: DKIMOutcome
    private let spf: SPFOutcome?

    /// Collects results.
    init(dkim: DKIMOutcome, spf: SPFOutcome?) {
        self.dkim = dkim
        self.spf = spf
    }

    /// Whether a result is for want of a DNS answer.
    var isTemporary: Bool {
        dkim.results.contains { $0.status == .temperror } || spf?.result == .temperror
    }

    /// The results in the form of the header field, without its name.
    var authenticationResults: String {
        var methods = dkim.results.map { result in
            MethodResult.dkim(
                result.status.rawValue, domain: result.domain?.ascii, identity: result.identity,
                algorithm: result.algorithm?.rawValue, selector: result.selector?.ascii,
                signature: result.signaturePrefix.isEmpty ? nil : result.signaturePrefix)
        }
        if methods.isEmpty { methods = [.dkim("none")] }
        if let spf {
            methods.append(.spf(spf.result.rawValue, mailFrom: spf.domain?.ascii))
        }
        let value = AuthenticationResults(AuthservID("localhost"), methods).fieldValue()
        return String(decoding: value, as: UTF8.self)
    }

    /// The results in words.
    var text: String {
        var lines = dkim.results.map { result in
            let name = "s=\(result.selector?.ascii ?? "?") d=\(result.domain?.ascii ?? "?")"
            return "DKIM \(result.status.rawValue) (\(name)): \(result.reason.description)"
        }
        if dkim.results.isEmpty { lines = ["DKIM none: the message has no signature"] }
        if dkim.ignoredSignatures > 0 {
            lines.append("DKIM: \(dkim.ignoredSignatures) more signatures were not looked at")
        }
        if let spf { lines.append("SPF \(spf.result.rawValue): \(spf.sentence)") }
        lines.append("Authentication-Results:\(authenticationResults)")
        return lines.joined(separator: "\n")
    }

    private enum Key: String, CodingKey {
        case dkim, spf, authenticationResults = "authentication_results"
        case result, reason, domain, selector, algorithm, identity
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        var list = object.nestedUnkeyedContainer(forKey: .dkim)
        for result in dkim.results {
            var item = list.nestedContainer(keyedBy: Key.self)
            try item.encode(result.status.rawValue, forKey: .result)
            try item.encode(result.reason.description, forKey: .reason)
            try item.encode(result.domain?.ascii, forKey: .domain)
            try item.encode(result.selector?.ascii, forKey: .selector)
            try item.encode(result.algorithm?.rawValue, forKey: .algorithm)
        }
        if let spf {
            var item = object.nestedContainer(keyedBy: Key.self, forKey: .spf)
            try item.encode(spf.result.rawValue, forKey: .result)
            try item.encode(spf.domain?.ascii, forKey: .domain)
            try item.encode(spf.request.identity.rawValue, forKey: .identity)
        }
        try object.encode(authenticationResults, forKey: .authenticationResults)
    }
}

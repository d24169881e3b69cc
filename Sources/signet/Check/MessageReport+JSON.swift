import MailAuth
import MailSyntax

/// The JSON form: a key for each method; keys are only ever added, and those without a value are null.
extension MessageReport: Encodable {
    private enum Key: String, CodingKey {
        case dkim, spf, arc, dmarc, authenticationResults = "authentication_results"
        case result, reason, domain, selector, algorithm, identity
        case chain, oldestPass = "oldest_pass", instance
        case caveats, policy, disposition, policyDomain = "policy_domain"
        case addedFromLine = "added_from_line", condition = "would_verify_if", requirements
    }

    private typealias Object = KeyedEncodingContainer<Key>

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        var list = object.nestedUnkeyedContainer(forKey: .dkim)
        for result in dkim.results {
            var item = list.nestedContainer(keyedBy: Key.self)
            try Self.encode(result, to: &item)
            try item.encode(additions[result.fieldPosition], forKey: .addedFromLine)
            try item.encode(conditions[result.fieldPosition], forKey: .condition)
        }
        if let spf {
            var item = object.nestedContainer(keyedBy: Key.self, forKey: .spf)
            try item.encode(spf.result.rawValue, forKey: .result)
            try item.encode(spf.sentence, forKey: .reason)
            try item.encode(spf.domain?.ascii, forKey: .domain)
            try item.encode(spf.request.identity.rawValue, forKey: .identity)
        }
        var chain = object.nestedContainer(keyedBy: Key.self, forKey: .arc)
        try encodeChain(to: &chain)
        var policy = object.nestedContainer(keyedBy: Key.self, forKey: .dmarc)
        try encodePolicy(to: &policy)
        try object.encode(caveats, forKey: .caveats)
        try object.encode(requirements, forKey: .requirements)
        try object.encode(unfoldedResults, forKey: .authenticationResults)
    }

    /// The field's value on one line.
    private var unfoldedResults: String {
        String(decoding: authenticationResults.fieldValue().dropFirst(), as: UTF8.self)
            .replacing("\n\t", with: " ")
    }

    private static func encode(_ result: DKIMResult, to object: inout Object) throws {
        try object.encode(result.status.rawValue, forKey: .result)
        try object.encode(result.reason.description, forKey: .reason)
        try object.encode(result.domain?.ascii, forKey: .domain)
        try object.encode(result.selector?.ascii, forKey: .selector)
        try object.encode(result.algorithm?.rawValue, forKey: .algorithm)
    }

    /// The chain names its sealers, the first at the head.
    private func encodeChain(to object: inout Object) throws {
        try object.encode(arc.status.rawValue, forKey: .result)
        try object.encode(arc.reason.description, forKey: .reason)
        try object.encode(arc.oldestPass, forKey: .oldestPass)
        var list = object.nestedUnkeyedContainer(forKey: .chain)
        for hop in arc.hops {
            var item = list.nestedContainer(keyedBy: Key.self)
            try item.encode(hop.instance, forKey: .instance)
            try item.encode(hop.domain?.ascii, forKey: .domain)
            try item.encode(hop.selector?.ascii, forKey: .selector)
            try item.encode(hop.chainStatus?.rawValue, forKey: .result)
        }
    }

    /// `domain` is the author's; `policy` is what the record of `policy_domain` says for it, `disposition` what it asks for now.
    private func encodePolicy(to object: inout Object) throws {
        let author = dmarc.deciding
        try object.encode(dmarc.result.rawValue, forKey: .result)
        try object.encode(dmarc.sentence, forKey: .reason)
        try object.encode(author?.domain.ascii, forKey: .domain)
        try object.encode(author?.policy?.published.rawValue, forKey: .policy)
        try object.encode(author?.policy?.domain.ascii, forKey: .policyDomain)
        try object.encode(dmarc.disposition.rawValue, forKey: .disposition)
    }
}

import Configuration
import DaemonKit
import DaemonResolver
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import MilterDaemon
import Traffic

/// Reading directives into the parts of a configuration; everything wrong is reported to the reader.
extension DKIMConfiguration {
    static func mode(_ reader: ConfigurationReader) -> Mode {
        switch reader.text("Mode") {
        case "s": .sign
        case "v": .verify
        default: [.sign, .verify]
        }
    }

    static func traffic(_ reader: ConfigurationReader) -> TrafficPolicy {
        TrafficPolicy(
            peers: reader.peerSet("PeerList") ?? PeerSet(),
            internalHosts: reader.peerSet("InternalHosts") ?? PeerSet(),
            listeners: reader.dataSet("MTA"),
            macrosOfOurs: reader.macroConditions("MacroList"),
            macrosOfOthers: reader.macroConditions("MacroListVerify"))
    }

    static func recipe(_ reader: ConfigurationReader) -> SigningRecipe {
        var recipe = SigningRecipe()
        recipe.canonicalization = canonicalization(reader.text("Canonicalization"))
        recipe.signedFields =
            FieldNameList(reader, "SignHeaders")?.applied(to: SigningRecipe.recommendedFields)
            ?? SigningRecipe.recommendedFields
        recipe.omittedFields = Set(
            FieldNameList(reader, "OmitHeaders")?.applied(to: omittedByDefault) ?? omittedByDefault)
        recipe.oversignedFields = FieldNameList.names(
            reader, "OversignHeaders", default: recipe.oversignedFields)
        let lifetime = reader.duration("SignatureTTL")?.components.seconds ?? 0
        recipe.lifetime = lifetime > 0 ? lifetime : nil
        recipe.copiesFields = reader.boolean("Diagnostics")
        return recipe
    }

    /// What opendkim.conf(5) omits by default.
    private static let omittedByDefault: [FieldPattern] = [
        "Return-Path", "Received", "Comments", "Keywords", "Bcc", "Resent-Bcc", "DKIM-Signature",
    ]

    private static func canonicalization(_ text: String?) -> CanonicalizationPair {
        switch text {
        case "relaxed/relaxed": CanonicalizationPair(header: .relaxed, body: .relaxed)
        // One word names the header's, and the body's is simple (opendkim.conf(5)).
        case "relaxed", "relaxed/simple": CanonicalizationPair(header: .relaxed, body: .simple)
        case "simple/relaxed": CanonicalizationPair(header: .simple, body: .relaxed)
        default: CanonicalizationPair(header: .simple, body: .simple)
        }
    }

    static func verification(
        _ reader: ConfigurationReader, answerSeconds: Double
    ) -> EvaluationOptions {
        var options = EvaluationOptions(answerSeconds: answerSeconds)
        options.dkim = verifier(reader)
        return options
    }

    private static func verifier(_ reader: ConfigurationReader) -> DKIMVerifierOptions {
        var options = DKIMVerifierOptions()
        options.maximumSignatures =
            reader.integer("MaximumSignaturesToVerify") ?? options.maximumSignatures
        options.minimumKeyBits = minimumKeyBits(reader) ?? options.minimumKeyBits
        options.clockDrift =
            reader.duration("ClockDrift")?.components.seconds ?? options.clockDrift
        options.mustBeSigned = FieldNameList.names(reader, "MustBeSigned")
        options.singletonFields = FieldNameList.names(
            reader, "SingletonHeaders", default: options.singletonFields)
        return options
    }

    private static func minimumKeyBits(_ reader: ConfigurationReader) -> Int? {
        guard let bits = reader.integer("MinimumKeyBits") else { return nil }
        if (1..<1024).contains(bits) {
            reader.report(
                .warning, "MinimumKeyBits", "keys of fewer than 1024 bits never count (RFC 8301)",
                suggestion: "write 1024 or more")
        }
        return bits
    }

    /// Reads the records of TestPublicKeys and TestDNSData: a name, and the text of its TXT record.
    static func testKeys(_ reader: ConfigurationReader) -> [ZoneRecord]? {
        let directives = ["TestPublicKeys", "TestDNSData"].filter { reader.isSet($0) }
        guard !directives.isEmpty else { return nil }
        var records: [ZoneRecord] = []
        for directive in directives {
            for entry in reader.dataSet(directive)?.entries ?? [] {
                guard let name = try? DomainName(entry.key), let text = entry.value else {
                    reader.report(
                        ConfigurationProblem(
                            .error, at: entry.location, directive: directive,
                            "\"\(entry.key)\" is not a name with a record",
                            suggestion: "write SELECTOR._domainkey.DOMAIN and the record"))
                    continue
                }
                records.append(ZoneRecord(name, .txt, .text([Array(text.utf8)])))
            }
        }
        return records
    }

    static func results(_ reader: ConfigurationReader) -> ResultsPolicy {
        var policy = ResultsPolicy()
        policy.authservID = reader.text("AuthservID")
        if policy.authservID == "HOSTNAME" { policy.authservID = HostName.current }
        policy.withJobID = reader.boolean("AuthservIDWithJobID")
        policy.keepsForgeries = reader.boolean("KeepAuthResults")
        policy.removedHosts = reader.domainSet("RemoveARFrom") ?? DomainSet()
        policy.removesAllMethods = reader.boolean("RemoveARAll")
        policy.always = reader.boolean("AlwaysAddARHeader")
        policy.withoutHeaderB = reader.boolean("NoHeaderB")
        return policy
    }

    static func actions(_ reader: ConfigurationReader) -> Actions {
        let blanket = reader.word("On-Default", as: Actions.Action.self)
        func action(_ name: String) -> Actions.Action? {
            if let blanket, !reader.isSet(name) { return blanket }
            return reader.word(name, as: Actions.Action.self)
        }
        // "Cryptographic signature verification failures MUST NOT provoke 4xx SMTP replies" (RFC 6376, section
        // 6.3), and a message without a signature has none the next time either.
        func lastingAction(_ name: String) -> Actions.Action {
            let action = action(name) ?? .accept
            guard action == .tempfail else { return action }
            let source = reader.isSet(name) ? name : "On-Default"
            reader.report(
                .warning, source,
                "tempfail would have clients repeat what cannot succeed (RFC 6376, section 6.3): "
                    + "for \(name) the message is rejected",
                suggestion: "write \(name) reject, or accept")
            return .reject
        }
        var actions = Actions()
        actions.badSignature = lastingAction("On-BadSignature")
        actions.dnsError = action("On-DNSError") ?? .tempfail
        actions.internalError = action("On-InternalError") ?? .tempfail
        actions.keyNotFound = action("On-KeyNotFound") ?? .accept
        actions.noSignature = lastingAction("On-NoSignature")
        actions.security = action("On-Security") ?? .tempfail
        actions.signatureError = action("On-SignatureError") ?? .reject
        if reader.boolean("Quarantine") { actions.badSignature = .quarantine }
        if reader.boolean("CaptureUnknownErrors") { actions.internalError = .quarantine }
        return actions
    }
}

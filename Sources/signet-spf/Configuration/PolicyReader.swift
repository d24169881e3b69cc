import Configuration
import MailSyntax

/// Reads the directives that recipients may have of their own: for all of them, and for each who does.
struct PolicyReader {
    private let reader: ConfigurationReader
    /// Whether a directive that is not given leaves the policy as it is, rather than at the default.
    private let keepsOthers: Bool

    /// Prepares to read.
    init(_ reader: ConfigurationReader, keepsOthers: Bool = false) {
        self.reader = reader
        self.keepsOthers = keepsOthers
    }

    /// The directives that are read here.
    static let directives = [
        "HELO_reject", "Mail_From_reject", "No_Mail", "Reject_Not_Pass_Domains",
        "PermError_reject", "TempError_Defer", "TestOnly", "HELO_pass_restriction",
        "Mail_From_pass_restriction", "SPF_Enhanced_Status_Codes", "Reason_Message", "Void_Limit",
        "skip_addresses", "Whitelist", "HELO_Whitelist", "Domain_Whitelist",
        "Domain_Whitelist_PTR", "Whitelist_Lookup_Time",
    ]

    /// Reads all of them into a policy.
    func read(into policy: inout Policy) {
        take("HELO_reject") { policy.helo = strictness($0) ?? .fail }
        take("Mail_From_reject") { policy.mailFrom = strictness($0) ?? .fail }
        take("No_Mail") { policy.refusesOnlyNoMail = reader.boolean($0) }
        take("Reject_Not_Pass_Domains") { name in
            policy.notPassDomains = domainSet(name)
            if !policy.notPassDomains.isEmpty { warnOfNeutral(name) }
        }
        take("PermError_reject") { policy.refusesPermError = reader.boolean($0) }
        take("TempError_Defer") { policy.defersTempError = reader.boolean($0) }
        take("TestOnly") { policy.isTest = reader.integer($0) == 0 }
        take("HELO_pass_restriction") { policy.heloPassRestriction = text($0) }
        take("Mail_From_pass_restriction") { policy.mailFromPassRestriction = text($0) }
        take("SPF_Enhanced_Status_Codes") { policy.givesEnhancedCodes = reader.boolean($0) }
        take("Reason_Message") { policy.reason = reason($0) }
        take("Void_Limit") { policy.voidLimit = reader.integer($0) ?? 2 }
        take("skip_addresses") { policy.exemptions.local = [peerSet($0)] }
        take("Whitelist") { policy.exemptions.relays = peerSet($0) }
        take("HELO_Whitelist") { policy.exemptions.heloNames = domainSet($0) }
        take("Domain_Whitelist") { policy.exemptions.domains = domains($0) }
        take("Domain_Whitelist_PTR") { policy.exemptions.hostDomains = domains($0) }
        take("Whitelist_Lookup_Time") { name in
            policy.exemptions.seconds =
                reader.duration(name).map { Double($0.components.seconds) } ?? 10
        }
    }

    private func take(_ directive: String, _ body: (String) -> Void) {
        if !keepsOthers || reader.isSet(directive) { body(directive) }
    }

    private func strictness(_ directive: String) -> Policy.Strictness? {
        let word = reader.word(directive, as: Policy.Strictness.self)
        if word == .notPass { warnOfNeutral(directive) }
        return word
    }

    /// Tells where the peer, by its own manual against the standard, refuses what is not refused here.
    private func warnOfNeutral(_ directive: String) {
        reader.report(
            .warning, directive,
            "does not refuse neutral, unlike policyd-spf: it is treated like none (RFC 7208, section 8.2)"
        )
    }

    /// A text; the word "None", which policyd-spf.conf(5) gives for the default, is none.
    private func text(_ directive: String) -> String? {
        guard let text = reader.text(directive), text.lowercased() != "none" else { return nil }
        return text
    }

    private func peerSet(_ directive: String) -> PeerSet {
        text(directive) == nil ? PeerSet() : reader.peerSet(directive) ?? PeerSet()
    }

    private func domainSet(_ directive: String) -> DomainSet {
        text(directive) == nil ? DomainSet() : reader.domainSet(directive) ?? DomainSet()
    }

    private func domains(_ directive: String) -> [DomainName] {
        guard text(directive) != nil else { return [] }
        guard let set = reader.dataSet(directive) else { return [] }
        reader.warnOfPatterns(in: set, directive: directive)
        return set.entries.compactMap { entry in
            // Subdomains are meant anyway where they count, so that the peers' leading dot says no more.
            let name = entry.key.hasPrefix(".") ? String(entry.key.dropFirst()) : entry.key
            if let domain = try? DomainName(name), domain.labelCount > 0 { return domain }
            reader.report(
                ConfigurationProblem(
                    .error, at: entry.location, directive: directive,
                    "\"\(entry.key)\" is not a domain name"))
            return nil
        }
    }

    private func reason(_ directive: String) -> ReasonTemplate {
        do throws(ReasonTemplate.Fault) {
            let template = try ReasonTemplate(
                parsing: reader.text(directive) ?? ReasonTemplate.standardText)
            if template.uses(.url) {
                reader.report(
                    .warning, directive,
                    "{url} named a web site that is gone, and is replaced by nothing",
                    suggestion: "take it out; {spf} tells mechanism and domain")
            }
            return template
        } catch {
            let names = ReasonTemplate.Placeholder.allCases.map { "{\($0.rawValue)}" }
            reader.report(
                .error, directive, error.message,
                suggestion: "the placeholders are " + names.joined(separator: " "))
            return .standard
        }
    }
}

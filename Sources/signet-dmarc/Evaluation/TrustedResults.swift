import MailAuth
import MailSyntax

/// Results that another filter of this host, or a host before it, has left in the header section.
///
/// They count only where the administrator names the host and turns our own evaluation off. Of each host the topmost field counts,
/// as that is the one it has just added; forgeries stand below it.
///
/// Trust: any header section. A field that could be read in two ways counts for nothing, and so do all below it of the same host.
struct TrustedResults {
    /// What is taken from whom.
    struct Policy: Sendable {
        /// Whose results count, the first before the others.
        var hosts: [AuthservID] = []
        /// Whether SPF is evaluated here.
        var evaluatesSPF = true
        /// Whether DKIM is evaluated here.
        var evaluatesDKIM = true
        /// Whether SPF results are never taken.
        var ignoresSPF = false
    }

    /// What SPF found, as reported; nil where nobody reported it.
    let spf: MethodResult?
    /// What DKIM found, as reported.
    let dkim: [MethodResult]

    /// The most results that are taken over.
    private static let limit = 32

    /// Reads a header section.
    init(in header: HeaderSection, _ policy: Policy) {
        var spf: MethodResult?
        var dkim: [MethodResult] = []
        for host in policy.hosts {
            guard let field = Self.topmost(of: host, in: header) else { continue }
            // "the parser SHOULD ignore a method result if the version is not supported" (RFC 8601, section 2.6)
            let results = field.results.filter(\.isSupportedVersion)
            if spf == nil { spf = results.first { $0.method == "spf" } }
            if dkim.isEmpty {
                dkim = Array(results.filter { $0.method == "dkim" }.prefix(Self.limit))
            }
        }
        self.spf = policy.ignoresSPF || policy.evaluatesSPF ? nil : spf
        self.dkim = policy.evaluatesDKIM ? [] : dkim
    }

    private static func topmost(
        of host: AuthservID, in header: HeaderSection
    ) -> AuthenticationResults? {
        for position in header.indices(named: .authenticationResults) {
            let value = header.bytes.span.extracting(header.fields[position].value)
            guard AuthenticationResults.claims(value, host) else { continue }
            let results = AuthenticationResults(parsing: value)
            let isSound =
                results.authservID == host && results.isWellFormed && results.isSupportedVersion
            return isSound ? results : nil
        }
        return nil
    }

    /// The SPF identifier: only if it is of this very message's reverse-path, or HELO name where that is null.
    func spfIdentifier(_ request: SPFRequest?) -> DMARCIdentifier? {
        guard let spf, let result = SPFResult(rawValue: spf.result), let request,
            let domain = request.domain
        else { return nil }
        let isNull = request.envelopeFrom?.isEmpty ?? true
        let named =
            isNull ? spf["smtp", "helo"] ?? spf["smtp", "mailfrom"] : spf["smtp", "mailfrom"]
        guard let named, let text = named.split(separator: "@").last,
            let reported = try? DomainName(text), reported == domain
        else { return nil }
        return .spf(result, domain: domain)
    }

    /// The DKIM identifiers: of each result that names its signing domain.
    var dkimIdentifiers: [DMARCIdentifier] {
        dkim.compactMap { result in
            guard let status = DKIMStatus(rawValue: result.result),
                let domain = result["header", "d"].flatMap({ try? DomainName($0) })
            else { return nil }
            return .dkim(
                status, domain: domain,
                selector: result["header", "s"].flatMap { try? DomainName($0) })
        }
    }
}

import MailAuth
import MailSyntax

/// Results that another filter of this host, or a host before it, has left in the header section.
///
/// They count only where the administrator names the host and turns our own evaluation off (RFC 8601, section 4.1). A host adds its
/// fields on top, one for all tests or one for each (section 4), so those count that stand together there: above the first Received
/// field, and above the first field of anybody else. Forgeries stand below.
///
/// Trust: any header section. A field that could be read in two ways counts for nothing, and so do all below it.
struct TrustedResults {
    /// What is taken from whom.
    struct Policy: Sendable {
        /// Whose results count, the first before the others.
        var hosts: [AuthservID] = []
        /// Which of their fields count.
        var fields = Fields.together
        /// Whether SPF is evaluated here.
        var evaluatesSPF = true
        /// Whether DKIM is evaluated here.
        var evaluatesDKIM = true
        /// Whether SPF results are never taken.
        var ignoresSPF = false
    }

    /// Which fields of a host count (TrustedResultsFields).
    enum Fields: String, Sendable {
        /// All that stand together.
        case together
        /// The topmost of these.
        case topmost
    }

    /// What SPF found for the sender of this message, as reported; nil where nobody reported it.
    let spf: MethodResult?
    /// What DKIM found, as reported.
    let dkim: [MethodResult]
    /// Why there is no result of SPF, where there is none.
    let whyNoSPF: String

    /// The most results that are taken over.
    private static let limit = 32

    /// Reads a header section.
    ///
    /// - Parameters:
    ///   - header: the header section.
    ///   - policy: whose results count.
    ///   - request: the sender that SPF results must be of.
    init(in header: HeaderSection, _ policy: Policy, _ request: SPFRequest?) {
        let fields = Self.fields(in: header, policy)
        var spf: MethodResult?
        var dkim: [MethodResult] = []
        for host in policy.hosts {
            let results = fields.filter { $0.host == host }.map { field in
                field.results.filter(\.isRegistered)
            }.prefix(policy.fields == .topmost ? 1 : .max)
            if spf == nil { spf = Self.spf(results.joined(), request) }
            if dkim.isEmpty { dkim = Self.dkim(Array(results)) }
        }
        self.spf = policy.ignoresSPF || policy.evaluatesSPF ? nil : spf
        self.dkim = policy.evaluatesDKIM ? [] : dkim
        whyNoSPF = policy.evaluatesSPF ? "no sender domain to check" : "not evaluated here"
    }

    /// The fields that stand together on top, of hosts that are trusted.
    private static func fields(
        in header: HeaderSection, _ policy: Policy
    ) -> [(host: AuthservID, results: [MethodResult])] {
        guard !policy.hosts.isEmpty else { return [] }
        let end = header.indices(named: .received).first ?? header.count
        var found: [(host: AuthservID, results: [MethodResult])] = []
        for position in header.indices(named: .authenticationResults) {
            guard position < end, found.count < limit else { break }
            let results = AuthenticationResults(
                parsing: header.bytes.span.extracting(header.fields[position].value))
            guard results.isWellFormed, results.isSupportedVersion,
                !results.results.contains(where: \.contradictsItself),
                let host = policy.hosts.first(where: { $0 == results.authservID })
            else { break }
            found.append((host, results.results))
        }
        return found
    }

    /// The SPF result of this very message's reverse-path, or of the HELO name where that is null.
    ///
    /// One of another is of another transaction. Where two contradict, neither counts.
    private static func spf(
        _ results: some Sequence<MethodResult>, _ request: SPFRequest?
    ) -> MethodResult? {
        let mine = results.filter { $0.method == "spf" && isOf(request, $0) }
        guard let first = mine.first, mine.allSatisfy({ $0.result == first.result }) else {
            return nil
        }
        return first
    }

    private static func isOf(_ request: SPFRequest?, _ result: MethodResult) -> Bool {
        guard let request, let domain = request.domain else { return false }
        let isNull = request.envelopeFrom?.isEmpty ?? true
        let named =
            isNull
            ? result["smtp", "helo"] ?? result["smtp", "mailfrom"] : result["smtp", "mailfrom"]
        guard let named, let text = named.split(separator: "@").last,
            let reported = try? DomainName(text), reported == domain
        else { return false }
        // A service may give the domain alone; where it gives an address, it is the sender's.
        guard let at = named.lastIndex(of: "@"), at > named.startIndex else { return true }
        let local = Array(named[..<at].utf8)
        // RFC 7208, section 2.4: a null reverse-path is checked as postmaster at the HELO name.
        guard !isNull else { return named[..<at].lowercased() == "postmaster" }
        return local == request.localPart
            || local == AddressSyntax.quotedIfNeeded(localPart: request.localPart)
    }

    /// The DKIM results of a host's fields that nothing contradicts.
    private static func dkim(_ fields: [[MethodResult]]) -> [MethodResult] {
        var all: [(field: Int, result: MethodResult)] = []
        for (field, results) in fields.enumerated() {
            all += results.filter { $0.method == "dkim" }.map { (field, $0) }
        }
        all = Array(all.prefix(limit))
        return all.filter { one in
            !all.contains { other in
                other.result.result != one.result.result
                    && areOfOneSignature(
                        one.result, other.result, isOneField: one.field == other.field)
            }
        }.map(\.result)
    }

    /// Whether two results may be of one signature.
    ///
    /// Where "unequal authentication results are offered about the same signature from the same trusted authserv-id, that agent
    /// SHOULD ignore all such results" (RFC 6008, section 4). Within a field, results without "header.b" are of signatures of
    /// their own; in another field, one of the same domain may be of the same signature, and a "none" denies them all.
    private static func areOfOneSignature(
        _ a: MethodResult, _ b: MethodResult, isOneField: Bool
    ) -> Bool {
        if let a = a["header", "b"], let b = b["header", "b"] {
            return a.hasPrefix(b) || b.hasPrefix(a)
        }
        guard !isOneField else { return false }
        return a.result == "none" || b.result == "none" || a["header", "d"] == b["header", "d"]
    }

    /// The SPF identifier.
    func spfIdentifier(_ request: SPFRequest?) -> DMARCIdentifier? {
        guard let spf, let result = SPFResult(rawValue: spf.result) else { return nil }
        return .spf(result, domain: request?.domain)
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

extension MethodResult {
    /// Whether it gives a property twice, and not the same value.
    fileprivate var contradictsItself: Bool {
        var values: [String: String] = [:]
        for property in properties {
            let name = "\(property.ptype).\(property.name)"
            if let value = values.updateValue(property.value, forKey: name),
                value != property.value
            {
                return true
            }
        }
        return false
    }
}

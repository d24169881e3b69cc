/// What IANA's "Email Authentication Parameters" registers (RFC 8601, section 6).
///
/// "Downstream filters MUST ignore any result reported using a "result" not specified in the IANA "Result Code"
/// registry or a "ptype" not listed in the "Email Authentication Property Types" registry", and any "method they
/// do not specifically support" (RFC 8601, section 4.1).
extension MethodResult {
    /// Whether a reader may take the result for what it says.
    public var isRegistered: Bool {
        guard isSupportedVersion, let results = Self.registered[method] else { return false }
        return results.contains(result)
            && properties.allSatisfy { Self.propertyTypes.contains($0.ptype) }
    }

    /// The results of each method that is known here (RFC 8601, sections 2.7.1 to 2.7.4; RFC 8617, section 10.1;
    /// RFC 9989, section 9.2).
    private static let registered: [String: Set<String>] = [
        "dkim": ["none", "pass", "fail", "policy", "neutral", "temperror", "permerror"],
        "spf": [
            "none", "pass", "fail", "softfail", "policy", "neutral", "temperror", "permerror",
        ],
        "dmarc": ["none", "pass", "fail", "temperror", "permerror"],
        "arc": ["none", "pass", "fail"],
        "iprev": ["pass", "fail", "temperror", "permerror"],
        "auth": ["none", "pass", "fail", "temperror", "permerror"],
    ]

    /// RFC 8601, section 6.4, and "dns" of RFC 8904, section 4.
    private static let propertyTypes: Set<String> = ["body", "dns", "header", "policy", "smtp"]
}

internal import MailCrypto
public import ReportStore

/// What tells a report from all others: the same report has the same each time it is made.
public struct ReportIdentity: Hashable, Sendable {
    /// The domain whose policy was applied.
    public let policyDomain: String
    /// The domain of the receiver that reports.
    public let receiver: String
    /// The first second of the UTC day that is reported, since 1970.
    public let begin: Int64
    /// Its last second: days do not overlap (RFC 9990, section 3.1.1.3).
    public let end: Int64
    /// The "unique-id" of the file name and the "Report-ID", which "MUST be identical when used"
    /// (RFC 9990, section 3.1.4): 128 bits of a hash over all of this and the policy, in
    /// hexadecimal digits.
    public let reportID: String

    /// The identity of a domain's report about a day.
    ///
    /// - Parameters:
    ///   - policy: the policy that was applied: one configuration a report.
    ///   - day: the UTC day, in days since 1970.
    ///   - receiver: the domain of the receiver that reports.
    ///   - part: which report it is, from 1, where one would be too long.
    public init(_ policy: Evaluation.Policy, day: Int64, receiver: String, part: Int = 1) {
        policyDomain = Self.domainName(policy.domain)
        self.receiver = Self.domainName(receiver)
        begin = day * 86_400
        end = begin + 86_399
        var hash = SHA256()
        var parts = [
            receiver, policy.domain, String(day), policy.p, policy.sp ?? "", policy.np ?? "",
            policy.adkim, policy.aspf, policy.isTesting ? "y" : "n", policy.discovery,
            policy.failureOptions ?? "", policy.reportAddresses.joined(separator: " "),
            policy.failureAddresses.joined(separator: " "),
        ]
        if part > 1 { parts.append(String(part)) }
        let octets = Array(parts.joined(separator: "\n").utf8)
        hash.update(octets.span)
        reportID = hash.finish().prefix(16).map { octet in
            (octet < 16 ? "0" : "") + String(octet, radix: 16)
        }.joined()
    }

    /// The name of the compressed file: `filename` of RFC 9990, section 3.5.2.
    public var fileName: String {
        "\(receiver)!\(policyDomain)!\(begin)!\(end)!\(reportID).xml.gz"
    }

    /// The Subject: `dmarc-subject` of RFC 9990, section 3.5.2.
    public var subject: String {
        "Report Domain: \(policyDomain) Submitter: \(receiver) Report-ID: <\(reportID)>"
    }

    /// A name with nothing that a domain name cannot have: neither "!" nor "/" nor white space.
    private static func domainName(_ name: String) -> String {
        String(
            decoding: name.utf8.map { octet -> UInt8 in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: octet
                default: 0x5F
                }
            }, as: UTF8.self)
    }
}

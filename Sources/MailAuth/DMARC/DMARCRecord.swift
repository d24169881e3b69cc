internal import MailSyntax

/// A DMARC policy record (RFC 9989, sections 4.7 and 4.8).
///
/// Tags that do not mean what they should count as absent, and are listed in `faults`; `pct`, `rf` and
/// `ri` of RFC 7489 have no effect.
///
/// Trust: whatever somebody published; reading takes linear time, and what is kept is bounded.
public struct DMARCRecord: Hashable, Sendable {
    /// The "p" tag; nil where it is absent or invalid: see `isActionable` and `policy(_:)`.
    public internal(set) var policy: DMARCPolicy?
    /// The "sp" tag, for subdomains.
    public internal(set) var subdomainPolicy: DMARCPolicy?
    /// The "np" tag, for subdomains that do not exist.
    public internal(set) var nonexistentPolicy: DMARCPolicy?
    /// The "adkim" tag.
    public internal(set) var dkimAlignment = DMARCAlignmentMode.relaxed
    /// The "aspf" tag.
    public internal(set) var spfAlignment = DMARCAlignmentMode.relaxed
    /// The "fo" tag; the default where there is no "ruf" tag, without which it "MUST be ignored".
    public internal(set) var failureOptions = DMARCFailureOptions.default
    /// The valid addresses of the "rua" tag, for aggregate reports.
    public internal(set) var aggregateReportURIs: [DMARCReportURI] = []
    /// The valid addresses of the "ruf" tag, for failure reports.
    public internal(set) var failureReportURIs: [DMARCReportURI] = []
    /// The "psd" tag: whether the name is a public suffix.
    public internal(set) var publicSuffix = PublicSuffixFlag.unspecified
    /// The "t" tag: whether the policy is only being tested.
    public internal(set) var isTesting = false
    /// What is wrong with the record, or has no effect in it.
    public internal(set) var faults: [DMARCRecordFault] = []

    /// What the "psd" tag says.
    public enum PublicSuffixFlag: String, Hashable, Sendable {
        /// The name is a public suffix.
        case yes = "y"
        /// The name is no public suffix, but an organizational domain.
        case no = "n"
        /// The name is no public suffix, and may or may not be an organizational domain.
        case unspecified = "u"
    }

    /// Reads the text of a TXT record, its strings joined (RFC 9989, section 4.5).
    ///
    /// Nil where it is no DMARC record: "If the tag is not the first in the list, or the tag is absent, or
    /// the value is not "DMARC1", then the entire record MUST be ignored."
    public init?(parsing text: [UInt8]) {
        guard var parser = DMARCRecordParser(text) else { return nil }
        self = parser.parse()
    }

    init() {}

    /// Whether the policy tags can be followed: "p" is there, and neither it nor "sp" or "np" is invalid.
    var hasValidPolicies: Bool {
        policy != nil && !faults.contains(.malformed(.sp)) && !faults.contains(.malformed(.np))
            && !faults.contains(.repeated(.sp)) && !faults.contains(.repeated(.np))
    }

    /// Whether DMARC applies with this record: its policies are valid, or there is a valid address for
    /// aggregate reports, so that it counts as one with "p=none" (RFC 9989, section 4.10.1).
    public var isActionable: Bool { hasValidPolicies || !aggregateReportURIs.isEmpty }

    /// Which tag speaks for a message.
    public enum PolicyTag: String, Hashable, Sendable {
        /// The domain itself, and subdomains for want of a better tag.
        case p
        /// Subdomains.
        case sp
        /// Subdomains that do not exist.
        case np
    }

    /// The tag that speaks for subdomains of the record's domain, and what it asks for.
    ///
    /// - Parameter exists: whether the subdomain exists in the DNS.
    /// - Returns: the tag; "p" stands in for absent ones (RFC 9989, section 4.7, tags "np" and "sp").
    func subdomainTag(exists: Bool) -> PolicyTag {
        if !exists, nonexistentPolicy != nil { return .np }
        return subdomainPolicy != nil ? .sp : .p
    }

    /// What a tag asks for; "none" in a record whose policies are not valid (RFC 9989, section 4.10.1:
    /// "the Mail Receiver MUST act as if a record containing "p=none" was retrieved").
    public func policy(_ tag: PolicyTag) -> DMARCPolicy {
        guard hasValidPolicies else { return .none }
        let asked =
            switch tag {
            case .p: policy
            case .sp: subdomainPolicy
            case .np: nonexistentPolicy
            }
        return asked ?? .none
    }
}

/// The tags that mean, or have meant, something in a DMARC record.
public enum DMARCTag: String, Hashable, Sendable, CaseIterable {
    case v, p, sp, np, adkim, aspf, fo, rua, ruf, psd, t
    // Of RFC 7489, and without effect since RFC 9989.
    case pct, rf, ri

    /// Whether the tag has no effect any more (RFC 9989, appendix C.5.2).
    public var isHistoric: Bool { self == .pct || self == .rf || self == .ri }
}

/// What is wrong with a DMARC record, or has no effect in it.
public enum DMARCRecordFault: Hashable, Sendable {
    /// The tag's value is not of its form: the tag counts as absent.
    case malformed(DMARCTag)
    /// The tag is there more than once (RFC 6376, section 3.2): it counts as absent.
    case repeated(DMARCTag)
    /// The tag is one of RFC 7489's that have no effect any more.
    case historic(DMARCTag)
    /// The tag has addresses that are no URIs, or more than we keep; the others count.
    case unusableURIs(DMARCTag)
    /// There is something that is no tag.
    case unreadable
}

/// When failure reports are asked for (RFC 9989, section 4.7, tag "fo").
public struct DMARCFailureOptions: OptionSet, Hashable, Sendable {
    /// The options as bits.
    public let rawValue: UInt8

    /// Creates options from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// "0": if no mechanism produces an aligned pass.
    public static let allFail = DMARCFailureOptions(rawValue: 1)
    /// "1": if any mechanism does not produce an aligned pass.
    public static let anyFails = DMARCFailureOptions(rawValue: 2)
    /// "d": if a DKIM signature fails, whatever its alignment.
    public static let dkimFails = DMARCFailureOptions(rawValue: 4)
    /// "s": if SPF fails, whatever its alignment.
    public static let spfFails = DMARCFailureOptions(rawValue: 8)

    /// What holds without a tag.
    public static let `default`: DMARCFailureOptions = .allFail

    /// The options as the tag has them, with colons.
    public var text: String {
        let letters: [(DMARCFailureOptions, String)] = [
            (.allFail, "0"), (.anyFails, "1"), (.dkimFails, "d"), (.spfFails, "s"),
        ]
        return letters.filter { contains($0.0) }.map(\.1).joined(separator: ":")
    }

    /// Reads `dmarc-fo`: options between colons, each once, of "0" and "1" one at most (section 4.8).
    init?(parsing text: ArraySlice<UInt8>) {
        var options: DMARCFailureOptions = []
        for item in text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            let item = item.trimmingFoldingSpace()
            guard item.count == 1, let octet = item.first else { return nil }
            let option: DMARCFailureOptions
            switch octet.asciiLowercased {
            case UInt8(ascii: "0"): option = .allFail
            case UInt8(ascii: "1"): option = .anyFails
            case UInt8(ascii: "d"): option = .dkimFails
            case UInt8(ascii: "s"): option = .spfFails
            default: return nil
            }
            guard options.insert(option).inserted else { return nil }
        }
        guard !options.isSuperset(of: [.allFail, .anyFails]) else { return nil }
        self = options
    }
}

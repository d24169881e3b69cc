/// One message's DMARC evaluation, as reports need it (RFC 9990).
///
/// Trust: domains and results are well-formed text; `helo` and comments are what others wrote, made printable.
public struct Evaluation: Hashable, Sendable {
    /// The policy that applied to the author domain.
    public struct Policy: Hashable, Sendable {
        /// Where the record was found.
        public var domain: String
        /// The policy that applied: none, quarantine or reject.
        public var applied: String
        /// The record's tags; nil where it has none.
        public var p: String
        /// For subdomains.
        public var sp: String?
        /// For subdomains that do not exist.
        public var np: String?
        /// The alignment mode of DKIM: `r` or `s`.
        public var adkim: String
        /// The alignment mode of SPF: `r` or `s`.
        public var aspf: String
        /// Whether the record says that the domain only tests (`t=y`).
        public var isTesting: Bool
        /// How the record was found: treewalk or psl.
        public var discovery: String
        /// Where aggregate reports are to be sent: as many of the record's addresses as `longestReportAddresses` allows.
        public internal(set) var reportAddresses: [String]
        /// For which failures reports are wanted: the options of "fo", with colons.
        public var failureOptions: String?
        /// Where failure reports are to be sent; the store keeps as many octets of them.
        public var failureAddresses: [String]

        /// What stands for a value that is not of its tag's form, and for addresses that are no URIs.
        ///
        /// They count as absent, and reports say so ("error", RFC 9990, section 3.1.5).
        public static let invalid = "invalid"

        /// How many octets of addresses are kept, the spaces between them included: a record may have 60 kB of them.
        public static let longestReportAddresses = 2_048

        /// Creates a policy.
        public init(
            domain: String, applied: String, p: String, sp: String? = nil, np: String? = nil,
            adkim: String = "r", aspf: String = "r", isTesting: Bool = false,
            discovery: String = "treewalk", reportAddresses: [String] = [],
            failureOptions: String? = nil, failureAddresses: [String] = []
        ) {
            self.domain = domain
            self.applied = applied
            self.p = p
            self.sp = sp
            self.np = np
            self.adkim = adkim
            self.aspf = aspf
            self.isTesting = isTesting
            self.discovery = discovery
            var length = 0
            self.reportAddresses = Array(
                reportAddresses.prefix { address in
                    length += address.utf8.count + 1
                    return length <= Self.longestReportAddresses + 1
                })
            self.failureOptions = failureOptions
            self.failureAddresses = failureAddresses
        }
    }

    /// What SPF or DKIM found about one domain.
    public struct Authentication: Hashable, Sendable {
        /// `spf` or `dkim`.
        public var mechanism: String
        /// The domain.
        public var domain: String
        /// DKIM's selector.
        public var selector: String?
        /// SPF's identity: `mfrom` or `helo`.
        public var scope: String?
        /// The result word.
        public var result: String

        /// Creates a result.
        public init(
            mechanism: String, domain: String, selector: String? = nil, scope: String? = nil,
            result: String
        ) {
            self.mechanism = mechanism
            self.domain = domain
            self.selector = selector
            self.scope = scope
            self.result = result
        }
    }

    /// Who sealed one set of the ARC chain.
    public struct Seal: Hashable, Sendable {
        /// Its place in the chain, from 1.
        public var instance: Int
        /// The sealing domain.
        public var domain: String
        /// Its selector.
        public var selector: String

        /// Creates a seal.
        public init(instance: Int, domain: String, selector: String) {
            self.instance = instance
            self.domain = domain
            self.selector = selector
        }
    }

    /// Why less was done than the policy asks for.
    public struct Override: Hashable, Sendable {
        /// The type, in RFC 9990's words.
        public var kind: String
        /// Details for people.
        public var comment: String

        /// Creates a reason.
        public init(kind: String, comment: String) {
            self.kind = kind
            self.comment = comment
        }
    }

    /// When the message came: seconds since 1970.
    public var received: Int64
    /// Who evaluated: the authserv-id.
    public var reporter: String
    /// The MTA's name for the message.
    public var queueID: String?
    /// The client's address.
    public var sourceAddress: String?
    /// The client's HELO name.
    public var helo: String?
    /// The domain of the reverse-path; nil for the null one.
    public var envelopeFrom: String?
    /// The domain of the recipients; nil where they are of several, or have none.
    public var envelopeTo: String?
    /// The author domain.
    public var headerFrom: String
    /// The policy; nil where there is none.
    public var policy: Policy?
    /// DMARC's result word.
    public var result: String
    /// What was done: none, quarantine or reject.
    public var disposition: String
    /// Whether an aligned identifier of DKIM was authenticated.
    public var isDKIMAligned = false
    /// Whether an aligned identifier of SPF was authenticated.
    public var isSPFAligned = false
    /// The status of the ARC chain.
    public var arc = "none"
    /// The seals of the chain, newest first.
    public var seals: [Seal] = []
    /// Whether trusted sealers made up for a failure.
    public var isDecidedByChain = false
    /// What SPF and DKIM found.
    public var authentications: [Authentication] = []
    /// Why less was done than the policy asks for.
    public var overrides: [Override] = []

    /// Creates an evaluation with what every message has.
    public init(
        received: Int64, reporter: String, headerFrom: String, result: String, disposition: String
    ) {
        self.received = received
        self.reporter = reporter
        self.headerFrom = headerFrom
        self.result = result
        self.disposition = disposition
    }
}

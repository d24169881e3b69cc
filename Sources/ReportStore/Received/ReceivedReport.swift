package import MailSyntax

/// A report that was received, as it is stored and shown.
///
/// What it says is a stranger's word: every text in it is bounded, and none is trusted.
package struct ReceivedReport: Hashable, Sendable {
    /// The kinds of reports.
    package enum Kind: String, CaseIterable, Sendable {
        /// Counts of messages (RFC 9990, RFC 7489).
        case aggregate
        /// One message that failed (RFC 9991, RFC 6591).
        case failure
        /// Counts of TLS sessions (RFC 8460).
        case tls
    }

    /// What kind of report it is.
    package var kind: Kind
    /// Who made it, as the report says.
    package var reporter = ""
    /// The organizational domain of the reporter, by which duplicates are known.
    package var reporterDomain = ""
    /// The Report-ID.
    package var id = ""
    /// The policy domain: whom it is about.
    package var domain = ""
    /// The first second of its period, since 1970.
    package var begin: Int64 = 0
    /// The last second of its period, since 1970.
    package var end: Int64 = 0
    /// How many records were read.
    package var records = 0
    /// How many messages, or TLS sessions, these count.
    package var messages: Int64 = 0
    /// What deviates from the standards, in words that the reporter could act on.
    package var notes: [String] = []
    /// The policy that the reporter found.
    package var policy = ReceivedPolicy()
    /// What was found of messages, each once.
    package var verdicts: [ReceivedVerdict] = []
    /// How many messages of which source had which verdict.
    package var counts: [ReceivedCount] = []
    /// The message of a failure report.
    package var failure: ReceivedFailure?
    /// The policies of a TLS report.
    package var sessions: [ReceivedSessions] = []

    /// An empty report.
    package init(kind: Kind) { self.kind = kind }

    /// The UTC day that most of its period is in, in days since 1970.
    package var day: Int64 { (begin / 2 + end / 2) / 86_400 }
}

/// A policy as the reporter found it published; empty where the report does not say.
package struct ReceivedPolicy: Hashable, Sendable {
    /// The policy for the domain.
    package var p = ""
    /// The policy for its subdomains.
    package var sp = ""
    /// The policy for names that do not exist.
    package var np = ""
    /// The alignment mode of DKIM.
    package var adkim = ""
    /// The alignment mode of SPF.
    package var aspf = ""

    /// An unknown policy.
    package init() {}
}

/// What a reporter found and did: all that rows have in common but source and number.
package struct ReceivedVerdict: Hashable, Sendable {
    /// A DKIM signature and its result.
    package struct Signature: Hashable, Sendable {
        /// The signing domain.
        package var domain: String
        /// The selector; empty where the report does not say.
        package var selector: String
        /// The result, a word of RFC 8601.
        package var result: String

        /// A signature.
        package init(domain: String, selector: String, result: String) {
            self.domain = domain
            self.selector = selector
            self.result = result
        }
    }

    /// The domain of the From field.
    package var headerFrom = ""
    /// The domain of the reverse-path; empty where there is none, or where the report does not say.
    package var envelopeFrom = ""
    /// The domain of the recipient.
    package var envelopeTo = ""
    /// What was done: none, pass, quarantine or reject.
    package var disposition = "none"
    /// Whether an aligned signature passed.
    package var isDKIMAligned = false
    /// Whether SPF passed for an aligned domain.
    package var isSPFAligned = false
    /// The signatures.
    package var signatures: [Signature] = []
    /// The domain that SPF was evaluated for.
    package var spfDomain = ""
    /// The result of SPF, a word of RFC 8601; empty where the report does not say.
    package var spfResult = ""
    /// Why the policy was not applied: a line with the type and the comment for each reason.
    package var reasons = ""

    /// A verdict that failed.
    package init() {}

    /// Whether DMARC passed.
    package var isPass: Bool { isDKIMAligned || isSPFAligned }
}

/// How many messages of a source had a verdict.
package struct ReceivedCount: Hashable, Sendable {
    /// The client's address.
    package var source: IPAddress
    /// The index of the verdict.
    package var verdict: Int
    /// How many messages.
    package var messages: Int64

    /// A count.
    package init(source: IPAddress, verdict: Int, messages: Int64) {
        self.source = source
        self.verdict = verdict
        self.messages = messages
    }
}

/// The message that a failure report is about, without what is private in it.
package struct ReceivedFailure: Hashable, Sendable {
    /// The client's address, as the report writes it.
    package var source = ""
    /// The domain of the From field.
    package var headerFrom = ""
    /// The domain of the reverse-path.
    package var envelopeFrom = ""
    /// What failed: "Auth-Failure" (RFC 6591, section 3.1).
    package var failure = ""
    /// What was done: "Delivery-Result".
    package var delivery = ""
    /// The value of "Authentication-Results".
    package var results = ""

    /// An empty failure.
    package init() {}
}

/// What a TLS report says of one policy (RFC 8460, section 4.4).
package struct ReceivedSessions: Hashable, Sendable {
    /// Sessions that failed in one way.
    package struct Failure: Hashable, Sendable {
        /// The result type (section 4.3).
        package var type: String
        /// The receiving MX host.
        package var host: String
        /// The address of the sending MTA.
        package var source: String
        /// How many sessions.
        package var sessions: Int64
        /// The failure reason code.
        package var reason: String

        /// A failure.
        package init(
            type: String, host: String, source: String, sessions: Int64, reason: String
        ) {
            self.type = type
            self.host = host
            self.source = source
            self.sessions = sessions
            self.reason = reason
        }
    }

    /// The domain.
    package var domain = ""
    /// sts, tlsa or no-policy-found.
    package var type = ""
    /// How many sessions succeeded.
    package var successful: Int64 = 0
    /// How many failed.
    package var failed: Int64 = 0
    /// How they failed.
    package var failures: [Failure] = []

    /// No sessions.
    package init() {}
}

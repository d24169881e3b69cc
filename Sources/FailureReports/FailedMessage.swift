package import MailAuth
package import MailSyntax

/// A message that failed, with what a report says about it.
///
/// Trust: everything is what a stranger sent.
package struct FailedMessage: Sendable {
    /// What became of a message (RFC 6591, section 3.2.2).
    package enum Delivery: String, Sendable {
        /// It was delivered, marked or not.
        case delivered
        /// It was kept from its recipients.
        case policy
        /// It was refused.
        case reject
    }

    /// When it came, in seconds since 1970.
    package let received: Int64
    /// Who evaluated it.
    package let authservID: AuthservID
    /// The MTA's name for it.
    package let queueID: String?
    /// The client's address.
    package let source: IPAddress?
    /// The reverse-path.
    package let reversePath: EnvelopeAddress?
    /// What DMARC came to for the author domain that the result is of.
    package let author: DMARCAuthorEvaluation
    /// SPF's outcome; nil where there was nothing to check.
    package let spf: SPFOutcome?
    /// What was found about each signature.
    package let signatures: [DKIMResult]
    /// What became of it.
    package let delivery: Delivery
    /// Its header section, as it came.
    package let header: HeaderSection
    /// Its body, as it came; nil where that is not wanted, or too long.
    package let body: [UInt8]?

    /// Collects what is known.
    package init(
        received: Int64, authservID: AuthservID, queueID: String?, source: IPAddress?,
        reversePath: EnvelopeAddress?, author: DMARCAuthorEvaluation, spf: SPFOutcome?,
        signatures: [DKIMResult], delivery: Delivery, header: HeaderSection,
        body: [UInt8]?
    ) {
        self.received = received
        self.authservID = authservID
        self.queueID = queueID
        self.source = source
        self.reversePath = reversePath
        self.author = author
        self.spf = spf
        self.signatures = signatures
        self.delivery = delivery
        self.header = header
        self.body = body
    }

    /// Whether it is a report, or an answer from a program: "Unaligned reports may in turn produce subsequent failure reports that
    /// could cause mail loops" (RFC 9991, section 5.1).
    ///
    /// - Parameters:
    ///   - reversePath: the envelope's sender; nil where it cannot be read.
    ///   - header: the header section.
    /// - Returns: whether it is.
    package static func isAutomatic(_ reversePath: ReversePath?, _ header: HeaderSection) -> Bool {
        // What has no readable sender cannot be told from a notification.
        guard let reversePath, reversePath != .null else { return true }
        // RFC 3834, section 5: any keyword but "no".
        let isAnswer = header.indices(named: "Auto-Submitted").contains { position in
            let word = header.value(of: position).trimmingFoldingSpace()
                .prefix { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") }
            return !word.equalsIgnoringASCIICase("no".utf8)
        }
        return isAnswer
            || header.indices(named: "Content-Type").contains { position in
                let type = header.value(of: position).trimmingFoldingSpace().prefix(16)
                return type.equalsIgnoringASCIICase("multipart/report".utf8)
            }
    }
}

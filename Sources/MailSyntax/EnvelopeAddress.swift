/// A mailbox of the SMTP envelope (RFC 5321, section 4.1.2).
///
/// Trust: made from what a client said. The domain is valid in form; the local-part is any octets without
/// controls, UTF-8 as a rule but not surely: Postfix passes others on where SMTPUTF8 was not asked for.
public struct EnvelopeAddress: Hashable, Sendable {
    /// The part after the "@".
    public enum Host: Hashable, Sendable {
        /// A domain name.
        case domain(DomainName)
        /// An address literal, without its brackets, as it was written (RFC 5321, section 4.1.3).
        case literal([UInt8])
    }

    /// The local-part, without quotes.
    public let localPart: [UInt8]

    /// The part after the "@"; nil for `<Postmaster>` and local names such as Postfix may pass on.
    public let host: Host?

    /// Creates an address.
    public init(localPart: [UInt8], host: Host?) {
        self.localPart = localPart
        self.host = host
    }

    /// The domain, if there is one and it is no literal.
    public var domain: DomainName? {
        if case .domain(let domain) = host { domain } else { nil }
    }

    /// The address without angle brackets: the local-part quoted where it must be, the domain in ASCII.
    ///
    /// Octets that are not UTF-8 are replaced: this is for display, and for fields that report.
    public var text: String {
        let local = String(
            decoding: AddressSyntax.quotedIfNeeded(localPart: localPart), as: UTF8.self)
        return switch host {
        case .domain(let domain): local + "@" + domain.ascii
        case .literal(let literal): local + "@[" + String(decoding: literal, as: UTF8.self) + "]"
        case nil: local
        }
    }

    /// The form to compare addresses by, in lists such as DontSignMailTo: `text` with ASCII letters in
    /// lower case.
    ///
    /// RFC 5321, section 2.4, would have local-parts compared exactly; hosts that tell `A@x` and `a@x`
    /// apart do not exist in practice, while lists with the wrong case do.
    public var comparisonForm: String { text.asciiLowercased }
}

extension EnvelopeAddress: CustomStringConvertible {
    /// The address without angle brackets.
    public var description: String { text }
}

/// The reverse-path of the envelope: the argument of MAIL FROM (RFC 5321, section 4.1.1.2).
public enum ReversePath: Hashable, Sendable {
    /// `<>`, the sender of notifications (RFC 5321, section 4.5.5).
    case null
    /// A mailbox.
    case mailbox(EnvelopeAddress)

    /// Reads a reverse-path as a milter or a policy server is given it, with or without angle brackets.
    ///
    /// ESMTP parameters after it are ignored, and so is a source route (RFC 5321, section 4.1.1.3 and
    /// appendix C). See `EnvelopePathError` for what is refused.
    public init(parsing text: Span<UInt8>) throws(EnvelopePathError) {
        let address = try EnvelopePathParser.parse(text)
        self = address.map(ReversePath.mailbox) ?? .null
    }

    /// The mailbox; nil for the null reverse-path.
    public var mailbox: EnvelopeAddress? {
        if case .mailbox(let mailbox) = self { mailbox } else { nil }
    }

    /// The mailbox's domain; nil for the null reverse-path, for address literals and for bare names.
    public var domain: DomainName? { mailbox?.domain }

    /// The path without angle brackets, "" for the null reverse-path.
    public var text: String { mailbox?.text ?? "" }
}

extension EnvelopeAddress {
    /// Reads a forward-path: the argument of RCPT TO (RFC 5321, section 4.1.1.3), as `ReversePath` does.
    public init(forwardPath text: Span<UInt8>) throws(EnvelopePathError) {
        guard let address = try EnvelopePathParser.parse(text) else {
            throw EnvelopePathError.missingLocalPart
        }
        self = address
    }
}

/// The name of a header field, compared without regard to ASCII case (RFC 5322, section 1.2.2).
///
/// Keeps the spelling it was made with, for writing.
///
/// Trust: any bytes; `isValid` says whether they may be a field name at all.
public struct FieldName: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name as it was spelled.
    public let text: String

    /// The octets in lower case.
    public let lowercased: [UInt8]

    /// Under which a header section files the name, so that a name made once is hashed once.
    let hash: UInt32

    /// Creates a name from text.
    public init(_ text: String) {
        self.init(text: text, lowercased: text.utf8.asciiLowercased)
    }

    /// Creates a name from the octets of a message; what is not UTF-8 is replaced in `text` only.
    public init(bytes: ArraySlice<UInt8>) {
        self.init(bytes: bytes.span)
    }

    /// Creates a name from the octets of a message; what is not UTF-8 is replaced in `text` only.
    public init(bytes: Span<UInt8>) {
        let text = unsafe bytes.withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
        self.init(text: text, lowercased: bytes.asciiLowercased)
    }

    private init(text: String, lowercased: [UInt8]) {
        self.text = text
        self.lowercased = lowercased
        hash = FieldIndex.hash(lowercased.span)
    }

    /// Creates a name from a literal.
    public init(stringLiteral value: StaticString) {
        self.init(value.description)
    }

    /// The name as it was spelled.
    public var description: String { text }

    /// Whether this is a field name of RFC 5322, section 3.6.8: visible ASCII without a colon.
    public var isValid: Bool {
        !lowercased.isEmpty && lowercased.allSatisfy { FieldName.isNameOctet($0) }
    }

    /// Whether an octet is ftext (RFC 5322, section 3.6.8).
    public static func isNameOctet(_ octet: UInt8) -> Bool {
        octet > 0x20 && octet < 0x7F && octet != 0x3A
    }
}

extension FieldName: Hashable {
    /// Whether two names are the same field's.
    public static func == (a: FieldName, b: FieldName) -> Bool {
        a.hash == b.hash && a.lowercased == b.lowercased
    }

    /// Hashes the lower-case name.
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

extension FieldName {
    /// The author's field (RFC 5322, section 3.6.2).
    public static let from: FieldName = "From"
    /// The transmitting agent's field (RFC 5322, section 3.6.2).
    public static let sender: FieldName = "Sender"
    /// Where replies go (RFC 5322, section 3.6.2).
    public static let replyTo: FieldName = "Reply-To"
    /// The primary recipients (RFC 5322, section 3.6.3).
    public static let to: FieldName = "To"
    /// The secondary recipients (RFC 5322, section 3.6.3).
    public static let cc: FieldName = "Cc"
    /// The subject (RFC 5322, section 3.6.5).
    public static let subject: FieldName = "Subject"
    /// When the message was written (RFC 5322, section 3.6.1).
    public static let date: FieldName = "Date"
    /// The message's identifier (RFC 5322, section 3.6.4).
    public static let messageID: FieldName = "Message-ID"
    /// A trace field (RFC 5321, section 4.4).
    public static let received: FieldName = "Received"
    /// The trace field that an SPF check leaves (RFC 7208, section 9.1).
    public static let receivedSPF: FieldName = "Received-SPF"
    /// The reverse-path of final delivery (RFC 5321, section 4.4).
    public static let returnPath: FieldName = "Return-Path"
    /// A signature (RFC 6376, section 3.5).
    public static let dkimSignature: FieldName = "DKIM-Signature"
    /// What was found about the message's authenticity (RFC 8601, section 2.2).
    public static let authenticationResults: FieldName = "Authentication-Results"
    /// The seal of an ARC set (RFC 8617, section 4.1.3).
    public static let arcSeal: FieldName = "ARC-Seal"
    /// The message signature of an ARC set (RFC 8617, section 4.1.2).
    public static let arcMessageSignature: FieldName = "ARC-Message-Signature"
    /// The authentication results of an ARC set (RFC 8617, section 4.1.1).
    public static let arcAuthenticationResults: FieldName = "ARC-Authentication-Results"
}

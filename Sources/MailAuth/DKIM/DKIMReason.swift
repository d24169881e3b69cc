public import MailDNS
public import MailSyntax

/// Why a signature has the result that it has.
public enum DKIMReason: Hashable, Sendable {
    /// The signature is valid.
    case valid
    /// The body is not the one that was signed.
    case bodyChanged
    /// The body is shorter than the part of it that was signed.
    case bodyTooShort
    /// The signed header fields are not those that were signed; the name of the first that differs,
    /// where the signature's own copy (`z=`) tells.
    case headerChanged(field: String?)
    /// The signature was made with another key than the published one, or is damaged.
    case otherKey
    /// Only the beginning of the body is signed (`l=`): so many octets are not.
    case unsignedBody(octets: UInt64)
    /// A field that local policy wants signed is not (RFC 6376, section 6.3: verifiers may).
    case unsignedField(String)
    /// A field that a message has once at most is there again, unsigned, beside the signed one.
    case unsignedDuplicate(String)
    /// The DKIM-Signature field is not as it must be.
    case signatureField(SignatureFieldError)
    /// The message has no From field, or several (RFC 5322, section 3.6): this many.
    case fromFields(Int)
    /// The signature is older than it says it may become, by this many seconds.
    case expired(seconds: Int64)
    /// The signature says that it was made in the future, by this many seconds.
    case fromTheFuture(seconds: Int64)
    /// A signed field holds a NUL octet, after which programs may have stopped reading it.
    case nulInField(String)
    /// The header section is larger than we read: what is missing could matter.
    case headerTooLarge
    /// There is no key record: under which name it was asked for, and whether that name exists.
    case noKey(DomainName, exists: Bool)
    /// No key record is usable; what is wrong with the first.
    case keyRecord(KeyRecordError)
    /// The key is for another algorithm than the signature's.
    case keyType
    /// The record allows other hash algorithms only (`h=`).
    case keyHash
    /// The record is for other services than mail (`s=`).
    case keyService
    /// The record forbids identities in subdomains (`t=s`), and the signature has one.
    case identityInSubdomain
    /// The key is shorter than is acceptable here.
    case keyTooShort(bits: Int, minimum: Int)
    /// The DNS gave no answer.
    case dns(DNSFailure)

    /// The result that goes with the reason.
    public var status: DKIMStatus {
        switch self {
        case .valid: .pass
        case .bodyChanged, .bodyTooShort, .headerChanged, .otherKey: .fail
        case .unsignedBody, .unsignedField, .unsignedDuplicate, .keyTooShort: .policy
        case .nulInField, .headerTooLarge: .neutral
        case .signatureField(let error): error.status
        case .dns: .temperror
        case .fromFields, .expired, .fromTheFuture, .noKey, .keyRecord, .keyType, .keyHash,
            .keyService, .identityInSubdomain:
            .permerror
        }
    }
}

extension DKIMReason: CustomStringConvertible {
    /// A sentence for a person.
    public var description: String {
        switch self {
        case .valid: "the signature is valid"
        case .bodyChanged: "the body was changed after signing"
        case .bodyTooShort: "the body is shorter than the part of it that was signed"
        case .headerChanged(let field?): "the header field \(field) was changed after signing"
        case .headerChanged(nil): "a signed header field was changed after signing"
        case .otherKey: "the signature does not belong to the published key, or is damaged"
        case .unsignedBody(let octets): "the last \(octets) octets of the body are not signed"
        case .unsignedField(let name): "the header field \(name) is not signed"
        case .unsignedDuplicate(let name): "a second header field \(name) is not signed"
        case .signatureField(let error): error.description
        case .fromFields(0): "the message has no From field"
        case .fromFields(let count): "the message has \(count) From fields"
        case .expired(let seconds): "the signature expired \(TimeSpan(seconds)) ago"
        case .fromTheFuture(let seconds):
            "the signature's time is \(TimeSpan(seconds)) in the future"
        case .nulInField(let name): "the signed header field \(name) holds a NUL octet"
        case .headerTooLarge: "the header section is too large to be verified"
        case .noKey(let name, exists: false): "no key for signature: \(name) does not exist"
        case .noKey(let name, exists: true): "no key for signature: \(name) has no TXT record"
        case .keyRecord(let error): error.description
        case .keyType: "the published key is for another algorithm"
        case .keyHash: "the key record does not allow SHA-256"
        case .keyService: "the key record is not for mail"
        case .identityInSubdomain: "the key record forbids identities in subdomains"
        case .keyTooShort(let bits, let minimum):
            "the key has \(bits) bits, fewer than \(minimum)"
        case .dns(let failure):
            "the key could not be looked up: \(failure)" + (failure.detail.map { " (\($0))" } ?? "")
        }
    }
}

public import MailSyntax

/// What is wrong with a DKIM-Signature field by itself (RFC 6376, section 6.1.1).
public enum SignatureFieldError: Error, Hashable, Sendable {
    /// It is no tag-list.
    case tagList(TagListError)
    /// A required tag is missing.
    case missingTag(String)
    /// A tag's value is not of its form.
    case malformedTag(String)
    /// A version other than 1.
    case version
    /// rsa-sha1, which proves nothing any more (RFC 8301, section 3.1).
    case historicAlgorithm
    /// An algorithm that nobody has defined.
    case unknownAlgorithm
    /// A canonicalization that nobody has defined.
    case unknownCanonicalization
    /// No way to get the key that we know.
    case unknownQueryMethod
    /// The identity (`i=`) is not within the domain (`d=`).
    case identityOutsideDomain
    /// `h=` does not name From.
    case fromNotSigned
    /// `x=` is not later than `t=`.
    case expiresBeforeMade
    /// `h=` names more fields than we care to look for.
    case tooManyNames

    /// The result that goes with the error.
    public var status: DKIMStatus {
        switch self {
        // "contained syntax errors or were not otherwise able to be processed" (RFC 8601)
        case .tagList, .malformedTag, .unknownAlgorithm, .unknownCanonicalization,
            .unknownQueryMethod, .tooManyNames:
            .neutral
        case .missingTag, .version, .historicAlgorithm, .identityOutsideDomain, .fromNotSigned,
            .expiresBeforeMade:
            .permerror
        }
    }
}

extension SignatureFieldError: CustomStringConvertible {
    /// A sentence for a person.
    public var description: String {
        switch self {
        case .tagList(.duplicate(let name)): "the signature has the tag \(name)= twice"
        case .tagList: "the signature is not a list of tags"
        case .missingTag(let name): "the signature lacks the tag \(name)="
        case .malformedTag(let name): "the signature's tag \(name)= is malformed"
        case .version: "the signature is of an unknown version"
        case .historicAlgorithm: "rsa-sha1 is no longer a valid algorithm"
        case .unknownAlgorithm: "the signature's algorithm is unknown"
        case .unknownCanonicalization: "the signature's canonicalization is unknown"
        case .unknownQueryMethod: "the signature's key cannot be queried by DNS"
        case .identityOutsideDomain: "the identity i= is not within the domain d="
        case .fromNotSigned: "the From field is not signed"
        case .expiresBeforeMade: "the signature expires before it was made"
        case .tooManyNames: "the signature names too many header fields"
        }
    }
}

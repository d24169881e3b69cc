/// The Chain Validation Status (RFC 8617, section 4.4).
///
/// The raw value is the word that the "cv" tag and Authentication-Results use.
public enum ARCStatus: String, Hashable, Sendable, CaseIterable {
    /// There is no chain.
    case none
    /// There is a chain, and it is not valid: "All errors, including DNS failures [...] are considered
    /// permanent" (section 5.2.1).
    case fail
    /// There is a valid chain.
    case pass
}

/// The three fields of an ARC Set (RFC 8617, section 4.1).
public enum ARCField: String, Hashable, Sendable, CaseIterable {
    /// The authentication assessment.
    case authenticationResults = "ARC-Authentication-Results"
    /// The signature of the message.
    case messageSignature = "ARC-Message-Signature"
    /// The signature of the chain.
    case seal = "ARC-Seal"
}

/// Why a chain has its status.
public enum ARCReason: Hashable, Sendable {
    /// There is no chain.
    case noChain
    /// The chain is valid.
    case valid
    /// The header section is larger than we read: what is missing could matter.
    case headerTooLarge
    /// There are more sets than there may be, or than are accepted here.
    case tooManySets(limit: Int)
    /// A field has no instance from 1 to 50, so that it belongs to no set.
    case noInstance(ARCField)
    /// A field is there twice in a set.
    case repeated(ARCField, instance: Int)
    /// A set lacks a field.
    case missing(ARCField, instance: Int)
    /// A field holds a NUL octet, after which programs may have stopped reading it.
    case nulInField(ARCField, instance: Int)
    /// A sealer found the chain invalid already (`cv=fail`).
    case foundInvalid(instance: Int)
    /// The first seal must say `cv=none`, all others `cv=pass`.
    case chainStatus(instance: Int)
    /// A seal has a list of fields ("h"), which "MUST result in a cv status of fail".
    case sealWithFieldList(instance: Int)
    /// A signature of the message lists ARC-Seal among its fields.
    case signatureOfSeal(instance: Int)
    /// A signature is not as it must be, or does not fit.
    case signature(ARCField, instance: Int, DKIMReason)

    /// The status that goes with the reason.
    public var status: ARCStatus {
        switch self {
        case .noChain: .none
        case .valid: .pass
        default: .fail
        }
    }
}

extension ARCReason: CustomStringConvertible {
    /// A sentence for a person.
    public var description: String {
        switch self {
        case .noChain: "there is no chain"
        case .valid: "the chain is valid"
        case .headerTooLarge: "the header section is too large to be verified"
        case .tooManySets(let limit): "the chain has more than \(limit) sets"
        case .noInstance(let field): "a field \(field.rawValue) has no valid instance"
        case .repeated(let field, let instance):
            "set \(instance) has \(field.rawValue) more than once"
        case .missing(let field, let instance): "set \(instance) has no \(field.rawValue)"
        case .nulInField(let field, let instance):
            "\(field.rawValue) of set \(instance) holds a NUL octet"
        case .foundInvalid(let instance): "the sealer of set \(instance) found the chain invalid"
        case .chainStatus(let instance):
            "the seal of set \(instance) must say cv=\(instance == 1 ? "none" : "pass")"
        case .sealWithFieldList(let instance): "the seal of set \(instance) has a tag h="
        case .signatureOfSeal(let instance):
            "the message signature of set \(instance) covers ARC-Seal"
        case .signature(let field, let instance, let reason):
            "\(field.rawValue) of set \(instance): \(reason)"
        }
    }
}

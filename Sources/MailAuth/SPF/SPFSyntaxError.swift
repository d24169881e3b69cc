/// Where and why a record, or a macro string, breaks the grammar of RFC 7208.
public struct SPFSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let reason: Reason
    /// The offending octet's place in the text, counted from 0.
    public let position: Int

    init(_ reason: Reason, at position: Int) {
        self.reason = reason
        self.position = position
    }

    /// What can be wrong with a record.
    public enum Reason: Hashable, Sendable {
        /// The text does not begin with "v=spf1" and a space or the end.
        case noVersion
        /// An octet that is not printable ASCII: records are US-ASCII (RFC 7208, section 3.1).
        case forbiddenOctet(UInt8)
        /// A term begins neither with a letter nor with a qualifier and a letter.
        case noName
        /// No mechanism has this name.
        case unknownMechanism(String)
        /// A modifier has a qualifier before it.
        case qualifiedModifier
        /// The modifier "redirect" or "exp" comes twice (RFC 7208, section 6).
        case repeatedModifier(String)
        /// The mechanism needs a ":" and an argument.
        case missingArgument
        /// The mechanism takes no such argument: something follows its name or its argument.
        case unexpectedArgument
        /// There is a ":" or "=" and no domain after it.
        case emptyDomain
        /// The domain has one label, or does not end in a top label or a macro.
        case noTopLabel
        /// The last label is no top label, as of an IPv4 address: digits alone, or a hyphen at an end.
        case badTopLabel
        /// Not an address of the mechanism's family.
        case badAddress
        /// A prefix length that is malformed, has a leading zero, or exceeds the address.
        case badPrefixLength
        /// A "%" that is not followed by "{", "%", "_" or "-" (RFC 7208, section 7.3).
        case strayPercent
        /// No macro has this letter, or it is for explanations alone (RFC 7208, section 7.2).
        case unknownMacro(UInt8)
        /// The macro keeps zero parts (RFC 7208, section 7.3).
        case zeroParts
        /// Something between a macro's transformers and its "}" that is no delimiter, or no "}".
        case badMacro
    }

    /// A sentence fragment: what is wrong, and at which character, counted from 1.
    public var description: String { "\(reason) at character \(position + 1)" }
}

extension SPFSyntaxError.Reason: CustomStringConvertible {
    /// What is wrong, as part of a sentence; ASCII whatever the record holds.
    public var description: String {
        switch self {
        case .noVersion: "no \"v=spf1\""
        case .forbiddenOctet(let octet): "the forbidden octet 0x\(hex(octet))"
        case .noName: "a term without a name"
        case .unknownMechanism(let name): "the unknown mechanism \"\(name)\""
        case .qualifiedModifier: "a qualifier before a modifier"
        case .repeatedModifier(let name): "a second \"\(name)=\""
        case .missingArgument: "a mechanism without its argument"
        case .unexpectedArgument: "an argument that the mechanism does not take"
        case .emptyDomain: "an empty domain"
        case .noTopLabel: "a domain of one label"
        case .badTopLabel: "a domain that does not end in a valid label"
        case .badAddress: "a malformed IP address"
        case .badPrefixLength: "a malformed prefix length"
        case .strayPercent: "a \"%\" that begins no macro"
        case .unknownMacro(let letter): "the unknown macro letter \(quoted(letter))"
        case .zeroParts: "a macro that keeps zero parts"
        case .badMacro: "a malformed macro"
        }
    }

    private func quoted(_ octet: UInt8) -> String {
        0x20..<0x7F ~= octet ? "\"\(Character(Unicode.Scalar(octet)))\"" : "0x\(hex(octet))"
    }

    private func hex(_ octet: UInt8) -> String {
        (octet < 16 ? "0" : "") + String(octet, radix: 16, uppercase: true)
    }
}

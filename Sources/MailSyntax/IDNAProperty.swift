/// The derived property of a code point that says whether it may stand in a U-label (RFC 5892, section 3).
///
/// Trust: any code point. Computed from the Unicode properties of the standard library.
enum IDNAProperty {
    /// PVALID: valid.
    case valid
    /// CONTEXTJ: a joiner, valid in some places.
    case contextJ
    /// CONTEXTO: valid in some places, which a lookup need not check (RFC 5891, section 5.4).
    case contextO
    /// DISALLOWED, or UNASSIGNED, which a lookup refuses in the same way.
    case disallowed

    /// The property of a code point, by the steps of RFC 5892, section 3, in their order.
    init(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        if let exception = IDNAProperty.exception(scalar.value) {
            self = exception
        } else if scalar.isASCII {
            // LDH (section 2.4), without capitals, which are unstable.
            let octet = UInt8(truncatingIfNeeded: scalar.value)
            let isCapital = octet.asciiLowercased != octet
            self = (octet.isASCIIAlphanumeric && !isCapital) || octet == 0x2D ? .valid : .disallowed
        } else if properties.isJoinControl {
            self = .contextJ
        } else if properties.changesWhenNFKCCaseFolded || properties.isDefaultIgnorableCodePoint
            || properties.isWhitespace || properties.isNoncharacterCodePoint
            || IDNAProperty.isIgnorableBlock(scalar.value)
            || IDNAProperty.isOldHangulJamo(scalar.value)
        {
            // Unstable (2.2), IgnorableProperties (2.3), IgnorableBlocks (2.4), OldHangulJamo (2.9).
            self = .disallowed
        } else {
            switch properties.generalCategory {
            // LetterDigits (2.1).
            case .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter,
                .nonspacingMark, .spacingMark, .decimalNumber:
                self = .valid
            default:
                self = .disallowed
            }
        }
    }

    /// RFC 5892, section 2.6.
    private static func exception(_ value: UInt32) -> IDNAProperty? {
        switch value {
        case 0x00DF, 0x03C2, 0x06FD, 0x06FE, 0x0F0B, 0x3007: .valid
        case 0x00B7, 0x0375, 0x05F3, 0x05F4, 0x30FB, 0x0660...0x0669, 0x06F0...0x06F9: .contextO
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: .disallowed
        default: nil
        }
    }

    /// Combining marks for symbols, and the two blocks of musical symbols.
    private static func isIgnorableBlock(_ value: UInt32) -> Bool {
        switch value {
        case 0x20D0...0x20FF, 0x1D100...0x1D1FF, 0x1D200...0x1D24F: true
        default: false
        }
    }

    private static func isOldHangulJamo(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x11FF, 0xA960...0xA97F, 0xD7B0...0xD7FF: true
        default: false
        }
    }
}

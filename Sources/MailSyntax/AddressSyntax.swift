/// Small rules of address syntax that header fields and envelopes share.
///
/// Trust: any octets.
public enum AddressSyntax {
    /// Whether an octet is atext (RFC 5322, section 3.2.3), or of a character outside ASCII, which
    /// RFC 6532, section 3.2, adds.
    @inlinable public static func isAtext(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: ";"),
            UInt8(ascii: "@"), UInt8(ascii: "\\"), UInt8(ascii: ","), UInt8(ascii: "."),
            UInt8(ascii: "\""):
            false
        default: octet > 0x20 && octet != 0x7F
        }
    }

    /// Whether octets are a dot-atom: atext in parts that single dots separate.
    @inlinable public static func isDotAtom(_ octets: some Sequence<UInt8>) -> Bool {
        var previousIsDot = true
        for octet in octets {
            if octet == UInt8(ascii: ".") {
                if previousIsDot { return false }
                previousIsDot = true
            } else {
                guard isAtext(octet) else { return false }
                previousIsDot = false
            }
        }
        return !previousIsDot
    }

    /// A local-part as an address has it: as it is if it is a dot-atom, as a quoted string otherwise.
    @inlinable public static func quotedIfNeeded(localPart: [UInt8]) -> [UInt8] {
        isDotAtom(localPart) ? localPart : quoted(localPart)
    }

    /// A quoted string (RFC 5322, section 3.2.4) with these octets as its content.
    @inlinable public static func quoted(_ octets: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        result.reserveCapacity(octets.count + 2)
        for octet in octets {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                result.append(UInt8(ascii: "\\"))
            }
            result.append(octet)
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    /// The content of a quoted string, given without its quotes: quoted pairs and folds undone.
    @inlinable public static func unquoted(_ octets: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(octets.count)
        var escaped = false
        for octet in octets {
            if !escaped, octet == UInt8(ascii: "\\") {
                escaped = true
            } else if escaped || (octet != .cr && octet != .lf) {
                // Unfolding takes the line end away, and leaves the white space (section 2.2.3).
                result.append(octet)
                escaped = false
            }
        }
        return result
    }

    /// Whether octets hold what looks like an encoded word (RFC 2047, section 2).
    @inlinable public static func holdsEncodedWord(_ octets: some Collection<UInt8>) -> Bool {
        var opened = false
        var previous: UInt8 = 0
        for octet in octets {
            if opened, previous == UInt8(ascii: "?"), octet == UInt8(ascii: "=") { return true }
            if previous == UInt8(ascii: "="), octet == UInt8(ascii: "?") { opened = true }
            previous = octet
        }
        return false
    }
}

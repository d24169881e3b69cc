/// Makes text from outside fit for one line of a header field or an answer, in UTF-8 (RFC 6532).
///
/// Trust: hostile octets. What comes out has no control character, no line end of any kind, nothing that turns the
/// writing direction and nothing that nobody sees.
public enum VisibleText {
    /// The characters of a text, with "?" for those that are not fit, and for each octet of text that is not UTF-8.
    public static func scalars(_ octets: some Collection<UInt8>) -> [Unicode.Scalar] {
        guard let text = String(validating: octets, as: UTF8.self) else {
            return octets.map { 0x20...0x7E ~= $0 ? Unicode.Scalar($0) : "?" }
        }
        return text.unicodeScalars.map { isVisible($0) ? $0 : "?" }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E: true
        // C0 and C1 controls, line ends.
        case 0..<0xA0, 0x2028, 0x2029: false
        // Directions, joiners and other format characters.
        default:
            !scalar.properties.isDefaultIgnorableCodePoint
                && !scalar.properties.isBidiControl && !scalar.properties.isNoncharacterCodePoint
        }
    }
}

internal import MailSyntax

/// Makes text from outside fit for a log line.
///
/// Trust: the text may be an attacker's. What comes out has no control character, no line end of any kind, nothing that turns the
/// writing direction, and a bounded length, so that it can neither forge a line nor flood the log.
public enum LogText {
    /// What is left of a long text by default, in octets.
    public static let defaultLimit = 256

    /// A text, its dangerous characters written as `\xNN`, cut with `...` where it is too long.
    @inlinable public static func safe(
        _ text: some StringProtocol, limit: Int = defaultLimit
    ) -> String {
        safe(whole: String(text), limit: limit)
    }

    @usableFromInline static func safe(whole text: String, limit: Int) -> String {
        if text.utf8.count <= limit, text.utf8.span.isPrintableASCII { return text }
        var bytes: [UInt8] = []
        append(text, to: &bytes, limit: limit)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Octets of a message, read as UTF-8 as far as they are.
    @inlinable public static func safe(
        _ bytes: some Sequence<UInt8>, limit: Int = defaultLimit
    ) -> String {
        safe(whole: String(decoding: Array(bytes.prefix(limit + 4)), as: UTF8.self), limit: limit)
    }

    /// Appends UTF-8 text made safe, in at most `limit` octets.
    static func append(_ text: String, to out: inout [UInt8], limit: Int) {
        // Nearly every line is short and plain: one look, one copy.
        if text.utf8.count <= limit, text.utf8.span.isPrintableASCII {
            out += text.utf8
            return
        }
        let start = out.count
        let ellipsis: [UInt8] = Array("...".utf8)
        // Where the text can be cut so that the ellipsis fits.
        var cut = start
        var character: [UInt8] = []
        func flush() -> Bool {
            let safe = escaped(character)
            if out.count - start + safe.count + ellipsis.count <= limit {
                cut = out.count + safe.count
            }
            out += safe
            character.removeAll(keepingCapacity: true)
            return out.count - start <= limit
        }
        for byte in text.utf8 {
            // Continuation octets belong to the character before them.
            if byte & 0xC0 != 0x80, !character.isEmpty, !flush() { break }
            character.append(byte)
        }
        if !character.isEmpty { _ = flush() }
        if out.count - start > limit {
            out.removeSubrange(cut...)
            out += ellipsis.prefix(Swift.max(0, limit))
        }
    }

    /// One UTF-8 character, or what stands for it.
    private static func escaped(_ character: [UInt8]) -> [UInt8] {
        guard isDangerous(character) else { return character }
        return character.flatMap { byte in
            let digits = Array("0123456789abcdef".utf8)
            return [0x5C, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    private static func isDangerous(_ character: [UInt8]) -> Bool {
        guard let first = character.first else { return false }
        if first < 0x20 || first == 0x7F { return true }
        guard first >= 0x80 else { return false }
        switch (first, character.count) {
        case (0xC2, 2):
            // U+0080...U+009F, the C1 controls.
            return character[1] < 0xA0
        case (0xE2, 3):
            // U+200B...200F, U+2028...202E (line ends, directions), U+2060...206F.
            return
                (character[1] == 0x80
                && (0x8B...0x8F ~= character[2] || 0xA8...0xAE ~= character[2]))
                || (character[1] == 0x81 && character[2] >= 0xA0 && character[2] <= 0xAF)
        case (0xEF, 3):
            // U+FEFF, the byte order mark.
            return character[1] == 0xBB && character[2] == 0xBF
        default:
            return false
        }
    }
}

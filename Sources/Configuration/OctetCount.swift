/// A number of octets as configurations and command lines give it.
public enum OctetCount {
    /// Reads a number, or one with K, M or G for 1024, 1024² or 1024³.
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - range: what is allowed, in octets.
    /// - Returns: the octets; nil where the text is none, or out of the range.
    public static func parse(_ text: String, in range: ClosedRange<Int64>) -> Int64? {
        let shift =
            switch text.last {
            case "K", "k": 10
            case "M", "m": 20
            case "G", "g": 30
            default: 0
            }
        let digits = shift == 0 ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            let number = Int64(digits), number <= range.upperBound >> shift,
            range.contains(number << shift)
        else { return nil }
        return number << shift
    }
}

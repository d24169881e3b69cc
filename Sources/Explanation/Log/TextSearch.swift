extension StringProtocol {
    /// Where some ASCII words stand first: octets are compared, which is much faster than characters are.
    func octetRange(of words: String) -> Range<Index>? {
        let wanted = Array(words.utf8)
        guard let first = wanted.first else { return nil }
        var rest = utf8[...]
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: wanted) {
                return start..<utf8.index(start, offsetBy: wanted.count)
            }
            rest = rest.dropFirst()
        }
        return nil
    }
}

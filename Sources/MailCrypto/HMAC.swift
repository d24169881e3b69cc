/// A keyed hash (RFC 2104) with SHA-256.
public enum HMAC {
    /// The octets of a block of SHA-256.
    private static let blockLength = 64

    /// The authentication code of a message, 32 octets.
    public static func code(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var block = key.count > blockLength ? SHA256.hash(key.span) : key
        block += [UInt8](repeating: 0, count: blockLength - block.count)
        let inner = block.map { $0 ^ 0x36 } + message
        let outer = block.map { $0 ^ 0x5C } + SHA256.hash(inner.span)
        return SHA256.hash(outer.span)
    }
}

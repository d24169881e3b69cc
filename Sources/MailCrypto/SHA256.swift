internal import COpenSSL

/// SHA-256 over bytes that arrive in pieces (FIPS 180-4).
///
/// One OpenSSL context serves any number of hashes, one after the other: `finish()` leaves it ready
/// for the next. Trust: the bytes are anybody's.
@safe
public struct SHA256: ~Copyable {
    /// The number of octets in a hash.
    public static let length = 32

    private let context: OpaquePointer
    /// Whether the context is that of a hash under way.
    private var hasBegun = false

    /// Makes a context that has seen no bytes.
    public init() {
        guard let context = unsafe EVP_MD_CTX_new() else { outOfMemory() }
        unsafe self.context = context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    /// Adds bytes to the hash.
    public mutating func update(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        begin()
        unsafe bytes.withUnsafeBytes { unsafe updateContext($0) }
    }

    /// Adds a part of an array to the hash; the part must lie within the array.
    public mutating func update(_ bytes: [UInt8], in range: Range<Int>) {
        update(bytes.span.extracting(range))
    }

    /// Answers the hash of everything since the last `finish()`, and starts anew.
    public mutating func finish() -> [UInt8] {
        begin()
        hasBegun = false
        return unsafe [UInt8](unsafeUninitializedCapacity: SHA256.length) { buffer, count in
            var written: UInt32 = 0
            let ok = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, &written)
            precondition(ok == 1 && written == UInt32(SHA256.length), "SHA-256 cannot fail")
            count = SHA256.length
        }
    }

    /// Answers the hash of everything since the last `finish()` and of some bytes more, and goes on as if
    /// it had not been asked.
    public func hash(with more: Span<UInt8>) -> [UInt8] {
        var copy = SHA256()
        copy.resume(from: self)
        copy.update(more)
        return copy.finish()
    }

    private mutating func resume(from other: borrowing SHA256) {
        guard other.hasBegun else { return }
        let ok = unsafe EVP_MD_CTX_copy_ex(context, other.context)
        precondition(ok == 1, "SHA-256 cannot fail")
        hasBegun = true
    }

    /// Forgets what it has seen.
    public mutating func reset() {
        hasBegun = false
    }

    /// The hash of one span of bytes.
    public static func hash(_ bytes: Span<UInt8>) -> [UInt8] {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finish()
    }

    private mutating func updateContext(_ bytes: UnsafeRawBufferPointer) {
        let ok = unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(ok == 1, "SHA-256 cannot fail")
    }

    private mutating func begin() {
        guard !hasBegun else { return }
        let ok = unsafe EVP_DigestInit_ex(context, Library.sha256, nil)
        precondition(ok == 1, "SHA-256 cannot fail")
        hasBegun = true
    }
}

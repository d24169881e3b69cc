internal import COpenSSL

/// What is fetched from OpenSSL once for the whole process.
@safe
enum Library {
    /// The SHA-256 implementation.
    ///
    /// An implicit fetch for each hash would cost more than hashing a short field does. It is
    /// immutable once made, so that threads may share it.
    nonisolated(unsafe) static let sha256: OpaquePointer = {
        guard let implementation = unsafe EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("OpenSSL has no SHA-256")
        }
        return unsafe implementation
    }()
}

/// Stops the program: nothing sensible is left to do when a few hundred octets cannot be had, and
/// the Swift runtime does the same.
func outOfMemory() -> Never {
    preconditionFailure("out of memory")
}

import Configuration
import Glibc
import MailCrypto

/// Reads a private key from a file.
enum PrivateKeyFile {
    /// No key file is longer, in octets.
    private static let limit = 65_536

    /// Reads and parses; the octets are wiped.
    ///
    /// - Parameter path: a regular file.
    /// - Returns: the key.
    /// - Throws: `FileReadError` where the file cannot be read, another error where it is no key.
    static func read(_ path: String) throws -> PrivateKey {
        var octets = try FileContents.read(path, limit: limit)
        defer { wipe(&octets) }
        return try PrivateKey(octets)
    }
}

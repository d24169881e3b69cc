import Glibc
import MailCrypto

/// Reads a private key from a file.
enum PrivateKeyFile {
    /// No key file is longer.
    private static let limit = 65_536

    /// Reads and parses; the octets are wiped.
    static func read(_ path: String) throws -> PrivateKey {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ReadFailure(number: errno) }
        defer { close(file) }
        var contents = [UInt8](repeating: 0, count: limit)
        defer { wipe(&contents) }
        let count = unsafe contents.withUnsafeMutableBytes {
            unsafe Glibc.read(file, $0.baseAddress, $0.count)
        }
        guard count >= 0 else { throw ReadFailure(number: errno) }
        var key = Array(contents.prefix(count))
        defer { wipe(&key) }
        return try PrivateKey(key)
    }
}

/// The system would not give a file.
struct ReadFailure: Error, CustomStringConvertible {
    /// The error number.
    let number: Int32

    /// The system's words for it.
    var description: String { unsafe String(cString: strerror(number)) }
}

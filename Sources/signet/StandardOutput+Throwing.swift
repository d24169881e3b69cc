import DaemonKit

extension StandardOutput {
    /// Writes octets, all of them.
    ///
    /// - Parameter octets: the octets.
    /// - Throws: that they cannot be written (status 74), as on a full disk.
    static func pass(_ octets: some Sequence<UInt8>) throws {
        guard write(Array(octets)) else {
            throw CommandFailure(.ioError, "standard output cannot be written")
        }
    }
}

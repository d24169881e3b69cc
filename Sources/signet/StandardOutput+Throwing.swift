import DaemonKit

extension StandardOutput {
    /// That output cannot be written.
    static var failure: CommandFailure {
        CommandFailure(.ioError, "standard output cannot be written")
    }

    /// Writes octets, all of them.
    ///
    /// - Parameter octets: the octets.
    /// - Throws: that they cannot be written (status 74), as on a full disk.
    static func pass(_ octets: some Sequence<UInt8>) throws {
        guard write(Array(octets)) else { throw failure }
    }
}

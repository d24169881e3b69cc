import CLinux
import Glibc

/// Standard output, for what a command line asks of a daemon.
package enum StandardOutput {
    /// Writes what `print` still holds back; false where that, or something before it, could not be written.
    package static func flush() -> Bool { signet_flush_output() != 0 }

    /// Writes octets behind what was printed, all of them; false where that cannot be done.
    package static func write(_ octets: [UInt8]) -> Bool {
        guard flush() else { return false }
        var rest = octets[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(1, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

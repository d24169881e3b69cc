internal import CLinux

/// Search for octets in octets, at the C library's speed.
package enum OctetSearch {
    /// Where some octets stand first, at an offset or behind it.
    package static func first(
        _ needle: [UInt8], in octets: [UInt8], from offset: Int = 0
    ) -> Int? {
        guard offset >= 0, offset < octets.count, !needle.isEmpty else { return nil }
        return unsafe octets.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe signet_find(
                    base + offset, bytes.count - offset, needle, needle.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}

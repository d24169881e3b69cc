internal import CLinux
internal import Glibc

/// Memory that the process holds and does not need for now.
public enum UnusedMemory {
    /// Gives it back to the system: free pages of the heap, and pages of code, of which those that are used
    /// come back by themselves.
    ///
    /// Meant for moments in which there is nothing to do: some milliseconds may pass, and the next work has
    /// its code mapped again, about a tenth of a millisecond.
    public static func release() {
        _ = malloc_trim(0)
        for range in codeRanges {
            guard let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound) else {
                continue
            }
            _ = unsafe madvise(start, range.count, MADV_DONTNEED)
        }
    }

    /// Where code of files is mapped; nothing can have been written there.
    private static var codeRanges: [Range<UInt>] {
        let descriptor = unsafe open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while case let count = unsafe read(descriptor, &chunk, chunk.count), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            // "start-end r-xp offset device inode path" (proc(5)).
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count >= 6, words[1].elementsEqual("r-xp".utf8),
                words[5].first == UInt8(ascii: "/")
            else { return nil }
            let ends = words[0].split(separator: UInt8(ascii: "-")).compactMap {
                UInt(String(decoding: $0, as: UTF8.self), radix: 16)
            }
            return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
        }
    }
}

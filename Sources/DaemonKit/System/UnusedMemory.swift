internal import CLinux
internal import Glibc

/// Memory that the process holds and does not need for now.
public enum UnusedMemory {
    /// Gives it back to the system: free pages of the heap, and pages of programs and libraries, of which those that are used
    /// come back by themselves.
    ///
    /// Meant for the end of a start, which touches much that is never used again, and for moments in which there is nothing to do:
    /// some milliseconds may pass, and the next work has its code mapped again, about a tenth of a millisecond.
    public static func release() {
        for range in untouchedRanges {
            guard let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound) else {
                continue
            }
            _ = unsafe madvise(start, range.count, MADV_DONTNEED)
        }
        _ = malloc_trim(0)
    }

    /// Where files are mapped that cannot be written to, and of which nothing is ours: what the dynamic linker has relocated there
    /// would be lost.
    private static var untouchedRanges: [Range<UInt>] {
        var ranges: [Range<UInt>] = []
        var candidate: Range<UInt>?
        // "start-end r-xp offset device inode path", and below it lines as "Anonymous: 0 kB" (proc(5)).
        for line in lines(ofFile: "/proc/self/smaps") {
            let words = line.split(separator: UInt8(ascii: " "))
            if words.count >= 2, words[0].elementsEqual("Anonymous:".utf8) {
                if let range = candidate, words[1].elementsEqual("0".utf8) { ranges.append(range) }
                candidate = nil
            } else if let range = words.first.flatMap(addresses) {
                let isReadOnlyFile =
                    words.count >= 6 && words[1].first == UInt8(ascii: "r")
                    && words[1].dropFirst().first == UInt8(ascii: "-")
                    && words[5].first == UInt8(ascii: "/")
                candidate = isReadOnlyFile ? range : nil
            }
        }
        return ranges
    }

    /// The addresses of "start-end", in hexadecimal digits.
    private static func addresses(_ word: ArraySlice<UInt8>) -> Range<UInt>? {
        let ends = word.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2,
            let start = UInt(String(decoding: ends[0], as: UTF8.self), radix: 16),
            let end = UInt(String(decoding: ends[1], as: UTF8.self), radix: 16), start < end
        else { return nil }
        return start..<end
    }

    private static func lines(ofFile path: String) -> [ArraySlice<UInt8>] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while case let count = unsafe read(descriptor, &chunk, chunk.count), count > 0 {
            bytes += chunk[..<count]
        }
        return bytes.split(separator: UInt8(ascii: "\n"))
    }
}

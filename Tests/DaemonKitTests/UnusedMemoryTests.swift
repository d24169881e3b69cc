import DaemonKit
import Foundation
import Testing

@Suite struct UnusedMemoryTests {
    /// What the dynamic linker has put into read-only pages (pointers into other libraries) is no copy of a file, and must stay.
    @Test func nothingThatIsNeededIsLost() throws {
        let before = try relocated()
        #expect(!before.isEmpty)
        UnusedMemory.release()
        // The tests beside this one may load further libraries meanwhile.
        let after = try relocated()
        #expect(before.filter { $0.value > after[$0.key] ?? 0 }.isEmpty)
        // Through pointers of the C library, of the Swift runtime and of Foundation.
        #expect(unsafe String(cString: strerror(ENOENT)) == "No such file or directory")
        #expect(try NSRegularExpression(pattern: "a+b").pattern == "a+b")
        #expect(["b": 2, "a": 1].sorted { $0.key < $1.key }.map(\.value) == [1, 2])
    }

    /// The read-only mappings of libraries that have pages of our own, and how large these are, in kB.
    private func relocated() throws -> [String: Int] {
        var sizes: [String: Int] = [:]
        var name: String?
        for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(
            separator: "\n")
        {
            let words = line.split(separator: " ")
            if words[0].contains("-") {
                name = words.count > 5 && words[1] == "r--p" ? "\(words[0]) \(words[5])" : nil
            } else if words[0] == "Anonymous:", let name, let size = Int(words[1]), size > 0 {
                sizes[name] = size
            }
        }
        return sizes
    }
}

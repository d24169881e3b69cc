public import Configuration
internal import Glibc

/// Reading and writing for `-t`.
public enum MessageInput {
    /// The longest file that is read.
    private static let sizeLimit = 256 << 20

    /// Reads a file, or standard input for `-`, of at most 256 MB.
    public static func read(_ path: String) throws(FileReadError) -> [UInt8] {
        let file = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(.last) }
        defer { if file != 0 { close(file) } }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(.last) }
            guard contents.count + count <= sizeLimit else { throw .tooLarge(limit: sizeLimit) }
            if count == 0 { return contents }
            contents += chunk.prefix(count)
        }
    }

    /// Writes a line to standard output.
    public static func say(_ text: String) {
        let line = Array("\(text)\n".utf8)
        _ = unsafe write(1, line, line.count)
    }
}

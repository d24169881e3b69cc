/// Cuts what a socket brings into lines, and never loses what follows a line.
struct LineReader {
    private let socket: LoopbackSocket
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ socket: LoopbackSocket) {
        self.socket = socket
    }

    /// The next line with its line end, or nil at the end of the stream.
    mutating func next() throws -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start...end])
            }
            searched = buffer.count
            let more = try socket.read()
            guard !more.isEmpty else { return nil }
            if start > 1 << 20 {
                buffer.removeFirst(start)
                searched -= start
                start = 0
            }
            buffer += more
        }
    }

    /// Exactly `count` bytes.
    mutating func next(count: Int) throws -> [UInt8] {
        while buffer.count - start < count {
            let more = try socket.read()
            guard !more.isEmpty else { throw TestKitError("the stream ended early") }
            buffer += more
        }
        defer { start += count }
        return Array(buffer[start..<start + count])
    }
}

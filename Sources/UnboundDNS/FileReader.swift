internal import Glibc

/// Reads the small files of the system that concern the resolver.
enum FileReader {
    /// The first octets of a file, as many as there are up to a count; none where it cannot be read.
    static func beginning(of path: String, _ count: Int) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var octets = [UInt8](repeating: 0, count: count)
        let found = unsafe read(file, &octets, count)
        return Array(octets.prefix(max(0, found)))
    }
}

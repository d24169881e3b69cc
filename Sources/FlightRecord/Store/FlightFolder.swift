internal import Configuration
internal import Glibc

/// The directory of a record: its segments, which are files of entries, and the key of its codes.
///
/// Several processes may write in one directory, each into a segment of its own; the names of
/// segments sort by the time at which they were begun.
struct FlightFolder: Sendable {
    /// The directory's path.
    let path: String

    /// A file of entries.
    struct Segment: Sendable {
        let name: String
        let size: Int64
        /// When it was last written to, in seconds since 1970.
        let changed: Int64
    }

    private static let suffix = ".flight"
    /// The name of the file with the key of the codes.
    private static let keyName = "key"
    /// The most segments that are looked at.
    private static let mostSegments = 20_000

    /// The path of a file in the directory.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The name of a segment that is begun now: microseconds since 1970, and the process.
    static func name(at time: Int64) -> String {
        let digits = String(UInt64(clamping: time), radix: 16)
        let padding = String(repeating: "0", count: max(0, 16 - digits.count))
        return "\(padding)\(digits)-\(getpid())\(suffix)"
    }

    /// When a segment was begun, in microseconds since 1970.
    static func start(of name: String) -> Int64 { Int64(name.prefix(16), radix: 16) ?? 0 }

    /// Makes the directory where it is not there, below one that is.
    func make() throws(SystemError) {
        // The group's members read; a set-group-ID bit that the package has given stays.
        guard unsafe mkdir(path, 0o750) != 0, errno != EEXIST else { return }
        throw .last
    }

    /// The segments, the oldest first; none where the directory cannot be read.
    func segments() -> [Segment] {
        names().compactMap { name in
            var status = stat()
            guard unsafe lstat(file(name), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                return nil
            }
            return Segment(
                name: name, size: Int64(status.st_size), changed: Int64(status.st_mtim.tv_sec))
        }
    }

    private func names() -> [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream), names.count < Self.mostSegments {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasSuffix(Self.suffix) { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes segments that are too old, and the oldest until there is room.
    ///
    /// - Parameters:
    ///   - limit: how many octets may be left.
    ///   - time: segments that were last written to before it go; in seconds since 1970.
    ///   - kept: the name of the segment that stays in any case.
    func expire(limit: Int64, before time: Int64, except kept: String? = nil) {
        let segments = segments()
        var total = segments.reduce(Int64(0)) { $0 + $1.size }
        for segment in segments where segment.name != kept {
            guard segment.changed < time || total > limit else { continue }
            if unsafe unlink(file(segment.name)) == 0 { total -= segment.size }
        }
    }

    /// The octets of a segment as far as it has been written; nil where it cannot be read.
    ///
    /// Who reads may be root, and the directory is a daemon's: neither links nor FIFOs are followed.
    func octets(of segment: Segment, limit: Int) -> [UInt8]? {
        octets(of: segment.name, limit: limit)
    }

    private func octets(of name: String, limit: Int) -> [UInt8]? {
        let descriptor = unsafe open(file(name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        let size = min(Int(clamping: status.st_size), limit)
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let free = unsafe buffer.baseAddress?.advanced(by: count)
                let found = unsafe read(descriptor, free, size - count)
                if found < 0, errno == EINTR { continue }
                guard found > 0 else { return }
                count += found
            }
        }
    }

    /// The codes under the record's key; nil where there is none yet that can be read.
    func code() -> FlightCode? {
        guard let key = octets(of: Self.keyName, limit: FlightCode.keyLength),
            key.count == FlightCode.keyLength
        else { return nil }
        return FlightCode(key: key)
    }

    /// The codes under the record's key, which is made where there is none.
    func codeMakingKey() throws(SystemError) -> FlightCode {
        if let code = code() { return code }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<FlightCode.keyLength).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        _ = unsafe unlink(file(Self.keyName))
        let descriptor = unsafe open(
            file(Self.keyName), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o640) == 0,
            unsafe write(descriptor, key, key.count) == key.count
        else { throw .last }
        return FlightCode(key: key)
    }
}

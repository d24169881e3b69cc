internal import Configuration
internal import Glibc

/// Writes a record: appends entries to a segment, begins another when it is full, and removes the
/// oldest.
///
/// Whatever becomes of the directory under it, the next write begins anew.
struct FlightStore: ~Copyable {
    private let folder: FlightFolder
    private let limit: Int64
    private let age: Int64
    private var file: Int32 = -1
    private var name: String?
    private var size: Int64 = 0

    /// A segment is a sixteenth of the record, so that little goes at once; and no more than a reader
    /// takes into memory.
    private var segmentLimit: Int64 { min(max(limit / 16, 64 << 10), 16 << 20) }

    /// How long a segment is written to, in microseconds: entries go with their segment.
    private static let segmentSpan: Int64 = 86_400_000_000

    /// Prepares to write; nothing is opened yet.
    init(_ settings: FlightSettings, directory: String) {
        folder = FlightFolder(path: directory)
        limit = settings.limit
        age = settings.age
    }

    deinit { if file >= 0 { close(file) } }

    /// Appends entries that are framed, all or none.
    ///
    /// - Parameters:
    ///   - octets: the entries.
    ///   - time: now, in microseconds since 1970.
    /// - Throws: why the system does not take them.
    mutating func append(_ octets: [UInt8], at time: Int64) throws(SystemError) {
        if !isUsable(at: time) { try begin(at: time) }
        var written = 0
        while written < octets.count {
            let count = unsafe octets.withUnsafeBytes { bytes in
                unsafe write(file, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = count == 0 ? SystemError(EIO) : SystemError.last
                // What is cut would be found by its mark and sum; but the room may be needed.
                _ = ftruncate(file, Int(size))
                end()
                throw error
            }
            written += count
        }
        size += Int64(written)
    }

    /// Removes what is too old or too much.
    func tidy(at time: Int64) {
        folder.expire(limit: limit, before: time / 1_000_000 - age, except: name)
    }

    /// The codes of the record, whose key is made where there is none.
    func code() throws(SystemError) -> FlightCode {
        try folder.make()
        return try folder.codeMakingKey()
    }

    /// Whether the open segment is still there and has room.
    private func isUsable(at time: Int64) -> Bool {
        guard file >= 0, let name, size < segmentLimit else { return false }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_nlink > 0 else { return false }
        return abs(time - FlightFolder.start(of: name)) < Self.segmentSpan
    }

    private mutating func begin(at time: Int64) throws(SystemError) {
        end()
        try folder.make()
        folder.expire(limit: limit - segmentLimit, before: time / 1_000_000 - age)
        if resume(at: time) { return }
        let name = FlightFolder.name(at: time)
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(folder.file(name), flags, 0o640)
        guard descriptor >= 0 else { throw .last }
        // The unit's UMask would keep the group out.
        _ = fchmod(descriptor, 0o640)
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        (file, self.name, size) = (descriptor, name, 0)
    }

    /// Goes on with the newest segment, where it has room and no other process writes to it: a daemon
    /// that is started often leaves no heap of small files.
    private mutating func resume(at time: Int64) -> Bool {
        guard let last = folder.segments().last, last.size < segmentLimit / 2,
            abs(time - FlightFolder.start(of: last.name)) < Self.segmentSpan
        else { return false }
        let flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = unsafe open(folder.file(last.name), flags)
        guard descriptor >= 0 else { return false }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return false
        }
        (file, name, size) = (descriptor, last.name, last.size)
        return true
    }

    private mutating func end() {
        if file >= 0 { close(file) }
        (file, name, size) = (-1, nil, 0)
    }
}

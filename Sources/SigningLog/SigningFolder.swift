internal import Glibc

/// The files of a signing log: one for each UTC day, of lines that are added up when they are read.
///
/// A file grows by what is appended to it, and is put in order when it has doubled: a line for each count. Who writes or puts in
/// order holds a lock, so that two daemons of which one is just ending lose nothing.
struct SigningFolder: Sendable {
    /// The directory.
    let path: String

    /// How many different counts a day may have; beyond that recipients are put together, and then nothing is told apart.
    static let mostCounts = 50_000
    /// How large the files may be together, in octets.
    static let mostOctets: Int64 = 256 << 20
    /// For how many days they are kept.
    static let mostDays: Int64 = 400
    /// The largest file that is read, in octets: beyond what a day's counts and a few appends can take.
    private static let largestFile = 256 << 20
    /// Below this size a file is not put in order.
    private static let smallestFile: Int64 = 1 << 18
    private static let suffix = ".signed"
    private static let mostFiles = 20_000

    /// A day's file.
    private func file(_ day: Int64) -> String { "\(path)/\(day)\(Self.suffix)" }

    /// Appends counts to the files of their days, and puts these in order where that is due.
    ///
    /// - Parameter counts: what is to be added; what is on the disk is taken out.
    /// - Throws: why that is not possible, for what is left in `counts`.
    func append(_ counts: inout [SigningCount: SigningNumbers]) throws(SigningLogError) {
        if unsafe mkdir(path, 0o750) != 0, errno != EEXIST { throw .last(path) }
        let lock = try FolderLock(path)
        defer { lock.release() }
        for (day, added) in Dictionary(grouping: counts, by: \.key.day) {
            let lines = added.map { SigningLine.text($0.key, $0.value) }.sorted().joined()
            let size = try append(Array(lines.utf8), to: file(day))
            for (count, _) in added { counts[count] = nil }
            // A file that cannot be put in order counts as well as it is.
            if size > Self.smallestFile, size > 2 * orderedSize(day) { try? order(day) }
        }
    }

    /// Removes what is too old, and the oldest as long as all is too large; puts the days before one in order.
    ///
    /// - Throws: why a file cannot be put in order, when all others have been looked at.
    func tidy(today: Int64) throws(SigningLogError) {
        let lock = try FolderLock(path)
        defer { lock.release() }
        var total: Int64 = 0
        var failure: SigningLogError?
        for day in days().reversed() {
            total += size(file(day))
            if day < today - Self.mostDays || total > Self.mostOctets {
                unsafe unlink(file(day))
                unsafe unlink(mark(day))
            } else if day < today, size(file(day)) > orderedSize(day) {
                do throws(SigningLogError) { try order(day) } catch { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }

    /// The days that there are files of, the oldest first.
    func days() -> [Int64] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var days: [Int64] = []
        while let entry = unsafe readdir(stream), days.count < Self.mostFiles {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            guard name.hasSuffix(Self.suffix), let day = Int64(name.dropLast(Self.suffix.count)),
                0...1_000_000 ~= day
            else { continue }
            days.append(day)
        }
        return days.sorted()
    }

    /// What the file of a day says; lines that are damaged are passed over.
    ///
    /// Who reads may be root, and the directory is a daemon's: neither links nor FIFOs are followed.
    func counts(of day: Int64) throws(SigningLogError) -> [SigningCount: SigningNumbers] {
        let name = file(day)
        let descriptor = unsafe open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last(name) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SigningLogError("\(name) is no file")
        }
        var counts: [SigningCount: SigningNumbers] = [:]
        var rest: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var total = 0
        while total < Self.largestFile {
            let count = unsafe piece.withUnsafeMutableBytes { memory in
                unsafe read(descriptor, memory.baseAddress, memory.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last(name) }
            guard count > 0 else { break }
            total += count
            rest += piece[..<count]
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: 0x0A) {
                if let (count, numbers) = SigningLine.read(rest[start..<end], day: day) {
                    Self.add(numbers, of: count, to: &counts)
                }
                start = end + 1
            }
            rest.removeSubrange(..<start)
            if rest.count > SigningLine.longest { rest = [] }
        }
        return counts
    }

    /// Adds to counts of which there are not too many.
    static func add(
        _ numbers: SigningNumbers, of count: SigningCount,
        to counts: inout [SigningCount: SigningNumbers]
    ) {
        var count = count
        if counts.count >= mostCounts, counts[count] == nil {
            count.recipient = ""
            // Twice as many domains and selectors as that is nothing that a host signs with.
            guard counts.count < 2 * mostCounts || counts[count] != nil else { return }
        }
        counts[count, default: SigningNumbers()].add(numbers)
    }

    private func order(_ day: Int64) throws(SigningLogError) {
        let lines = try counts(of: day).map { SigningLine.text($0.key, $0.value) }.sorted().joined()
        let draft = "\(path)/draft"
        unsafe unlink(draft)
        let size = try append(Array(lines.utf8), to: draft)
        guard unsafe rename(draft, file(day)) == 0 else { throw .last(file(day)) }
        unsafe unlink(mark(day))
        _ = try append(Array("\(size)\n".utf8), to: mark(day))
    }

    /// How large the file of a day was when it was put in order; the file beside it says so.
    private func orderedSize(_ day: Int64) -> Int64 {
        let descriptor = unsafe open(mark(day), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: 32)
        let count = unsafe octets.withUnsafeMutableBytes { memory in
            unsafe read(descriptor, memory.baseAddress, memory.count)
        }
        return Int64(String(decoding: octets.prefix(max(0, count - 1)), as: UTF8.self)) ?? 0
    }

    private func mark(_ day: Int64) -> String { "\(path)/\(day).ordered" }

    private func size(_ name: String) -> Int64 {
        var status = stat()
        guard unsafe lstat(name, &status) == 0 else { return 0 }
        return Int64(status.st_size)
    }

    /// Appends to a file; what could not be written whole is taken back.
    private func append(_ octets: [UInt8], to name: String) throws(SigningLogError) -> Int64 {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(name, flags, 0o640)
        guard descriptor >= 0 else { throw .last(name) }
        defer { close(descriptor) }
        // The group reads, whatever the process's mask says.
        _ = fchmod(descriptor, 0o640)
        let before = lseek(descriptor, 0, SEEK_END)
        var rest = octets[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { memory in
                unsafe write(descriptor, memory.baseAddress, memory.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = SigningLogError.last(name)
                _ = ftruncate(descriptor, before)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        return Int64(before) + Int64(octets.count)
    }
}

/// The lock of a signing log's directory.
private struct FolderLock {
    private let descriptor: Int32

    /// Waits until nobody else has it.
    init(_ path: String) throws(SigningLogError) {
        let name = "\(path)/lock"
        descriptor = unsafe open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .last(name) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno != EINTR else { continue }
            let error = SigningLogError.last(name)
            close(descriptor)
            throw error
        }
    }

    func release() { close(descriptor) }
}

/// Why a signing log cannot be written or read.
package struct SigningLogError: Error, CustomStringConvertible, Sendable {
    /// The reason.
    package let description: String

    init(_ description: String) { self.description = description }

    /// What the last call of the system says about a file.
    static func last(_ name: String) -> SigningLogError {
        SigningLogError(unsafe "\(name): \(String(cString: strerror(errno)))")
    }
}

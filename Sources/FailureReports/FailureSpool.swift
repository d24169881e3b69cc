internal import Glibc

/// Why the spool cannot be used.
package struct FailureSpoolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason in words.
    package let description: String

    /// Creates an error with these words.
    package init(_ description: String) { self.description = description }

    init(_ what: String, _ code: Int32) {
        description = unsafe "\(what): \(String(cString: strerror(code)))"
    }
}

/// The folder in which failure reports wait to be handed over: a file for each.
///
/// The daemon, which may not run programs that have more rights than itself, writes them; `signet report failures` hands them to
/// sendmail(1). A file is whole from the moment it has its name.
package struct FailureSpool: Sendable {
    private let path: String

    /// How many reports may wait.
    package static let mostReports = 1000
    /// The largest file that is read, in octets.
    private static let largestFile = 1 << 20
    private static let suffix = ".report"
    private static let keyName = "redaction-key"
    private static let keyLength = 32

    /// The folder at this path.
    package init(path: String) { self.path = path }

    /// Makes the folder, for its owner alone, where there is none.
    package func make() throws(FailureSpoolError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw FailureSpoolError(path, errno)
        }
    }

    /// The key that names are redacted with: of the folder, so that it stays the same; made with the first use.
    package func key() throws(FailureSpoolError) -> [UInt8] {
        let file = "\(path)/\(Self.keyName)"
        if let key = try? read(file), key.count == Self.keyLength { return key }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<Self.keyLength).map { _ in UInt8.random(in: .min ... .max, using: &generator)
        }
        try write(key, to: file)
        return key
    }

    /// Adds a report, or writes one that is there anew.
    ///
    /// - Returns: whether there was room.
    package func keep(_ report: WaitingReport) throws(FailureSpoolError) -> Bool {
        let file = self.file(report.id)
        let isThere = unsafe access(file, F_OK) == 0
        if !isThere, try waiting().count >= Self.mostReports { return false }
        try write(report.octets, to: file)
        return true
    }

    /// The names of the reports that wait, the oldest first.
    package func waiting() throws(FailureSpoolError) -> [String] {
        guard let folder = unsafe opendir(path) else { throw FailureSpoolError(path, errno) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name.hasSuffix(Self.suffix), !name.hasPrefix(".") {
                names.append(String(name.dropLast(Self.suffix.utf8.count)))
            }
        }
        return names.sorted()
    }

    /// The report of a name; nil where it cannot be read, or is none.
    package func report(_ name: String) -> WaitingReport? {
        (try? read(file(name))).flatMap { WaitingReport(parsing: $0) }
    }

    /// Removes a report.
    package func remove(_ name: String) throws(FailureSpoolError) {
        guard unsafe unlink(file(name)) == 0 || errno == ENOENT else {
            throw FailureSpoolError(file(name), errno)
        }
    }

    /// Makes this process the one that hands reports over, until it ends; nil where another is.
    package func claim() throws(FailureSpoolError) -> FailureSpoolClaim? {
        let file = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw FailureSpoolError(path, errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        return FailureSpoolClaim(file)
    }

    private func file(_ name: String) -> String { "\(path)/\(name)\(Self.suffix)" }

    private func read(_ file: String) throws(FailureSpoolError) -> [UInt8] {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw FailureSpoolError(file, errno) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while octets.count <= Self.largestFile {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            guard count >= 0 else { throw FailureSpoolError(file, errno) }
            if count == 0 { return octets }
            octets += buffer[..<count]
        }
        throw FailureSpoolError(file, EFBIG)
    }

    /// Writes a file that is either there as a whole, or as it was.
    private func write(_ octets: [UInt8], to file: String) throws(FailureSpoolError) {
        let draft = "\(path)/.draft-\(getpid())"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(draft, flags, 0o600 as mode_t)
        guard descriptor >= 0 else { throw FailureSpoolError(draft, errno) }
        defer { close(descriptor) }
        var rest = octets[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else {
                let code = errno
                unsafe unlink(draft)
                throw FailureSpoolError(draft, code)
            }
            rest = rest.dropFirst(count)
        }
        guard unsafe rename(draft, file) == 0 else { throw FailureSpoolError(file, errno) }
    }
}

/// That this process hands failure reports over, as long as it is kept.
package final class FailureSpoolClaim: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}

import Glibc

/// Why a file could not be read whole.
public enum FileReadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refuses.
    case system(SystemError)
    /// It is a directory, a pipe, a device.
    case notRegular
    /// It has more octets than allowed.
    case tooLarge(limit: Int)

    /// The reason in words that follow the path.
    public var description: String {
        switch self {
        case .system(let error): "cannot be read: \(error)"
        case .notRegular: "is not a regular file"
        case .tooLarge(let limit): "is larger than \(limit) bytes"
        }
    }
}

/// An open file that closes itself.
package struct OpenFile: ~Copyable {
    let descriptor: Int32

    /// Opens for reading; never waits for a FIFO's writer.
    package init(reading path: String) throws(SystemError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw SystemError.last }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// The file's type, owner and mode, as the open descriptor has them.
    func status() throws(SystemError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw SystemError.last }
        return status
    }

    /// Everything in a regular file, provided that it is not longer than the limit; nothing of `/dev/null`, by which people name
    /// the empty file.
    func contents(limit: Int) throws(FileReadError) -> [UInt8] {
        let status: stat
        do { status = try self.status() } catch { throw .system(error) }
        if Self.isNullDevice(status) { return [] }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_size <= limit else { throw .tooLarge(limit: limit) }
        // Read where they stay: of a key no copy is left behind. One octet more than there are shows the end.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var filled = 0
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { memory in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
                return unsafe read(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(.last)
            }
            filled += count
            // The file may grow while it is read, and those of /proc have no size; the limit holds all the same.
            guard filled <= limit else { throw .tooLarge(limit: limit) }
            if count == 0 {
                bytes.removeLast(bytes.count - filled)
                return bytes
            }
            if filled == bytes.count { bytes += repeatElement(0, count: 65_536) }
        }
    }

    /// Whether it is `/dev/null`: Linux gives that the device number 1:3 everywhere (devices.txt), which `stat` writes as 0x103.
    private static func isNullDevice(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0x103
    }
}

/// Reading files whole.
public enum FileContents {
    /// The octets of a regular file; nil where there is none that can be read, or it is too long.
    public static func ifReadable(_ path: String, limit: Int) -> [UInt8]? {
        try? read(path, limit: limit)
    }

    /// The first octets of a file, as many as there are up to a count; nil where it cannot be read.
    package static func beginning(of path: String, _ count: Int) -> [UInt8]? {
        guard let file = try? OpenFile(reading: path) else { return nil }
        var octets = [UInt8](repeating: 0, count: count)
        let found = unsafe Glibc.read(file.descriptor, &octets, count)
        return found < 0 ? nil : Array(octets.prefix(found))
    }

    /// Reads a regular file whole.
    package static func read(_ path: String, limit: Int) throws(FileReadError) -> [UInt8] {
        let file: OpenFile
        do { file = try OpenFile(reading: path) } catch { throw .system(error) }
        return try file.contents(limit: limit)
    }
}

extension ConfigurationReader {
    /// The lines of a text file, without comments and empty ones, for tables whose form only the daemon knows.
    ///
    /// What is wrong with a line is reported; a file that cannot be read is for the caller to report.
    public func textLines(
        of path: String, sizeLimit: Int
    ) throws(FileReadError) -> [(text: String, location: SourceLocation)] {
        let bytes = try FileContents.read(path, limit: sizeLimit)
        return TextLines.split(bytes, file: path) { report($0) }.map { line in
            (line.text, SourceLocation(file: path, line: line.number, column: line.column))
        }
    }

    /// Reports a file that a directive names and that cannot be read; for files that a library opens by itself.
    public func checkReadable(_ path: String, directive: String) {
        do throws(SystemError) {
            _ = try OpenFile(reading: path)
        } catch {
            report(.error, directive, "\(path) cannot be read: \(error)")
        }
    }
}

import DaemonKit
import Foundation
import Glibc
import MailCrypto
import MailSyntax

/// What could not be read or is not about our domains: kept as it came, with its reason in a file beside it.
///
/// A folder is bounded; what is oldest in it goes first. Those about domains of others are in a folder of their own, so that no flood of
/// them drives out what ought to be looked at.
struct KeptAside {
    /// The folder.
    let folder: String

    /// How many octets are kept in each folder.
    private static let octetLimit = 256 << 20
    /// How many messages.
    private static let countLimit = 5000

    /// Keeps a message; it is durable when this returns.
    ///
    /// - Parameters:
    ///   - message: the octets.
    ///   - reason: why.
    ///   - isForeign: whether it is a good report about somebody else.
    /// - Returns: the name of the file; that of one that is there already, where it is the same.
    /// - Throws: why it cannot be kept.
    func keep(_ message: [UInt8], because reason: String, isForeign: Bool) throws -> String {
        let directory = "\(folder)/\(isForeign ? "foreign" : "refused")"
        try make(folder)
        try make(directory)
        let digest = SHA256.hash(message.span).prefix(12)
        let name = Hex.encode(Array(digest))
        try makeRoom(for: message.count, in: directory)
        try write(message, to: "\(directory)/\(name).eml")
        try write(Array("\(reason)\n".utf8), to: "\(directory)/\(name).reason")
        try sync(directory)
        return name
    }

    private func make(_ directory: String) throws {
        guard unsafe mkdir(directory, 0o750) != 0, errno != EEXIST else { return }
        throw CommandFailure(.tempFail, "\(directory): \(Self.systemError)")
    }

    private func write(_ octets: [UInt8], to path: String) throws {
        let draft = "\(path).\(getpid())"
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw CommandFailure(.tempFail, "\(draft): \(Self.systemError)") }
        var rest = octets[...]
        var isWritten = true
        while !rest.isEmpty, isWritten {
            let count = unsafe rest.withUnsafeBytes { memory in
                unsafe Glibc.write(file, memory.baseAddress, memory.count)
            }
            if count > 0 { rest = rest.dropFirst(count) } else { isWritten = errno == EINTR }
        }
        isWritten = isWritten && fsync(file) == 0
        let reason = Self.systemError
        close(file)
        guard isWritten, unsafe rename(draft, path) == 0 else {
            unsafe unlink(draft)
            throw CommandFailure(.tempFail, "\(path): \(reason)")
        }
    }

    private func sync(_ directory: String) throws {
        let file = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        guard fsync(file) == 0 else {
            throw CommandFailure(.tempFail, "\(directory): \(Self.systemError)")
        }
    }

    private func makeRoom(for octets: Int, in directory: String) throws {
        let manager = FileManager.default
        var files: [(name: String, size: Int, time: Date)] = []
        var sum = octets
        for name in (try? manager.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasSuffix(".eml") {
            let attributes = try? manager.attributesOfItem(atPath: "\(directory)/\(name)")
            let size = (attributes?[.size] as? Int) ?? 0
            files.append((name, size, (attributes?[.modificationDate] as? Date) ?? .distantPast))
            sum += size
        }
        files.sort { $0.time < $1.time }
        var count = files.count
        for file in files {
            guard sum > Self.octetLimit || count >= Self.countLimit else { break }
            unsafe unlink("\(directory)/\(file.name)")
            unsafe unlink("\(directory)/\(file.name.dropLast(4)).reason")
            sum -= file.size
            count -= 1
        }
    }

    private static var systemError: String { unsafe String(cString: strerror(errno)) }
}

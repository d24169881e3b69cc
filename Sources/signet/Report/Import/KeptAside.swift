import DaemonKit
import Foundation
import Glibc
import MailCrypto
import MailSyntax
import ReportStore

/// What could not be read or is not about our domains: kept as it came, with its reason in a file beside it.
///
/// A folder is bounded; what is oldest in it goes first. Those about domains of others are in a folder of their own, and so are those of
/// which nobody knows whose they are: no flood of them drives out what ought to be looked at.
final class KeptAside {
    /// The folders.
    enum Place: String, CaseIterable {
        case refused, foreign, unauthenticated
    }

    private let folder: String
    /// What is in each folder, the oldest first: read once, as a flood would have it read for each message.
    private var files: [String: [(name: String, size: Int)]] = [:]

    /// How much of a message's digest is its name, in octets.
    private static let digestLength = 12
    /// How many octets are kept in each folder.
    private static let octetLimit = 256 << 20
    /// How many messages.
    private static let countLimit = 5000

    /// In this folder, which is made with the first message.
    init(folder: String) { self.folder = folder }

    /// What is kept aside already.
    struct Kept: Hashable {
        let place: Place
        let name: String
        /// Where it was read first.
        let origin: String
    }

    /// Whether a file is the reason beside something that is kept aside, here or in a copy of the folder.
    static func isReason(_ path: String) -> Bool {
        let ending = ".reason"
        guard path.hasSuffix(ending) else { return false }
        return unsafe access("\(path.dropLast(ending.count)).eml", F_OK) == 0
    }

    /// What a file is, if it is one of those that are kept in this folder.
    func kept(at path: String) -> Kept? {
        let base = path.split(separator: "/").last ?? ""
        guard base.hasSuffix(".eml"), base.utf8.count == 2 * Self.digestLength + 4 else {
            return nil
        }
        let url = URL(filePath: path).resolvingSymlinksInPath()
        let directory = url.deletingLastPathComponent().path(percentEncoded: false)
        let place = Place.allCases.first { place in
            URL(filePath: "\(folder)/\(place.rawValue)", directoryHint: .isDirectory)
                .resolvingSymlinksInPath().path(percentEncoded: false) == directory
        }
        guard let place else { return nil }
        let name = url.deletingPathExtension().lastPathComponent
        return Kept(
            place: place, name: name, origin: origin(of: name, in: place)?.origin ?? path)
    }

    /// Where something that is kept was read, and why it was not taken.
    private func origin(of name: String, in place: Place) -> (origin: String, reason: String)? {
        guard
            let text = try? String(
                contentsOfFile: "\(folder)/\(place.rawValue)/\(name).reason", encoding: .utf8),
            let colon = text.range(of: ": ")
        else { return nil }
        return (String(text[..<colon.lowerBound]), String(text[colon.upperBound...]))
    }

    /// Has something leave the folder, with its reason.
    func release(_ kept: Kept) {
        let path = "\(folder)/\(kept.place.rawValue)/\(kept.name)"
        unsafe unlink("\(path).eml")
        unsafe unlink("\(path).reason")
        files["\(folder)/\(kept.place.rawValue)"]?.removeAll { $0.name == kept.name }
    }

    /// The names of what is kept; nil where the folder cannot be read.
    var names: Set<String>? {
        let manager = FileManager.default
        guard let places = try? manager.contentsOfDirectory(atPath: folder) else { return nil }
        var names: Set<String> = []
        for place in Place.allCases where places.contains(place.rawValue) {
            guard
                let files = try? manager.contentsOfDirectory(
                    atPath: "\(folder)/\(place.rawValue)")
            else { return nil }
            names.formUnion(files.filter { $0.hasSuffix(".eml") }.map { String($0.dropLast(4)) })
        }
        return names
    }

    /// The names under which something is kept that was in a file of this name, or in an attachment.
    func names(ofFile file: String) -> [String] {
        guard let names else { return [] }
        return names.sorted().filter { name in
            Place.allCases.contains { place in
                guard let (origin, reason) = origin(of: name, in: place) else { return false }
                return origin == file || origin.hasSuffix("/\(file)")
                    || reason.contains("\"\(file)\"")
            }
        }
    }

    /// Keeps a message; it is durable when this returns.
    ///
    /// - Parameters:
    ///   - message: the octets.
    ///   - reason: why.
    ///   - place: the folder.
    /// - Returns: the name of the file; that of one that is there already, where it is the same.
    /// - Throws: why it cannot be kept.
    func keep(_ message: [UInt8], because reason: String, in place: Place) throws -> String {
        let directory = "\(folder)/\(place.rawValue)"
        try make(folder)
        try make(directory)
        let digest = SHA256.hash(message.span).prefix(Self.digestLength)
        let name = Hex.encode(Array(digest))
        makeRoom(for: name, message.count, in: directory)
        try write(message, to: "\(directory)/\(name).eml")
        try write(Array("\(reason)\n".utf8), to: "\(directory)/\(name).reason")
        try sync(directory)
        return name
    }

    private func make(_ directory: String) throws {
        guard unsafe mkdir(directory, 0o750) == 0 else {
            if errno == EEXIST { return }
            throw CommandFailure(.tempFail, "\(directory): \(Self.systemError)")
        }
        let made = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard made >= 0 else { return }
        FileOwner.give(made, toOwnerAround: directory)
        close(made)
    }

    private func write(_ octets: [UInt8], to path: String) throws {
        let draft = "\(path).\(getpid())"
        // One of an earlier run that has ended in the middle.
        unsafe unlink(draft)
        let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw CommandFailure(.tempFail, "\(draft): \(Self.systemError)") }
        FileOwner.give(file, toOwnerAround: draft)
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

    private func makeRoom(for name: String, _ size: Int, in directory: String) {
        var kept = (files[directory] ?? Self.list(directory)).filter { $0.name != name }
        var sum = kept.reduce(size) { $0 + $1.size }
        var gone = 0
        while gone < kept.count, sum > Self.octetLimit || kept.count - gone >= Self.countLimit {
            unsafe unlink("\(directory)/\(kept[gone].name).eml")
            unsafe unlink("\(directory)/\(kept[gone].name).reason")
            sum -= kept[gone].size
            gone += 1
        }
        kept.removeFirst(gone)
        files[directory] = kept + [(name, size)]
    }

    private static func list(_ directory: String) -> [(name: String, size: Int)] {
        let manager = FileManager.default
        var files: [(name: String, size: Int, time: Date)] = []
        for name in (try? manager.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasSuffix(".eml") {
            let attributes = try? manager.attributesOfItem(atPath: "\(directory)/\(name)")
            files.append(
                (
                    String(name.dropLast(4)), (attributes?[.size] as? Int) ?? 0,
                    (attributes?[.modificationDate] as? Date) ?? .distantPast
                ))
        }
        return files.sorted { $0.time < $1.time }.map { ($0.name, $0.size) }
    }

    private static var systemError: String { unsafe String(cString: strerror(errno)) }
}

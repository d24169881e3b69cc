import DaemonKit
import Foundation
import Glibc

/// The mails and files that are to be imported, one after the other and each of bounded size.
struct ImportSource {
    /// A mail or a file.
    struct Item {
        /// Where it came from, for people.
        let origin: String
        /// The name of the file; empty for a mail.
        let name: String
        /// The octets; the first of them where it is too large.
        var octets: [UInt8]
        /// The file, where it holds nothing else.
        var path: String?
        /// Whether it has more octets than are read.
        var isTooLarge = false
        /// Whether it was cut out of a mbox, in which the text of a mail may look like the beginning of another.
        var isFromMbox = false
    }

    /// The largest mail or file, in octets.
    let limit: Int
    /// How many files a folder may have.
    private static let fileLimit = 2_000_000
    /// Whether standard input is one mail, as delivery agents give it: they write "From " before it and quote no such line in it.
    var isDelivery = false
    private static let piece = 1 << 16

    /// Hands over what is in files, folders (Maildir or plain) and mboxes; "-" is standard input.
    ///
    /// - Throws: what cannot be read, after everything else was handed over.
    func each(of paths: [String], _ body: (Item) throws -> Void) throws {
        var failure: CommandFailure?
        for path in paths {
            do {
                if path == "-" {
                    try readFile(STDIN_FILENO, origin: "standard input", name: "", body)
                } else if Self.isFolder(path) {
                    for file in try files(in: path) { try open(file, body) }
                } else {
                    try open(path, body)
                }
            } catch let error as CommandFailure where error.status == .noInput {
                complain(error.description)
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    /// The files of a folder, in the order of their names: those of a Maildir without what is still being written to it.
    private func files(in folder: String) throws -> [String] {
        let manager = FileManager.default
        let isMaildir = ["cur", "new"].allSatisfy { Self.isFolder("\(folder)/\($0)") }
        var files: [String] = []
        for place in isMaildir ? ["\(folder)/cur", "\(folder)/new"] : [folder] {
            guard let names = manager.enumerator(atPath: place) else {
                throw CommandFailure(.noInput, "\(place) cannot be read")
            }
            for case let name as String in names {
                let base = name.split(separator: "/").last ?? ""
                guard !base.hasPrefix("."), !Self.isFolder("\(place)/\(name)") else { continue }
                files.append("\(place)/\(name)")
                guard files.count < Self.fileLimit else {
                    throw CommandFailure(
                        .noInput, "\(folder) has more than \(Self.fileLimit) files")
                }
            }
        }
        return files.sorted()
    }

    private func open(_ path: String, _ body: (Item) throws -> Void) throws {
        guard !KeptAside.isReason(path) else { return }
        // A pipe in a folder would wait for somebody who writes.
        let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw CommandFailure(.noInput, "\(path): \(reason)")
        }
        defer { close(file) }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        try readFile(file, origin: path, name: name, path: path, body)
    }

    private func readFile(
        _ file: Int32, origin: String, name: String, path: String? = nil,
        _ body: (Item) throws -> Void
    ) throws {
        var item = Item(origin: origin, name: name, octets: [], path: path)
        var piece = try read(file, origin)
        let isMail = isDelivery && file == STDIN_FILENO
        if !isMail, piece.starts(with: "From ".utf8) {
            try readMbox(file, origin: origin, piece, body)
            return
        }
        // Room for all of it at once: an array that grows has twice as much for a moment.
        let size = Self.size(of: file)
        if let size, size > limit {
            item.octets = piece
            item.isTooLarge = true
            try body(item)
            return
        }
        item.octets.reserveCapacity((size ?? limit) + piece.count)
        while !piece.isEmpty {
            item.octets += piece
            if item.octets.count > limit {
                item.isTooLarge = true
                break
            }
            piece = try read(file, origin)
        }
        try body(item)
    }

    /// The size of a file; nil for a pipe and its like.
    private static func size(of file: Int32) -> Int? {
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int(status.st_size)
    }

    private func read(_ file: Int32, _ origin: String) throws -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: Self.piece)
        while true {
            let count = unsafe octets.withUnsafeMutableBytes { memory in
                unsafe Glibc.read(file, memory.baseAddress, memory.count)
            }
            if count >= 0 { return Array(octets[..<count]) }
            guard errno == EINTR else {
                let reason = unsafe String(cString: strerror(errno))
                throw CommandFailure(.noInput, "\(origin): \(reason)")
            }
        }
    }

    /// Splits an mbox at lines that begin with "From " after an empty line.
    private func readMbox(
        _ file: Int32, origin: String, _ first: [UInt8], _ body: (Item) throws -> Void
    ) throws {
        var number = 1
        var item = Item(
            origin: "\(origin), message 1", name: "", octets: [], isFromMbox: true)
        var line: [UInt8] = []
        var isAfterEmpty = false
        func finish() throws {
            guard !item.octets.isEmpty else { return }
            try body(item)
            number += 1
            item = Item(
                origin: "\(origin), message \(number)", name: "", octets: [], isFromMbox: true)
        }
        func take() throws {
            if isAfterEmpty, line.starts(with: "From ".utf8) { try finish() }
            isAfterEmpty = line == [0x0A] || line == [0x0D, 0x0A]
            if item.octets.count + line.count > limit {
                item.isTooLarge = true
            } else {
                item.octets += line
            }
            line.removeAll(keepingCapacity: true)
        }
        var piece = first
        while !piece.isEmpty {
            var rest = piece[...]
            while let end = rest.firstIndex(of: 0x0A) {
                line += rest[...end]
                rest = rest[(end + 1)...]
                try take()
            }
            line += rest
            // A line without an end is cut: no report has such lines.
            if line.count > limit { try take() }
            piece = try read(file, origin)
        }
        try take()
        try finish()
    }
}

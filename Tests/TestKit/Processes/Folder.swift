internal import Foundation

/// A directory of files that lives as long as the value.
public final class Folder: Sendable {
    /// The absolute path, without a slash at the end.
    public let path: String

    /// Makes a directory with the files given, by their names.
    public init(_ files: [String: String] = [:]) throws {
        path = NSTemporaryDirectory() + "signet-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try write(name, text) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file.
    public func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    /// The path of a file in it.
    public func file(_ name: String) -> String { path + "/" + name }
}

/// Sets a file's permissions.
public func setMode(_ path: String, _ mode: UInt32) {
    _ = unsafe chmod(path, mode)
}

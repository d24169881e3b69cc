internal import Foundation

/// A directory of its own under /tmp, removed with everything in it when the owner goes.
///
/// The path is short, because a Unix socket's path has 107 bytes, and every user may pass through
/// it, because Postfix and Dovecot work as users of their own.
public final class TemporaryDirectory: Sendable {
    /// The absolute path, without a slash at the end.
    public let path: String

    /// Makes an empty directory whose name starts with `prefix`.
    public init(_ prefix: String = "signet") throws {
        var template = Array("/tmp/\(prefix)-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw TestKitError("no temporary directory can be made under /tmp: errno \(errno)")
        }
        path = template.dropLast().reduce(into: "") {
            $0.unicodeScalars.append(.init(UInt8(bitPattern: $1)))
        }
        Janitor.watch(.directory(path))
        guard unsafe chmod(path, 0o755) == 0 else {
            throw TestKitError("chmod \(path): errno \(errno)")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        Janitor.forget(.directory(path))
    }

    /// The path of `name` in this directory.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes `text` to the file `name` and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String, mode: Int = 0o644) throws -> String {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    /// Writes `bytes` to the file `name` and returns its path.
    ///
    /// A program is written by another process: a test that runs beside this one may start a child
    /// in that moment, which would have the file open for writing, too, and whoever then runs the
    /// program would be told ETXTBSY.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String, mode: Int = 0o644) throws -> String {
        let path = file(name)
        if mode & 0o111 == 0 {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        } else {
            try Command.require("sh", ["-c", "cat >\"$1\"", "sh", path], input: bytes)
        }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// Makes the directory `name`, owned by `owner`, and returns its path.
    @discardableResult
    public func makeDirectory(
        _ name: String, mode: Int = 0o755, owner: String? = nil, group: String? = nil
    ) throws -> String {
        let path = file(name)
        var attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
        attributes[.ownerAccountName] = owner
        attributes[.groupOwnerAccountName] = group
        let manager = FileManager.default
        try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Set after creation, so that the process's umask has no say.
        try manager.setAttributes(attributes, ofItemAtPath: path)
        return path
    }
}

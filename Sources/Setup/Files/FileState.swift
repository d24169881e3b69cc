/// A regular file: what it holds, who owns it, and who may do what with it.
package struct FileState: Hashable, Sendable {
    /// The contents.
    package var contents: [UInt8]
    /// The permission bits.
    package var mode: UInt32
    /// The owner's number.
    package var user: UInt32
    /// The group's number.
    package var group: UInt32

    /// Describes a file.
    package init(_ contents: [UInt8], mode: UInt32, user: UInt32 = 0, group: UInt32 = 0) {
        self.contents = contents
        self.mode = mode
        self.user = user
        self.group = group
    }

    /// The contents as text; what is not UTF-8 is replaced.
    package var text: String { String(decoding: contents, as: UTF8.self) }
}

/// A file that is to become another one.
package struct FileChange: Hashable, Sendable {
    /// The path, as the host of the tree knows it.
    package let path: String
    /// The file before; nil where there is none.
    package let before: FileState?
    /// The file after.
    package let after: FileState

    /// Describes a change.
    package init(path: String, before: FileState?, after: FileState) {
        self.path = path
        self.before = before
        self.after = after
    }
}

/// A directory that a change needs and that is made where it is missing.
package struct NeededDirectory: Hashable, Sendable {
    /// The path, as the host of the tree knows it.
    package let path: String
    /// The permission bits.
    package let mode: UInt32
    /// The owner's number.
    package let user: UInt32
    /// The group's number.
    package let group: UInt32

    /// Describes a directory.
    package init(path: String, mode: UInt32, user: UInt32 = 0, group: UInt32 = 0) {
        self.path = path
        self.mode = mode
        self.user = user
        self.group = group
    }
}

/// Why something on disk cannot be done.
package struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence: the path and what is wrong.
    package let description: String

    /// Makes a fault.
    package init(_ description: String) { self.description = description }
}

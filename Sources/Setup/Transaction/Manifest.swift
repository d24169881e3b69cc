/// What a transaction changes: enough to complete or to undo it without whoever planned it.
///
/// Written before the first change, and in its place whole or not at all.
struct Manifest: Hashable, Sendable {
    /// Permission bits and owner of a file; its contents lie beside the manifest.
    struct Attributes: Hashable, Sendable {
        let mode: UInt32
        let user: UInt32
        let group: UInt32
    }

    /// A changed file.
    struct Entry: Hashable, Sendable {
        let path: String
        /// Nil where there was no file.
        let before: Attributes?
        let after: Attributes
    }

    /// The directories that were missing, each before those in it.
    var directories: [NeededDirectory] = []
    /// The files in the order in which they are changed.
    var entries: [Entry] = []

    private static let heading = "signet setup 1"

    init(_ changes: [FileChange], directories: [NeededDirectory]) {
        self.directories = directories
        entries = changes.map { change in
            Entry(
                path: change.path, before: change.before.map(Attributes.init),
                after: Attributes(change.after))
        }
    }

    /// Reads a manifest; nil where it is none of ours.
    init?(_ text: String) {
        var lines = text.split(separator: "\n")
        guard lines.first == Substring(Self.heading), lines.last == "end" else { return nil }
        lines.removeFirst()
        lines.removeLast()
        for line in lines {
            let fields = line.split(separator: " ", maxSplits: 3)
            guard fields.count == 4, fields[3].hasPrefix("/"),
                let after = Attributes(fields[2])
            else { return nil }
            let path = String(fields[3])
            switch (fields[0], fields[1]) {
            case ("directory", "-"):
                directories.append(
                    NeededDirectory(
                        path: path, mode: after.mode, user: after.user, group: after.group))
            case ("file", "-"): entries.append(Entry(path: path, before: nil, after: after))
            case ("file", let text):
                guard let before = Attributes(text) else { return nil }
                entries.append(Entry(path: path, before: before, after: after))
            default: return nil
            }
        }
    }

    /// The text that `init(_:)` reads.
    var text: String {
        let directories = directories.map {
            "directory - \(Attributes(mode: $0.mode, user: $0.user, group: $0.group).text) \($0.path)\n"
        }
        let entries = entries.map {
            "file \($0.before?.text ?? "-") \($0.after.text) \($0.path)\n"
        }
        return "\(Self.heading)\n" + directories.joined() + entries.joined() + "end\n"
    }
}

extension Manifest.Attributes {
    init(_ file: FileState) { self.init(mode: file.mode, user: file.user, group: file.group) }

    /// `MODE:USER:GROUP`, the mode in octal.
    init?(_ text: Substring) {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let mode = UInt32(parts[0], radix: 8), mode <= 0o7777,
            let user = UInt32(parts[1]), let group = UInt32(parts[2])
        else { return nil }
        self.init(mode: mode, user: user, group: group)
    }

    var text: String { "\(String(mode, radix: 8)):\(user):\(group)" }

    func file(_ contents: [UInt8]) -> FileState {
        FileState(contents, mode: mode, user: user, group: group)
    }
}

/// Changes of several files as one: made all or not at all, and put back octet for octet.
///
/// A journal under `/var/lib/signet/setup` is written before the first change. Each file is put in its place by a rename,
/// so that whatever ends the process leaves each file as it was or as it is to be, and the next run of any command that
/// works here completes what was begun.
package struct Transactions {
    /// Where the journal lies.
    package static let directory = "/var/lib/signet/setup"

    let tree: FileTree
    /// Called before each step that changes the disk, with its name; tests end the process here.
    let step: (String) throws -> Void

    /// Transactions in a tree.
    package init(in tree: FileTree, step: @escaping (String) throws -> Void = { _ in }) {
        self.tree = tree
        self.step = step
    }

    /// What became of a transaction that an earlier run had begun.
    package enum Recovery: Hashable, Sendable {
        /// The rest of its changes has been made.
        case completed([String])
        /// The rest of its changes has been put back.
        case undone([String])
    }

    /// Makes all changes, or none if one cannot be made.
    ///
    /// - Throws: FileFault where a file is not what `before` says, or cannot be written.
    package func apply(_ changes: [FileChange], directories: [NeededDirectory]) throws {
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        _ = try recoverLocked()
        for change in changes {
            guard try tree.file(change.path)?.contents == change.before?.contents else {
                throw FileFault("\(change.path) has changed since it was looked at; run again")
            }
        }
        let folder = try prepare(changes, directories)
        do {
            try complete(folder)
        } catch let fault as FileFault {
            // Puts back what was made; if that fails as well, the next run tries again.
            try folder.mark("undoing")
            try putBack(folder)
            throw fault
        }
    }

    /// Completes what an earlier run has begun; nil where there is nothing.
    package func recover() throws -> Recovery? {
        guard tree.exists(Self.directory) else { return nil }
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        return try recoverLocked()
    }

    func recoverLocked() throws -> Recovery? {
        var recovery: Recovery?
        for folder in folders {
            switch folder.stage {
            case .preparing:
                try step("discard")
                try folder.remove()
            case .applying:
                try complete(folder)
                recovery = .completed(try folder.manifest().entries.map(\.path))
            case .undoing:
                try putBack(folder)
                recovery = .undone(try folder.manifest().entries.map(\.path))
            case .applied, .undone: break
            }
        }
        return recovery
    }

    // MARK: Making changes

    /// Writes the journal; from the moment when the manifest is in its place, the changes will be made.
    private func prepare(
        _ changes: [FileChange], _ directories: [NeededDirectory]
    ) throws -> TransactionFolder {
        let missing = directories.filter { !tree.exists($0.path) }
        let number =
            (folders.last.flatMap { Int($0.path.split(separator: "/").last ?? "") } ?? 0) + 1
        let digits = String(number)
        let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        let folder = TransactionFolder(tree: tree, path: "\(Self.directory)/\(name)")
        try step("make folder")
        try tree.makeDirectory(NeededDirectory(path: folder.path, mode: 0o700))
        for (index, change) in changes.enumerated() {
            try step("keep before")
            if let before = change.before {
                try tree.write(
                    FileState(before.contents, mode: 0o600), to: folder.entry(index, "before"))
            }
            try step("keep after")
            try tree.write(
                FileState(change.after.contents, mode: 0o600), to: folder.entry(index, "after"))
        }
        try step("write manifest")
        let manifest = Manifest(changes, directories: missing)
        try tree.write(
            FileState(Array(manifest.text.utf8), mode: 0o600), to: "\(folder.path)/manifest")
        return folder
    }

    /// Makes the changes that have not been made.
    private func complete(_ folder: TransactionFolder) throws {
        let manifest = try folder.manifest()
        var pending: [(String, FileState)] = []
        for (index, entry) in manifest.entries.enumerated() {
            let after = try folder.after(index, entry)
            let now = try tree.file(entry.path)
            if now == after { continue }
            guard
                try now?.contents == folder.before(index, entry)?.contents
                    || now?.contents == after.contents
            else {
                throw FileFault(
                    "\(entry.path) was changed by somebody else while an earlier run was interrupted; "
                        + "its versions are in \(folder.path)")
            }
            pending.append((entry.path, after))
        }
        for directory in manifest.directories {
            try step("make directory")
            try tree.makeDirectory(directory)
        }
        for (path, file) in pending {
            try step("write file")
            try tree.write(file, to: path)
        }
        for entry in manifest.entries { try tree.removeTemporary(of: entry.path) }
        try step("mark applied")
        try folder.mark("applied")
    }

    // MARK: Putting back

    /// What `undo` did.
    package enum Undo: Hashable, Sendable {
        /// These files are again what they were.
        case done([String])
        /// Nothing has been applied that is not undone.
        case nothing
        /// These files have changed since, so nothing was touched.
        case changedSince([Obstacle])
    }

    /// A file whose edit stands in the way of an undo.
    package struct Obstacle: Hashable, Sendable {
        /// What was edited: from what the transaction has left to what is there now.
        package let change: FileChange
        /// Where the journal has the file as the transaction has left it.
        package let left: String
    }

    /// Puts back what the last transaction that holds has changed.
    ///
    /// - Parameters:
    ///   - dryRun: only say what would be done.
    ///   - sparingEdits: go on where files were edited since, if the edits can be spared.
    /// - Returns: the files, or why nothing was touched.
    /// - Throws: FileFault where a file cannot be read or written.
    package func undo(dryRun: Bool = false, sparingEdits: Bool = false) throws -> Undo {
        guard tree.exists(Self.directory) else { return .nothing }
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        if !dryRun, case .undone(let paths) = try recoverLocked() { return .done(paths) }
        guard let folder = folders.last(where: { $0.stage == .applied }) else { return .nothing }
        let manifest = try folder.manifest()
        let edits = try edits(since: folder, manifest)
        let obstacles = sparingEdits ? edits.filter { $0.spared == nil } : edits
        guard obstacles.isEmpty else {
            return .changedSince(
                obstacles.map {
                    Obstacle(change: $0.change, left: folder.entry($0.index, "after"))
                })
        }
        let paths = manifest.entries.map(\.path)
        if dryRun { return .done(paths) }
        try note(edits, in: folder, manifest)
        try step("mark undoing")
        try folder.mark("undoing")
        try putBack(folder)
        return .done(paths)
    }

    private func putBack(_ folder: TransactionFolder) throws {
        let manifest = try folder.manifest()
        for (index, entry) in manifest.entries.enumerated().reversed() {
            try tree.removeTemporary(of: entry.path)
            try step("put back")
            if let before = try folder.restored(index, entry) {
                if try tree.file(entry.path) != before { try tree.write(before, to: entry.path) }
            } else if try tree.file(entry.path) != nil {
                try tree.remove(entry.path)
            }
        }
        for directory in manifest.directories.reversed() where tree.exists(directory.path) {
            try step("remove directory")
            try tree.removeDirectoryIfEmpty(directory.path)
        }
        try step("mark undone")
        try folder.mark("undone")
    }

    // MARK: The services

    /// What the last transaction has made or put back, where the services have not been told of it: a run that ended before it
    /// could.
    package func unserved() throws -> Recovery? {
        guard let folder = folders.last, !folder.isServed else { return nil }
        switch folder.stage {
        case .applied: return .completed(try folder.manifest().entries.map(\.path))
        case .undone: return .undone(try folder.manifest().entries.map(\.path))
        case .preparing, .applying, .undoing: return nil
        }
    }

    /// Says that the services have taken up what is on the disk.
    package func markServed() throws {
        guard tree.exists(Self.directory) else { return }
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        for folder in folders where !folder.isServed {
            if folder.stage == .applied || folder.stage == .undone {
                try folder.mark(folder.served)
            }
        }
    }

    // MARK: The journal

    var folders: [TransactionFolder] {
        tree.names(in: Self.directory).filter { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            .map { TransactionFolder(tree: tree, path: "\(Self.directory)/\($0)") }
    }

    func locked() throws -> FileLock {
        for path in ["/var", "/var/lib", "/var/lib/signet"] {
            try tree.makeDirectory(NeededDirectory(path: path, mode: 0o755))
        }
        try tree.makeDirectory(NeededDirectory(path: Self.directory, mode: 0o700))
        guard let lock = try tree.lock("\(Self.directory)/lock") else {
            throw FileFault("another run of signet is changing the configuration")
        }
        return lock
    }
}

/// Files that a transaction has made and that change with time, such as a table that a timer reads out of a database.
extension Transactions {
    /// Writes files anew and notes that in the journal, so that to undo the transaction that has made them still puts back what was
    /// there before it.
    ///
    /// Whatever ends the process leaves each file as it was or as it is to be, and the journal knows both. What no transaction has
    /// made becomes part of the one that has made the others.
    ///
    /// - Throws: FileFault where a file cannot be read or written.
    package func refresh(_ changes: [FileChange], directories: [NeededDirectory]) throws {
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        _ = try recoverLocked()
        let applied = folders.filter { $0.stage == .applied }
        let owner =
            try applied.last { folder in
                try folder.manifest().entries.contains { entry in
                    changes.contains { $0.path == entry.path }
                }
            } ?? applied.last
        if let owner {
            var manifest = try owner.manifest()
            manifest.directories += directories.filter { directory in
                !tree.exists(directory.path) && !manifest.directories.contains(directory)
            }
            try write(manifest, to: owner)
        }
        for directory in directories { try tree.makeDirectory(directory) }
        for change in changes {
            try step("note refresh")
            let note = try note(change, in: applied, orIn: owner)
            try step("refresh file")
            try tree.write(change.after, to: change.path)
            try step("keep refreshed")
            if let (folder, index) = note {
                try tree.write(kept(change.after.contents), to: folder.entry(index, "after"))
            }
        }
    }

    /// Notes what a file is about to become; gives where, or nil where there is no journal.
    private func note(
        _ change: FileChange, in applied: [TransactionFolder], orIn owner: TransactionFolder?
    ) throws -> (folder: TransactionFolder, index: Int)? {
        for folder in applied.reversed() {
            let entries = try folder.manifest().entries
            guard let index = entries.firstIndex(where: { $0.path == change.path }) else {
                continue
            }
            // An earlier refresh may have ended behind the file, which then is as that one meant it to be.
            if let next = try folder.next(index), try tree.file(change.path)?.contents == next {
                try tree.write(kept(next), to: folder.entry(index, "after"))
            }
            try tree.write(kept(change.after.contents), to: folder.entry(index, "next"))
            return (folder, index)
        }
        guard let owner else { return nil }
        var manifest = try owner.manifest()
        let index = manifest.entries.count
        let before = try tree.file(change.path)
        if let before { try tree.write(kept(before.contents), to: owner.entry(index, "before")) }
        try tree.write(kept(change.after.contents), to: owner.entry(index, "after"))
        manifest.entries +=
            Manifest(
                [FileChange(path: change.path, before: before, after: change.after)],
                directories: []
            ).entries
        try write(manifest, to: owner)
        return (owner, index)
    }

    private func kept(_ contents: [UInt8]) -> FileState { FileState(contents, mode: 0o600) }

    private func write(_ manifest: Manifest, to folder: TransactionFolder) throws {
        try tree.write(kept(Array(manifest.text.utf8)), to: "\(folder.path)/manifest")
    }
}

/// The units of systemd that taking a transaction up has switched on.
extension Transactions {
    /// Notes units with the last transaction, before they are switched on.
    package func note(units: [String]) throws {
        guard !units.isEmpty, tree.exists(Self.directory) else { return }
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        guard let folder = folders.last(where: { $0.stage == .applied }) else { return }
        // A run that ended in between has noted those that it had switched on.
        let known = try self.units(of: folder)
        let lines = (known + units.filter { !known.contains($0) }).map { "\($0)\n" }
        try tree.write(kept(Array(lines.joined().utf8)), to: "\(folder.path)/units")
    }

    /// The units that were at rest before the transactions that have been put back, and of which the services have not been told.
    package func unitsToRest() throws -> [String] {
        try folders.filter { $0.stage == .undone && !$0.isServed }.flatMap(units)
    }

    private func units(of folder: TransactionFolder) throws -> [String] {
        try tree.file("\(folder.path)/units")?.text.split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("signet-") } ?? []
    }
}

/// What somebody has changed in a file since a transaction made it, and what becomes of that when the transaction is put back.
package struct SparedEdit: Hashable, Sendable {
    /// What becomes of it.
    package enum Fate: Hashable, Sendable {
        /// It stays in the file.
        case stays
        /// The edited file is kept here.
        case aside(String)
    }

    /// The file.
    package let path: String
    /// What becomes of the edit.
    package let fate: Fate
}

/// Edits that an undo spares: those of lines that the transaction has left alone stay, and the edited version of a file of Signet's
/// own is kept beside the journal.
extension Transactions {
    /// What an undo that spares edits would do with those made since the last transaction; none where it would stop.
    package func editsToSpare() throws -> [SparedEdit] {
        guard tree.exists(Self.directory) else { return [] }
        let lock = try locked()
        defer { withExtendedLifetime(lock) {} }
        guard let folder = folders.last(where: { $0.stage == .applied }) else { return [] }
        return try edits(since: folder, try folder.manifest()).compactMap(\.spared)
    }

    /// What became of edits in the undo of which the services have not been told yet.
    package func sparedEdits() throws -> [SparedEdit] {
        try folders.filter { $0.stage == .undone && !$0.isServed }.flatMap { folder in
            try folder.manifest().entries.enumerated().compactMap { index, entry in
                if tree.exists(folder.entry(index, "restored")) {
                    return SparedEdit(path: entry.path, fate: .stays)
                }
                let copy = folder.entry(index, "edited")
                return tree.exists(copy) ? SparedEdit(path: entry.path, fate: .aside(copy)) : nil
            }
        }
    }

    /// An edited file, and how it can be put back.
    struct Edit {
        let index: Int
        let change: FileChange
        /// What becomes of the edit; nil where it stands in the way.
        let spared: SparedEdit?
        /// The contents to put back in place of those from before, where the edit stays.
        let restored: [UInt8]?
    }

    /// The files that are no longer as they were left.
    func edits(since folder: TransactionFolder, _ manifest: Manifest) throws -> [Edit] {
        var edits: [Edit] = []
        for (index, entry) in manifest.entries.enumerated() {
            let left = try folder.after(index, entry)
            let now = try tree.file(entry.path)
            if now?.contents == left.contents { continue }
            // A refresh that ended between the journal and the file, or behind the file.
            if let next = try folder.next(index), now?.contents == next { continue }
            let before = try folder.before(index, entry)
            if now == before { continue }
            let change = FileChange(
                path: entry.path, before: left, after: now ?? FileState([], mode: 0))
            edits.append(edit(index, change, now, before, in: folder))
        }
        return edits
    }

    private func edit(
        _ index: Int, _ change: FileChange, _ now: FileState?, _ before: FileState?,
        in folder: TransactionFolder
    ) -> Edit {
        if let now, let before, let left = change.before,
            let both = LineMerge.merged(base: left.contents, before.contents, now.contents)
        {
            return Edit(
                index: index, change: change,
                spared: SparedEdit(path: change.path, fate: .stays), restored: both)
        }
        // Keys and the list of those that sign may have been replaced since, and receivers know the new ones.
        let isOurs =
            change.path.hasPrefix("/etc/signet/") && now != nil
            && !change.path.hasPrefix("/etc/signet/keys/")
        let copy = folder.entry(index, "edited")
        return Edit(
            index: index, change: change,
            spared: isOurs ? SparedEdit(path: change.path, fate: .aside(copy)) : nil, restored: nil)
    }

    /// Writes down what `putBack` needs to spare edits.
    func note(_ edits: [Edit], in folder: TransactionFolder, _ manifest: Manifest) throws {
        for index in manifest.entries.indices {
            for suffix in ["restored", "edited"] where tree.exists(folder.entry(index, suffix)) {
                try tree.remove(folder.entry(index, suffix))
            }
        }
        for edit in edits {
            try step("keep edit")
            if let restored = edit.restored {
                try tree.write(
                    FileState(restored, mode: 0o600), to: folder.entry(edit.index, "restored"))
            } else if case .aside(let copy) = edit.spared?.fate {
                try tree.write(
                    FileState(edit.change.after.contents, mode: 0o600), to: copy)
            }
        }
    }
}

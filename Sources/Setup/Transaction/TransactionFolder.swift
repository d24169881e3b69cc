/// The folder of one transaction: its manifest, the files before and after, and marks that say how far it has come.
struct TransactionFolder {
    /// How far a transaction has come.
    enum Stage: Hashable, Sendable {
        /// Nothing has been changed, and nothing will be.
        case preparing
        /// Some of the changes may have been made.
        case applying
        /// All have been made.
        case applied
        /// Some may have been put back.
        case undoing
        /// All have been put back.
        case undone
    }

    let tree: FileTree
    /// The folder's path.
    let path: String

    func entry(_ index: Int, _ suffix: String) -> String { "\(path)/\(index).\(suffix)" }

    /// The stage that the marks tell.
    var stage: Stage {
        let has = { (name: String) in tree.exists("\(path)/\(name)") }
        if has("undone") { return .undone }
        if has("undoing") { return .undoing }
        if has("applied") { return .applied }
        return has("manifest") ? .applying : .preparing
    }

    /// Sets the mark of a stage.
    func mark(_ name: String) throws(FileFault) {
        try tree.write(FileState([], mode: 0o600), to: "\(path)/\(name)")
    }

    /// Whether the services have taken up what was made or put back.
    var isServed: Bool { tree.exists("\(path)/\(served)") }

    /// The mark that says so, one for what was made and another for what was put back.
    var served: String { stage == .undone ? "undone-served" : "applied-served" }

    /// Reads the manifest.
    func manifest() throws(FileFault) -> Manifest {
        guard let file = try tree.file("\(path)/manifest"), let manifest = Manifest(file.text)
        else {
            throw FileFault("\(path)/manifest: not a journal of signet setup")
        }
        return manifest
    }

    /// The file that was there before; nil where there was none.
    func before(_ index: Int, _ entry: Manifest.Entry) throws(FileFault) -> FileState? {
        guard let attributes = entry.before else { return nil }
        return attributes.file(try contents(index, "before"))
    }

    /// The file that an undo puts there: the one from before, with an edit that stays.
    func restored(_ index: Int, _ entry: Manifest.Entry) throws(FileFault) -> FileState? {
        guard var file = try before(index, entry) else { return nil }
        if let edited = try tree.file(self.entry(index, "restored")) {
            file.contents = edited.contents
        }
        return file
    }

    /// The file that is to be there.
    func after(_ index: Int, _ entry: Manifest.Entry) throws(FileFault) -> FileState {
        entry.after.file(try contents(index, "after"))
    }

    /// What a refresh is about to put there; nil where none has been made.
    func next(_ index: Int) throws(FileFault) -> [UInt8]? {
        try tree.file(entry(index, "next"))?.contents
    }

    private func contents(_ index: Int, _ suffix: String) throws(FileFault) -> [UInt8] {
        guard let file = try tree.file(entry(index, suffix)) else {
            throw FileFault("\(entry(index, suffix)): missing")
        }
        return file.contents
    }

    /// Removes the folder.
    func remove() throws(FileFault) {
        for name in tree.names(in: path) { try tree.remove("\(path)/\(name)") }
        try tree.removeDirectoryIfEmpty(path)
    }
}

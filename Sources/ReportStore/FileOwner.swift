internal import Glibc

/// Whose the files are that root makes among those of a daemon or a unit.
package enum FileOwner {
    /// Gives an open file that root has made to the owner of the directory that it is in; nothing happens to those of others.
    ///
    /// Where it cannot be given away it stays root's, who can use it all the same.
    package static func give(_ file: Int32, toOwnerAround path: String) {
        guard geteuid() == 0 else { return }
        // Without a slash it is in the current directory, and behind the first one in the root.
        let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        let directory = parent.isEmpty ? "/" : String(parent)
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else { return }
        _ = fchown(file, status.st_uid, status.st_gid)
    }
}

import Setup

/// What changes in files, as each command shows it that makes changes.
enum ChangeLines {
    /// The differences, file by file.
    static func of(_ changes: [FileChange], _ terminal: Terminal) -> [String] {
        changes.flatMap { change in
            [change.before == nil ? "new  \(change.path)" : "edit \(change.path)"]
                + difference(of: change).map { line in
                    let colour: Terminal.Colour? =
                        line.hasPrefix("+") ? .green : line.hasPrefix("-") ? .red : nil
                    return "  " + (colour.map { terminal.coloured(line, $0) } ?? line)
                }
        }
    }

    /// The difference that a change makes; of a file that others may not read, only that it is one, and of one that is gone since,
    /// which has no mode, that it is.
    static func difference(of change: FileChange) -> [String] {
        guard change.after.mode != 0 else { return ["(it was removed)"] }
        guard change.after.mode & 0o044 != 0 else { return ["(a private key)"] }
        return TextDifference.lines(from: change.before?.text ?? "", to: change.after.text)
    }
}

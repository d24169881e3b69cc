internal import Setup

/// Tables in databases and directories, which are read once and written as files.
extension MigrationPlan {
    /// Asks a database or directory for the rows of a table.
    package typealias Fetch = @Sendable (RemoteTable) throws(RemoteTable.Fault) -> [[String]]

    /// The rows of a table that is in a database or directory; nil for one of another kind.
    ///
    /// One that cannot be read is an obstacle. What is said of it has no password in it.
    mutating func remoteRows(
        of directive: PeerDirective, _ all: [PeerDirective], _ path: String
    ) -> [[String]]? {
        let kind = directive.value.prefix { $0 != ":" }
        do throws(RemoteTable.Fault) {
            let directory = Dictionary(
                all.filter { $0.name.lowercased().hasPrefix("ldap") }
                    .map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
            guard let table = try RemoteTable(directive.value, directory: directory) else {
                return nil
            }
            guard let fetch else {
                throw RemoteTable.Fault("no database is asked")
            }
            return try fetch(table)
        } catch {
            obstacles.append(
                "\(path):\(directive.line): \(directive.name), a table of \(kind): \(error); "
                    + "otherwise write the table to a file, and name that")
            return []
        }
    }

    /// Writes rows as a file that is searched as the database was, and gives the directive's value.
    mutating func placed(
        _ rows: [[String]], of directive: PeerDirective, _ path: String
    ) throws(FileFault) -> String {
        let place = "/etc/signet/\(directive.name).table"
        let isKeyTable = directive.name.lowercased().hasPrefix("keytable")
        var lines: [String] = []
        // A database has no order; the same rows make the same file.
        for row in rows.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let key = row.first, Self.isWord(key) else {
                finding(.problem, path, directive.line, directive.name, "a row has no key")
                continue
            }
            let values = Array(row.dropFirst())
            guard let text = isKeyTable ? try keyLine(values, directive, path) : line(values)
            else {
                finding(
                    .problem, path, directive.line, directive.name,
                    "the row \(key.prefix(100)) cannot be written as a line: left out")
                continue
            }
            lines.append(text.isEmpty ? key : "\(key) \(text)")
        }
        let head =
            "# Read from the \(directive.name) of \(path); signet migrate --tables reads it again.\n"
        let text = head + lines.map { "\($0)\n" }.joined()
        // A table that has lost all rows at once is rather a database that is not what it was.
        let before = try tree.file(place)?.text.split(separator: "\n").count ?? 0
        if lines.isEmpty, before > 1 {
            obstacles.append(
                "\(path):\(directive.line): \(directive.name) has no rows now; if that is right, remove \(place) first"
            )
        }
        write(place, FileState(Array(text.utf8), mode: 0o644))
        if !hasRemoteTable {
            hasRemoteTable = true
            finding(
                .meaning, path, nil, nil,
                "tables of databases are files now: have a timer run signet migrate --tables")
        }
        remotePaths.insert(place)
        return "file:\(place)"
    }

    private func line(_ values: [String]) -> String? {
        values.allSatisfy { value in value.unicodeScalars.allSatisfy { $0.value >= 0x20 } }
            ? values.filter { !$0.isEmpty }.joined(separator: " ") : nil
    }

    /// `DOMAIN:SELECTOR:FILE`; a key that is in the table itself becomes a file.
    private mutating func keyLine(
        _ values: [String], _ directive: PeerDirective, _ path: String
    ) throws(FileFault) -> String? {
        var parts = values
        if values.count == 1 {
            parts = values[0].split(separator: ":", maxSplits: 2).map(String.init)
        }
        guard parts.count >= 3 else { return nil }
        let (domain, selector, key) = (parts[0], parts[1], parts[2])
        guard key.contains("-----BEGIN") else {
            guard key.hasPrefix("/"), Self.isWord(key), Self.isWord(domain), Self.isWord(selector)
            else { return nil }
            // What was copied stays copied, also where a timer reads the table again.
            let own = "\(Self.keyFolder)\(domain.lowercased())/\(selector).private"
            if !copiesKeys, try tree.file(own) != nil { return "\(domain):\(selector):\(own)" }
            let place = try self.key(key, domain, selector, path, directive.line)
            if place != key { remotePaths.insert(place) }
            return "\(domain):\(selector):\(place)"
        }
        guard let place = keep(Array("\(key)\n".utf8), domain, selector) else { return nil }
        remotePaths.insert(place)
        return "\(domain):\(selector):\(place)"
    }

    /// Whether a text is one word of a line.
    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.first != "#"
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
    }
}

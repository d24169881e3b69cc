/// The rules in the source files of Postfix's look-up tables.
enum PostfixTable {
    /// A line of a table.
    struct Rule {
        /// The key, or the pattern.
        let key: String
        /// What follows.
        let action: String
        /// The file.
        let file: String
        /// The line as it is.
        let line: String
    }

    /// The types whose source is a text file of the very name.
    private static let types: Set<String> = [
        "hash", "btree", "lmdb", "cdb", "dbm", "texthash", "cidr", "regexp", "pcre",
    ]

    /// The rules of all tables that a parameter's value names and that can be read.
    static func rules(_ value: String, _ tree: HostFiles) -> [Rule] {
        files(value).flatMap { file in
            (tree.text(file) ?? "").split(separator: "\n").compactMap { rule(String($0), file) }
        }
    }

    /// The files of the tables that a value names.
    private static func files(_ value: String) -> [String] {
        value.split { $0 == " " || $0 == "," || $0 == "\t" }.compactMap { item in
            let parts = item.split(separator: ":").map(String.init)
            guard parts.count >= 2, let path = parts.last, path.hasPrefix("/"),
                types.contains(parts[parts.count - 2])
            else { return nil }
            return path
        }
    }

    private static func rule(_ line: String, _ file: String) -> Rule? {
        guard let first = line.first, first != "#", first != " ", first != "\t" else { return nil }
        let end: String.Index
        if first == "/", let close = line.dropFirst().lastIndex(of: "/") {
            end = line[close...].firstIndex { $0 == " " || $0 == "\t" } ?? line.endIndex
        } else {
            end = line.firstIndex { $0 == " " || $0 == "\t" } ?? line.endIndex
        }
        let action = line[end...].drop { $0 == " " || $0 == "\t" }
        return Rule(key: String(line[..<end]), action: String(action), file: file, line: line)
    }
}

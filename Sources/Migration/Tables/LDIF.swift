internal import MailSyntax

/// Entries of a directory in LDIF (RFC 2849), as ldapsearch(1) prints them with `ldif-wrap=no`.
enum LDIF {
    /// For each value of the keys of an entry a row with it and the first value of each of the other attributes.
    ///
    /// Of the attributes the first are keys, so many as `count` says.
    ///
    /// Stops with the entry in which there are more rows than are wanted.
    static func rows(
        _ text: String, _ attributes: [String], keys count: Int, atMost limit: Int
    ) -> [[String]] {
        let names = attributes.map { $0.lowercased() }
        var rows: [[String]] = []
        var entry: [String: [String]] = [:]
        func close() {
            let values = names.dropFirst(count).map { entry[$0]?.first ?? "" }
            // An address may be an alias of itself.
            var seen: Set<String> = []
            for key in names.prefix(count).flatMap({ entry[$0] ?? [] })
            where seen.insert(key).inserted {
                rows.append([key] + values)
            }
            entry = [:]
        }
        for octets in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            guard rows.count <= limit else { return rows }
            let line = String(
                decoding: octets.last == 0x0D ? octets.dropLast() : octets, as: UTF8.self)
            guard !line.isEmpty else {
                close()
                continue
            }
            guard let colon = line.firstIndex(of: ":"), !line.hasPrefix("#") else { continue }
            let name = line[..<colon].lowercased()
            let rest = line[line.index(after: colon)...]
            guard names.contains(name) else { continue }
            if rest.hasPrefix(":") {
                let octets = Base64.decode(Array(rest.dropFirst().utf8).filter { $0 > 0x20 })
                if let octets {
                    entry[name, default: []].append(String(decoding: octets, as: UTF8.self))
                }
            } else {
                entry[name, default: []].append(String(rest.drop { $0 == " " }))
            }
        }
        close()
        return rows
    }
}

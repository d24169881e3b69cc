/// KeyTable and SigningTable in their files: which domains have keys, and the lines that give them some.
struct SigningTables {
    /// A key that signs for a domain.
    struct Key: Hashable, Sendable {
        let domain: String
        let selector: String
        let file: String
    }

    private(set) var keyTable: [UInt8]
    private(set) var signingTable: [UInt8]
    /// Whether SigningTable has patterns (`refile:`): without, `*@example.org` matches nothing, and `example.org` does.
    private let hasPatterns: Bool

    init(keyTable: [UInt8], signingTable: [UInt8], hasPatterns: Bool) {
        (self.keyTable, self.signingTable) = (keyTable, signingTable)
        self.hasPatterns = hasPatterns
    }

    /// The keys that sign for all addresses of a domain.
    func keys(of domain: String) -> [Key] {
        let names = Self.lines(signingTable).filter {
            $0.count >= 2 && covers($0[0].lowercased(), domain)
        }.map { $0[1] }
        return Self.lines(keyTable).filter { $0.count >= 2 && names.contains($0[0]) }
            .compactMap { Self.key($0[1], default: domain) }
            .filter { $0.domain.lowercased() == domain }
    }

    /// Adds a key for all addresses of a domain.
    mutating func add(_ key: Key) {
        let name = "\(key.domain)-\(key.selector)"
        Self.append("\(name) \(key.domain):\(key.selector):\(key.file)", to: &keyTable)
        let sender = hasPatterns ? "*@\(key.domain)" : key.domain
        Self.append("\(sender) \(name)", to: &signingTable)
    }

    /// The files that a key table names.
    static func keyFiles(_ table: [UInt8]) -> [String] {
        lines(table).compactMap { $0.count >= 2 ? key($0[1], default: "")?.file : nil }
    }

    /// Whether a line is for every address of a domain.
    private func covers(_ sender: String, _ domain: String) -> Bool {
        sender == "*" || sender == (hasPatterns ? "*@\(domain)" : domain)
    }

    /// `DOMAIN:SELECTOR:FILE`, where `%` is the sender's domain.
    private static func key(_ text: String, default domain: String) -> Key? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3 else { return nil }
        let owner = parts[0] == "%" ? domain : parts[0]
        let file = parts[2].replacing("%", with: domain)
        return Key(domain: owner, selector: parts[1], file: file)
    }

    private static func append(_ line: String, to table: inout [UInt8]) {
        if let last = table.last, last != UInt8(ascii: "\n") { table.append(UInt8(ascii: "\n")) }
        table += Array("\(line)\n".utf8)
    }

    private static func lines(_ table: [UInt8]) -> [[String]] {
        String(decoding: table, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map {
                $0.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "," }.map(
                    String.init)
            }
            .filter { !$0.isEmpty }
    }
}

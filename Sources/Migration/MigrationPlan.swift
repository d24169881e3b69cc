package import Setup

/// What `signet migrate` writes: the configuration, tables and keys of the peers in Signet's places.
package struct MigrationPlan: Sendable {
    /// The peers whose configuration was found, with their files.
    package private(set) var peers: [(peer: Peer, file: String)] = []
    /// What changes.
    package private(set) var changes: [FileChange] = []
    /// The directories that are made where they are missing.
    package internal(set) var directories: [NeededDirectory] = []
    /// What the postmaster should know.
    package private(set) var findings: [MigrationFinding] = []
    /// Why nothing can be changed; empty where all can.
    package internal(set) var obstacles: [String] = []
    /// The files that are made of tables in databases and directories.
    package internal(set) var remotePaths: Set<String> = []
    /// Whether a table of a database or directory was written as a file.
    var hasRemoteTable = false

    /// The daemons that take the peers' places.
    package var daemons: [SignetDaemon] {
        let named = Set(peers.map(\.peer.daemon))
        return SignetDaemon.allCases.filter { named.contains($0.rawValue) }
    }

    let copiesKeys: Bool
    /// Whether the daemons only compare.
    private let isShadow: Bool
    /// Reads tables of databases and directories; nil where none are asked.
    let fetch: Fetch?
    let tree: FileTree
    private let owner: (user: UInt32, group: UInt32)?
    /// The contents of the files to be written, so far.
    private var written: [String: FileState] = [:]
    private var order: [String] = []
    /// The paths of the directories for keys, so far.
    private var folders: Set<String> = []
    /// Where tables were copied to, by where they were.
    private var places: [String: String] = [:]

    /// Looks at a host.
    ///
    /// - Parameters:
    ///   - tree: the host's files.
    ///   - copiesKeys: whether private keys are copied, or stay where they are.
    ///   - owner: the account of signet-dkim; nil where there is none yet.
    ///   - isShadow: whether the daemons only compare; what an earlier run has written stays then.
    ///   - fetch: reads tables of databases and directories; nil where none are asked.
    /// - Throws: where a file is there and cannot be read.
    package init(
        _ tree: FileTree, copiesKeys: Bool, owner: (user: UInt32, group: UInt32)?,
        isShadow: Bool = false, fetch: Fetch? = nil
    ) throws(FileFault) {
        (self.tree, self.copiesKeys, self.owner) = (tree, copiesKeys, owner)
        (self.isShadow, self.fetch) = (isShadow, fetch)
        for peer in Peer.allCases {
            for path in peer.paths {
                guard let file = try tree.file(path) else { continue }
                peers.append((peer, path))
                try take(peer, path, file)
                break
            }
        }
        if peers.isEmpty {
            obstacles.append(
                "no configuration of OpenDKIM, dkimpy-milter, OpenDMARC, policyd-spf or dkimproxy is here"
            )
        }
        for path in order {
            guard var after = written[path] else { continue }
            let before = try tree.file(path)
            if isShadow, let before { after = shadowed(before, after, path) }
            if before?.contents != after.contents {
                changes.append(FileChange(path: path, before: before, after: after))
            }
        }
    }

    private mutating func take(_ peer: Peer, _ path: String, _ file: FileState) throws(FileFault) {
        let target = "/etc/signet/\(peer.daemon).conf"
        var directives = PeerFile.directives(peer, file.contents)
        let signs = directives.contains { directive in
            ["domain", "keytable", "keyfile", "signingtable"].contains(
                directive.name.lowercased())
        }
        if written[target] != nil {
            // Two signers: the one that has keys counts.
            guard signs else {
                return finding(
                    .problem, path, nil, nil,
                    "signs nothing, and another signer was found: left out")
            }
            if written[target]?.text.contains("\nDomain ") == true
                || written[target]?.text.contains("\nKeyTable ") == true
            {
                obstacles.append(
                    "\(path): two signers have keys; move one of their configurations away first")
                return
            }
        }
        if peer == .dkimproxy { directives = DKIMProxyFile.directives(directives) }
        findings += peer.general(Set(directives.map { $0.name.lowercased() })).map {
            MigrationFinding(kind: .meaning, file: path, line: nil, directive: nil, what: $0)
        }
        var text = "\(Self.origin)\(path) by signet migrate.\n\n"
        for directive in directives {
            if let row = peer.table[directive.name] {
                finding(
                    MigrationFinding.Kind(rawValue: row.fate.rawValue) ?? .problem, path,
                    directive.line, directive.name, row.what)
                guard row.fate == .meaning else { continue }
            }
            if directive.name.lowercased() == "trustanchorfile", directive.value.hasPrefix("/"),
                !tree.exists(directive.value)
            {
                finding(
                    .problem, path, directive.line, directive.name,
                    "\(directive.value) is missing: left out, as signet-dkim does not start without it"
                )
                continue
            }
            let value = try placed(directive, directives, path)
            text += PeerFile.line(directive.name, value)
        }
        text += try OwnDirectives.lines(of: peer, tree.file(target), without: directives)
        if isShadow { text += PeerFile.line("Shadow", "yes") }
        write(target, FileState(Array(text.utf8), mode: 0o644))
        directories =
            [NeededDirectory(path: "/etc/signet", mode: 0o755)]
            + directories.filter {
                $0.path != "/etc/signet"
            }
    }

    /// A file that is there: one that an earlier run has made may have been edited, and is kept.
    private func shadowed(_ before: FileState, _ after: FileState, _ path: String) -> FileState {
        guard after.text.hasPrefix(Self.origin) else { return before }
        guard before.text.hasPrefix(Self.origin) else { return after }
        var (text, kept) = (DirectiveText(before.contents), before)
        text.set("Shadow", to: "yes")
        kept.contents = text.octets
        return kept
    }

    /// How a file that was made of a peer's begins.
    private static let origin = "# Made of "

    // MARK: Tables and keys

    private static let notTables: Set<String> = [
        "trustanchorfile", "publicsuffixlist", "historyfile", "basedirectory", "reportstore",
    ]

    /// A value with the files that it names in their new places.
    private mutating func placed(
        _ directive: PeerDirective, _ all: [PeerDirective], _ path: String
    ) throws(FileFault) -> String {
        let name = directive.name.lowercased()
        let value = directive.value
        if let rows = remoteRows(of: directive, all, path) {
            return try placed(rows, of: directive, path)
        }
        for kind in [
            "db:", "bdb:", "lua:", "mdb:", "socket:", "memcache:",
            "repute:", "erlang:",
        ]
        where value.hasPrefix(kind) {
            obstacles.append(
                "\(path):\(directive.line): \(directive.name) \(kind): write the table to a file, and name that instead"
            )
            return value
        }
        if name.hasPrefix("keyfile") {
            let suffix = String(directive.name.dropFirst(7))
            let selector = all.last { $0.name.lowercased() == "selector\(suffix.lowercased())" }?
                .value
            let domain = all.last { $0.name.lowercased() == "domain" }?.value ?? ""
            let owner = domain.split { $0 == "," || $0 == " " }.first.map(String.init) ?? "domain"
            return try key(value, owner, selector ?? "mail", path, directive.line)
        }
        guard !Self.notTables.contains(name) else { return value }
        let kind = ["refile:", "file:"].first { value.hasPrefix($0) } ?? ""
        let source = String(value.dropFirst(kind.count))
        guard source.hasPrefix("/") else { return value }
        guard let table = try tree.file(source) else {
            finding(.problem, path, directive.line, directive.name, "\(source) is missing")
            return value
        }
        var contents = table.contents
        if name.hasPrefix("keytable") { contents = try keyTable(table, source) }
        warnOfHostBits(table, source)
        let place = place(of: source)
        if place != source { write(place, FileState(contents, mode: 0o644)) }
        return kind + place
    }

    /// Where a table is copied to: by its own name, unless another file has it.
    private mutating func place(of source: String) -> String {
        if let known = places[source] { return known }
        let parts = source.split(separator: "/")
        let name = parts.last.map(String.init) ?? "table"
        var place = "/etc/signet/\(name)"
        let reserved = Peer.allCases.map { "\($0.daemon).conf" } + ["scrub.conf", "keys"]
        if reserved.contains(name) || (places.values.contains(place) && place != source) {
            place = "/etc/signet/\(parts.joined(separator: "-"))"
        }
        places[source] = place
        return place
    }

    /// A key table with the files that it names in their new places.
    private mutating func keyTable(
        _ table: FileState, _ path: String
    ) throws(FileFault) -> [UInt8] {
        var lines: [String] = []
        for (index, line) in table.text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            var text = String(line)
            let content = line.prefix { $0 != "#" }
            let fields = content.split { $0 == " " || $0 == "\t" }
            let parts =
                fields.count > 1
                ? fields[1].split(separator: ":", omittingEmptySubsequences: false) : []
            if parts.count >= 3, parts[2].hasPrefix("/") {
                let old = String(parts[2])
                let new = try key(old, String(parts[0]), String(parts[1]), path, index + 1)
                text = text.replacing(old, with: new)
            }
            lines.append(text)
        }
        return Array(lines.joined(separator: "\n").utf8)
    }

    /// The place of a key, copied if that is wanted.
    mutating func key(
        _ path: String, _ domain: String, _ selector: String, _ file: String, _ line: Int
    ) throws(FileFault) -> String {
        guard path.hasPrefix("/"), !path.contains("%"), domain != "%" else { return path }
        guard let key = try tree.file(path) else {
            finding(.problem, file, line, nil, "the key \(path) is missing")
            return path
        }
        guard copiesKeys else {
            if owner.map({ $0.user != key.user }) ?? true {
                finding(
                    .problem, file, line, nil,
                    "signet-dkim cannot read \(path), which belongs to another user: add --copy-keys"
                )
            }
            return path
        }
        guard let place = keep(key.contents, domain, selector) else {
            finding(.problem, file, line, nil, "\(domain):\(selector) is no domain and selector")
            return path
        }
        return place
    }

    /// Where signet-dkim has keys of its own.
    static let keyFolder = "/etc/signet/keys/"

    /// Writes a key where signet-dkim has its own, and gives the place; nil for what is no domain and selector.
    mutating func keep(_ contents: [UInt8], _ domain: String, _ selector: String) -> String? {
        guard Self.isSafe(domain), Self.isSafe(selector) else { return nil }
        let folder = "\(Self.keyFolder)\(domain.lowercased())"
        let place = "\(folder)/\(selector).private"
        let (user, group) = owner ?? (0, 0)
        for directory in [
            NeededDirectory(path: "/etc/signet/keys", mode: 0o750, group: group),
            NeededDirectory(path: folder, mode: 0o700, user: user, group: group),
        ] where folders.insert(directory.path).inserted { directories.append(directory) }
        write(place, FileState(contents, mode: 0o600, user: user, group: group))
        return place
    }

    /// Whether a word can be part of a path.
    private static func isSafe(_ word: String) -> Bool {
        !word.isEmpty && !word.hasPrefix(".")
            && word.utf8.allSatisfy { octet in
                (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet)
                    || (0x61...0x7A).contains(octet) || [0x2D, 0x2E, 0x5F].contains(octet)
            }
    }

    /// `192.168.0.1/24` matches nothing in OpenDKIM, and the network here.
    private mutating func warnOfHostBits(_ table: FileState, _ path: String) {
        for (index, line) in table.text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let item = line.prefix { $0 != "#" && $0 != " " && $0 != "\t" }
            guard PeerFile.hasHostBits(item) else { continue }
            finding(
                .meaning, path, index + 1, nil,
                "\(item) matched nothing, and means its whole network here")
        }
    }

    mutating func write(_ path: String, _ file: FileState) {
        if written[path] == nil { order.append(path) }
        written[path] = file
    }

    mutating func finding(
        _ kind: MigrationFinding.Kind, _ file: String, _ line: Int?, _ directive: String?,
        _ what: String
    ) {
        findings.append(
            MigrationFinding(kind: kind, file: file, line: line, directive: directive, what: what))
    }
}

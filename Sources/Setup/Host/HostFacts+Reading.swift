internal import DomainKeys
package import MailSyntax
internal import PostfixConfiguration

extension HostFacts {
    private static let mainPath = "/etc/postfix/main.cf"
    private static let masterPath = "/etc/postfix/master.cf"

    /// Reads a host's files.
    ///
    /// - Parameters:
    ///   - tree: the host's files.
    ///   - hostName: what gethostname(2) gives on the host; for a tree its /etc/hostname counts.
    ///   - addresses: where its mail leaves from.
    ///   - domains: the domains whose keys are looked for.
    /// - Throws: where a file is there and cannot be read.
    package init(
        reading tree: FileTree, hostName: String, addresses: [IPAddress], domains: [DomainName]
    ) throws(FileFault) {
        let main = try tree.file(Self.mainPath)
        let masterFile = try tree.file(Self.masterPath)
        let packages = InstalledPackages(try tree.file("/var/lib/dpkg/status")?.contents ?? [])
        let release: PostfixRelease
        if let version = packages["postfix"] {
            release = PostfixRelease(version: version)
        } else {
            let debian = try tree.file("/etc/debian_version")?.text ?? "12"
            release = debian.hasPrefix("12") || debian.hasPrefix("bookworm") ? .v3_7 : .v3_10
        }
        let name =
            try tree.isThisHost
            ? hostName : tree.file("/etc/hostname")?.text.firstWord ?? "localhost"
        let installed = Set(SignetDaemon.allCases.filter { tree.exists($0.program) })
        let dovecot = try DovecotSettings(reading: tree)
        self.init(
            release: release, mainFile: main, masterFile: masterFile,
            values: ParameterValues(
                MainConfiguration(main?.contents ?? []),
                defaults: ParameterDefaults(release, hostName: name)),
            master: MasterConfiguration(masterFile?.contents ?? []),
            daemons: installed.isEmpty && !tree.isThisHost ? Set(SignetDaemon.allCases) : installed,
            addresses: addresses, dovecot: dovecot.submission, servesIMAP: dovecot.servesIMAP,
            accounts: try SystemAccounts(tree))
        try readFiles(tree, domains)
    }

    private mutating func readFiles(_ tree: FileTree, _ domains: [DomainName]) throws(FileFault) {
        var paths = SignetDaemon.allCases.map(\.configuration)
        paths += ["/etc/signet/KeyTable", "/etc/signet/SigningTable", "/etc/aliases"]
        paths += ["/etc/postfix/scrub_header_checks"]
        var folder = "/etc/signet/keys"
        if let dkim = try tree.file(SignetDaemon.dkim.configuration) {
            let text = DirectiveText(dkim.contents)
            folder = text.keyDirectory ?? folder
            let named = ["KeyTable", "SigningTable", "KeyFile", "KeyFileEd25519", "Domain"]
            paths += named.compactMap { text.value(of: $0).flatMap(TableReference.path) }
            if text.keyDirectory == nil, text.value(of: "Domain") != nil {
                keyFolders = tree.names(in: folder).filter { name in
                    tree.names(in: "\(folder)/\(name)").contains {
                        $0.hasSuffix(KeyTree.keySuffix)
                    }
                }
            }
        }
        for path in paths where path.hasPrefix("/") { files[path] = try tree.file(path) }
        let tables = paths.compactMap { files[$0]?.contents }
        for path in tables.flatMap(SigningTables.keyFiles) where path.hasPrefix("/") {
            files[path] = try tree.file(path)
        }
        for domain in domains {
            let own = "\(folder)/\(domain.ascii)"
            for name in tree.names(in: own)
            where name.hasSuffix(KeyTree.keySuffix) || name == SigningList.fileName {
                files["\(own)/\(name)"] = try tree.file("\(own)/\(name)")
            }
        }
    }
}

extension String {
    /// The first word of a text; nil where there is none.
    var firstWord: String? { split(whereSeparator: \.isWhitespace).first.map(String.init) }
}

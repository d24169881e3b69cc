internal import DomainKeys
internal import MailCrypto
internal import MailSyntax
internal import PostfixConfiguration

/// The keys of the domains, and the tables by which signet-dkim finds them.
struct SigningPlan {
    /// A key that has a record to be published.
    struct PublishedKey {
        let domain: DomainName
        let selector: String
        /// The value; nil in a preview of a key that is not made yet.
        let record: String?
    }

    private let facts: HostFacts
    private let isNeeded: Bool
    private let configuration: DirectiveText
    private(set) var directories: [NeededDirectory] = []
    private(set) var published: [PublishedKey] = []
    private(set) var notes: [String] = []
    private(set) var obstacles: [String] = []
    private var keyFiles: [FileChange] = []
    private var tables: SigningTables
    /// The folder in which signet-dkim finds the keys of each domain, where the configuration names one, or will.
    private var keyDirectory: String?
    /// The keys of `Domain` and `KeyFile`; nil where there are no such lines.
    private let single: SingleKeyLines?
    private let keyTablePath: String
    private let signingTablePath: String

    init(_ facts: HostFacts, isNeeded: Bool) {
        self.facts = facts
        self.isNeeded = isNeeded
        configuration = DirectiveText(
            facts.files[SignetDaemon.dkim.configuration]?.contents ?? [])
        let place = { (configuration: DirectiveText, directive: String) in
            configuration.value(of: directive).flatMap(TableReference.path)
                ?? "/etc/signet/\(directive)"
        }
        keyDirectory = configuration.keyDirectory
        single = SingleKeyLines(configuration, files: facts.files)
        keyTablePath = place(configuration, "KeyTable")
        signingTablePath = place(configuration, "SigningTable")
        tables = SigningTables(
            keyTable: facts.files[keyTablePath]?.contents ?? [],
            signingTable: facts.files[signingTablePath]?.contents ?? [],
            hasPatterns: configuration.value(of: "SigningTable")?.hasPrefix("refile:") ?? true)
    }

    /// The account that signet-dkim runs as; root where the package has not made it.
    private var owner: (user: UInt32, group: UInt32) { facts.accounts["signet-dkim"] ?? (0, 0) }

    /// Gives each domain keys that it does not have.
    mutating func addKeys(_ request: SetupRequest, _ keys: KeyTools) throws {
        guard isNeeded else { return }
        findObstacles()
        useKeyDirectory(for: request.domains)
        if facts.accounts["signet-dkim"] == nil {
            notes.append(
                "there is no user signet-dkim yet, so the keys belong to root; "
                    + "after installing signet-dkim: chown -R signet-dkim: /etc/signet/keys/*")
        }
        for domain in request.domains {
            var present = single?.keys(of: domain.ascii) ?? tables.keys(of: domain.ascii)
            if present.isEmpty { present = directoryKeys(domain) }
            if present.isEmpty {
                try addPair(domain, request.selector, keys)
            } else {
                publish(domain, present, keys)
            }
        }
    }

    /// What keeps keys of ours from signing.
    private mutating func findObstacles() {
        let file = SignetDaemon.dkim.configuration
        if configuration.value(of: "Mode") == "v" {
            obstacles.append(
                "\(file) has \"Mode v\", with which nothing is signed: take the line out, and run this again"
            )
        }
        // Keys of the folder need no table.
        guard keyDirectory == nil else { return }
        for directive in ["KeyTable", "SigningTable"] {
            guard let value = configuration.value(of: directive), TableReference.path(value) == nil
            else { continue }
            obstacles.append(
                "\(file): \(directive) is no file that a line can be added to (\(value)): "
                    + "add \"KeyDirectory \(Self.usualKeyDirectory)\" to \(file), and run this again"
            )
        }
    }

    private static let usualKeyDirectory = "/etc/signet/keys"

    /// Where `Domain` and `KeyFile` are there for other domains, the folder of KeyDirectory takes the keys: tables would put those
    /// lines out of force.
    private mutating func useKeyDirectory(for domains: [DomainName]) {
        guard let single else { return }
        for domain in domains.map(\.ascii)
        where single.isNamed(domain) && single.keys(of: domain).isEmpty {
            obstacles.append(
                "\(SignetDaemon.dkim.configuration) has \(domain) under Domain, and no key for it: "
                    + "add Selector and KeyFile, or take it out there")
        }
        guard keyDirectory == nil, domains.contains(where: { !single.isNamed($0.ascii) }) else {
            return
        }
        keyDirectory = Self.usualKeyDirectory
        let idle = facts.keyFolders.filter { folder in
            !single.isNamed(folder) && !domains.contains { $0.ascii == folder }
        }
        guard !idle.isEmpty else { return }
        notes.append(
            "with KeyDirectory the keys of \(idle.joined(separator: ", ")) in \(Self.usualKeyDirectory) sign as well: "
                + "publish them, or move their folders away")
    }

    /// The keys that sign for a domain out of the folder of KeyDirectory.
    private func directoryKeys(_ domain: DomainName) -> [SigningTables.Key] {
        guard let keyDirectory else { return [] }
        let folder = "\(keyDirectory)/\(domain.ascii)"
        var selectors: [String] = []
        if let list = facts.files["\(folder)/\(SigningList.fileName)"] {
            selectors =
                (try? SigningList(parsing: list.contents))?.selectors.map(\.ascii) ?? []
        } else {
            selectors = facts.files.keys.filter {
                $0.hasPrefix("\(folder)/") && $0.hasSuffix(KeyTree.keySuffix)
            }.map { String($0.dropFirst(folder.count + 1).dropLast(KeyTree.keySuffix.count)) }
                .sorted()
        }
        return selectors.map {
            SigningTables.Key(
                domain: domain.ascii, selector: $0, file: "\(folder)/\($0)\(KeyTree.keySuffix)")
        }
    }

    /// Writes which keys of a domain's folder sign, as "signet key rotate" keeps it.
    private mutating func list(_ selectors: [String], in folder: String) {
        let path = "\(folder)/\(SigningList.fileName)"
        let names = selectors.compactMap { try? DomainName($0) }
        let file = FileState(
            Array(SigningList(names).text.utf8), mode: 0o644, user: owner.user, group: owner.group)
        keyFiles.append(FileChange(path: path, before: facts.files[path], after: file))
    }

    private mutating func addPair(
        _ domain: DomainName, _ selector: String, _ tools: KeyTools
    ) throws {
        guard obstacles.isEmpty else { return }
        let parent = keyDirectory ?? "/etc/signet/keys"
        let folder = "\(parent)/\(domain.ascii)"
        directories += [
            NeededDirectory(path: "/etc/signet", mode: 0o755),
            NeededDirectory(path: parent, mode: 0o750, group: owner.group),
            NeededDirectory(path: folder, mode: 0o700, user: owner.user, group: owner.group),
        ].filter { !directories.contains($0) }
        let pair = [(selector, tools.makeRSA), ("\(selector)-ed25519", tools.makeEd25519)]
        for (selector, make) in pair {
            let path = "\(folder)/\(selector).private"
            let key: PrivateKey?
            if let file = facts.files[path] {
                // Made earlier, by hand or by "signet key new".
                guard let present = try? PrivateKey(file.contents) else {
                    obstacles.append("\(path) is not a private key that can be used")
                    continue
                }
                key = present
            } else {
                key = try make()
                let contents = key?.pem ?? []
                let file = FileState(contents, mode: 0o600, user: owner.user, group: owner.group)
                keyFiles.append(FileChange(path: path, before: nil, after: file))
            }
            if keyDirectory == nil {
                tables.add(SigningTables.Key(domain: domain.ascii, selector: selector, file: path))
            }
            published.append(
                PublishedKey(
                    domain: domain, selector: selector,
                    record: key.map { tools.record($0.publicKey) }))
        }
        if keyDirectory != nil { list(pair.map(\.0), in: folder) }
    }

    private mutating func publish(
        _ domain: DomainName, _ present: [SigningTables.Key], _ tools: KeyTools
    ) {
        for entry in present {
            guard let file = facts.files[entry.file], let key = try? PrivateKey(file.contents)
            else {
                notes.append("\(entry.file): the key of \(domain) cannot be read here")
                continue
            }
            published.append(
                PublishedKey(
                    domain: domain, selector: entry.selector, record: tools.record(key.publicKey)))
        }
    }

    /// The keys, the tables and dkim.conf.
    var changes: [FileChange] {
        guard isNeeded, obstacles.isEmpty else { return [] }
        var edited = configuration
        let usesTables = !tables.keyTable.isEmpty
        if usesTables, configuration.value(of: "Domain") == nil {
            if configuration.value(of: "SigningTable") == nil {
                edited.set("SigningTable", to: "refile:\(signingTablePath)")
            }
            if configuration.value(of: "KeyTable") == nil {
                edited.set("KeyTable", to: "file:\(keyTablePath)")
            }
            if configuration.value(of: "MultipleSignatures") == nil {
                edited.set("MultipleSignatures", to: "yes")
            }
        }
        if let keyDirectory, configuration.keyDirectory == nil {
            edited.set("KeyDirectory", to: keyDirectory)
        }
        // signet-dmarc verifies by itself.
        if facts.daemons.contains(.dmarc), configuration.value(of: "Mode") == nil {
            edited.set("Mode", to: "s")
        }
        if let networks = facts.relayedNetworks, configuration.value(of: "InternalHosts") == nil {
            edited.set("InternalHosts", to: networks.joined(separator: ", "))
        }
        return keyFiles
            + [
                facts.change(of: keyTablePath, to: tables.keyTable),
                facts.change(of: signingTablePath, to: tables.signingTable),
                facts.change(of: SignetDaemon.dkim.configuration, to: edited.octets),
            ].compactMap(\.self)
    }
}

extension DirectiveText {
    /// The folder that KeyDirectory names, without a slash at its end; nil where it is not set.
    var keyDirectory: String? {
        guard let value = value(of: "KeyDirectory"), value.hasPrefix("/"), value.count > 1 else {
            return nil
        }
        return value.hasSuffix("/") ? String(value.dropLast()) : value
    }
}

extension PrivateKey {
    /// The key as a file holds it.
    fileprivate var pem: [UInt8] {
        withPEM { text in
            var octets: [UInt8] = []
            for index in text.indices { octets.append(text[index]) }
            return octets
        }
    }
}

extension HostFacts {
    /// A change of a file's contents that keeps its owner and mode; nil where nothing changes.
    func change(of path: String, to contents: [UInt8]) -> FileChange? {
        let before = files[path]
        if contents == before?.contents ?? [] { return nil }
        var after = before ?? FileState([], mode: 0o644)
        after.contents = contents
        return FileChange(path: path, before: before, after: after)
    }

    /// The networks whose mail is relayed, with loopback, if Postfix trusts more than this host; nil otherwise.
    var relayedNetworks: [String]? {
        guard let main = values.main.setting("mynetworks"), !main.value.contains("/etc/") else {
            return nil
        }
        let networks = values.list("mynetworks").map { $0.filter { $0 != "[" && $0 != "]" } }
        let foreign = networks.filter { text in
            guard let network = IPNetwork(text) else { return false }
            return !network.address.unmapped.isLoopback
        }
        return foreign.isEmpty ? nil : ["127.0.0.1", "::1"] + foreign
    }
}

package import DomainKeys
package import MailSyntax

/// Copies keys to other hosts with the administrator's rsync(1) and ssh(1), in the order that keeps every host able to sign.
///
/// A folder that has no list of the keys that sign gets one first, and before it the keys that it names: without a list every key in
/// the folder signs, and a list whose keys are missing fails mail. Then the private keys go to every host, with the state by which
/// another host can go on, and only when all have them, the lists. What is gone here is removed there last.
package struct HostSync: KeyDistributor {
    private let tree: KeyTree
    private let places: [String]
    private let seconds: Double
    private let shell: String?
    private let program: String
    private let leader: (any RotationLeader)?

    /// What is copied, by rsync's filter rules: folders, and in them the files of one kind.
    private enum Files: String {
        case keys = "*.private"
        case states = "rotation"
        case lists = "signing"
    }

    /// Copies a directory to the same place on other hosts; `shell` is rsync's `--rsh`, and `leader` is asked before each copy.
    package init(
        _ tree: KeyTree, hosts: [String], shell: String? = nil, seconds: Double,
        leader: (any RotationLeader)? = nil, program: String = "/usr/bin/rsync"
    ) {
        self.init(
            tree, places: hosts.map { "\($0):\(tree.root)/" }, shell: shell, seconds: seconds,
            leader, program)
    }

    /// Copies a directory to other directories.
    package init(
        _ tree: KeyTree, directories: [String], seconds: Double,
        program: String = "/usr/bin/rsync"
    ) {
        self.init(
            tree, places: directories.map { "\($0)/" }, shell: nil, seconds: seconds, nil, program)
    }

    private init(
        _ tree: KeyTree, places: [String], shell: String?, seconds: Double,
        _ leader: (any RotationLeader)?, _ program: String
    ) {
        self.leader = leader
        self.tree = tree
        self.places = places
        self.shell = shell
        self.seconds = seconds
        self.program = program
    }

    package func distributeKeys(of domains: [DomainName]) throws(MethodFailure) {
        try copyMissingLists(of: domains)
        for files in [Files.keys, .states] {
            for place in places { try copy(files, to: place, of: domains) }
        }
    }

    package func distributeLists(of domains: [DomainName]) throws(MethodFailure) {
        for place in places { try copy(.lists, to: place, of: domains) }
    }

    /// Copies all of it.
    package func run() throws(MethodFailure) {
        try copyMissingLists(of: nil)
        for files in [Files.keys, .states, .lists] {
            for place in places { try copy(files, to: place) }
        }
        for place in places { try copy(.keys, to: place, deletes: true) }
    }

    /// Gives a list to each folder that has none, before it gets a key that must not sign yet.
    private func copyMissingLists(of domains: [DomainName]?) throws(MethodFailure) {
        let keys = signingKeys(of: domains ?? tree.domains()?.domains ?? [])
        for place in places {
            if !keys.isEmpty {
                try copy(["--files-from=-"], to: place, input: keys.joined(separator: "\n"))
            }
            try copy(.lists, to: place, of: domains, options: ["--ignore-existing"])
        }
    }

    /// The files of the keys that sign here now, below the directory: any host may sign with them.
    private func signingKeys(of domains: [DomainName]) -> [String] {
        domains.flatMap { domain -> [String] in
            guard case .selectors(let selectors) = tree.selection(of: domain) else { return [] }
            let present = Set(tree.selectors(of: domain) ?? [])
            return selectors.filter(present.contains).map {
                "\(domain.ascii)/\($0.ascii)\(KeyTree.keySuffix)"
            }
        }
    }

    /// The most domains of one run of rsync: their rules are arguments.
    private static let mostAtOnce = 200

    /// Copies the files of one kind of some domains, or of all.
    private func copy(
        _ files: Files, to place: String, of domains: [DomainName]? = nil, deletes: Bool = false,
        options others: [String] = []
    ) throws(MethodFailure) {
        // A host name has no character that rsync's patterns know.
        let folders = domains?.map(\.ascii) ?? ["*"]
        for start in stride(from: 0, to: folders.count, by: Self.mostAtOnce) {
            let some = folders[start..<min(start + Self.mostAtOnce, folders.count)]
            let rules = some.flatMap {
                ["--include=/\($0)/", "--include=/\($0)/\(files.rawValue)"]
            }
            // A domain that is not here at all is not ours to remove there: "P" protects its folder.
            let removal = deletes ? ["--delete", "--filter=P /*/"] : []
            try copy(removal + others + rules + ["--exclude=*"], to: place)
        }
    }

    /// Runs rsync, which is told by options, and where it asks for them by its input, what to copy.
    private func copy(
        _ choice: [String], to place: String, input: String = ""
    ) throws(MethodFailure) {
        do throws(RotationFailure) {
            try leader?.confirm()
        } catch {
            throw MethodFailure(error.description)
        }
        let way = shell.map { ["--rsh=\($0)"] } ?? []
        // By what is in them: a list may be written twice in a second and stay as long as it is.
        let options =
            ["--recursive", "--checksum", "--perms", "--times", "--owner", "--group"] + way
        do throws(MethodFailure) {
            _ = try ProgramRun(
                path: program,
                arguments: options + choice + ["--", "\(tree.root)/", place], input: input,
                seconds: seconds
            ).run()
        } catch {
            throw MethodFailure("\(place): \(error)")
        }
    }
}

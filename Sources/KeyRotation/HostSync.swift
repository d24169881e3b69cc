package import DomainKeys

/// Copies keys to other hosts with the administrator's rsync(1) and ssh(1), in the order that keeps every host able to sign.
///
/// First the private keys go to every host; only when all have them, the lists of those that sign. What is gone here is
/// removed there last.
package struct HostSync: KeyDistributor {
    private let directory: String
    private let places: [String]
    private let seconds: Double
    private let program: String

    /// What is copied, by rsync's filter rules: folders, and in them the files of one kind.
    private enum Files: String {
        case keys = "*.private"
        case lists = "signing"
    }

    /// Copies a directory to the same place on other hosts.
    package init(
        _ tree: KeyTree, hosts: [String], seconds: Double, program: String = "/usr/bin/rsync"
    ) {
        self.init(tree, places: hosts.map { "\($0):\(tree.root)/" }, seconds: seconds, program)
    }

    /// Copies a directory to other directories.
    package init(
        _ tree: KeyTree, directories: [String], seconds: Double,
        program: String = "/usr/bin/rsync"
    ) {
        self.init(tree, places: directories.map { "\($0)/" }, seconds: seconds, program)
    }

    private init(_ tree: KeyTree, places: [String], seconds: Double, _ program: String) {
        directory = tree.root
        self.places = places
        self.seconds = seconds
        self.program = program
    }

    package func distributeKeys() throws(MethodFailure) {
        for place in places { try copy(.keys, to: place) }
    }

    /// Copies all of it.
    package func run() throws(MethodFailure) {
        try distributeKeys()
        for place in places { try copy(.lists, to: place) }
        for place in places { try copy(.keys, to: place, deletes: true) }
    }

    private func copy(
        _ files: Files, to place: String, deletes: Bool = false
    ) throws(MethodFailure) {
        let rules = ["--include=/*/", "--include=/*/\(files.rawValue)", "--exclude=*"]
        // A domain that is not here at all is not ours to remove there: "P" protects its folder.
        let removal = deletes ? ["--delete", "--filter=P /*/"] : []
        let options = ["--recursive", "--perms", "--times", "--owner", "--group"] + removal
        do throws(MethodFailure) {
            _ = try ProgramRun(
                path: program,
                arguments: options + rules + ["--", "\(directory)/", place], seconds: seconds
            ).run()
        } catch {
            throw MethodFailure("\(place): \(error)")
        }
    }
}

import ArgumentParser
import DaemonKit
import DomainKeys
import KeyRotation

/// `signet key sync`: copies the keys to other hosts in an order that keeps every host able to sign.
struct KeySync: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Copies KeyDirectory to other hosts, or from another directory.",
        discussion: """
            First the private keys go to every host; when all have them, the lists of those that sign; what is gone here is removed \
            there last. rsync(1) and ssh(1) do the work, as the user that calls. Exit status 75 if a host could not be reached: \
            nothing on any host then signs with a key that another lacks.
            """)

    @OptionGroup var options: RotationOptions

    @Option(parsing: .upToNextOption, help: "Hosts, each HOST or USER@HOST.")
    var to: [String] = []

    @Option(help: "A directory like KeyDirectory, from which keys are taken.")
    var from: String?

    func validate() throws {
        guard to.isEmpty != (from == nil) else {
            throw ValidationError("give either --to HOST… or --from DIR")
        }
        if let host = to.first(where: { $0.hasPrefix("-") || $0.contains(":") }) {
            throw ValidationError("\"\(host)\" is not HOST or USER@HOST")
        }
        if let from, !from.hasPrefix("/") {
            throw ValidationError("--from \(from): write the path in full")
        }
    }

    func run() throws {
        let tree = try options.tree()
        let configuration = try options.configuration()
        let seconds = configuration.programSeconds
        let sync: HostSync
        if let from {
            sync = HostSync(KeyTree(from), directories: [tree.root], seconds: seconds)
        } else {
            // What this host has may be older than what it would replace.
            let lease = RotationLease(configuration, takesOver: options.takeOver)
            try lease?.require()
            sync = HostSync(
                tree, hosts: to, shell: configuration.syncShell, seconds: seconds, leader: lease)
        }
        do throws(MethodFailure) {
            try sync.run()
        } catch {
            throw CommandFailure(.tempFail, error.description)
        }
    }
}

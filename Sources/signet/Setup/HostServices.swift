import Foundation
import Setup

/// The programs of this host that look a new configuration over and take it up; none is called for a tree.
struct HostServices {
    let tree: FileTree

    /// What a program refuses.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// Has each daemon and Postfix check its configuration.
    func check(_ daemons: [SignetDaemon]) throws(Fault) {
        guard tree.isThisHost else { return }
        for daemon in daemons {
            try require([daemon.program, "-n", "-x", daemon.configuration])
        }
        try require(["/usr/sbin/postfix", "check"])
    }

    /// Makes the services read their configuration; ends at the first that cannot.
    func takeUp(_ daemons: [SignetDaemon], aliases: Bool) throws(Fault) {
        for command in commands(daemons, enabling: true, aliases: aliases) { try require(command) }
    }

    /// Makes the services read what they had before; failures are printed.
    func goBack(_ daemons: [SignetDaemon], aliases: Bool) {
        for command in commands(daemons, enabling: false, aliases: aliases) {
            do throws(Fault) { try require(command) } catch { complain(error.description) }
        }
    }

    private func commands(
        _ daemons: [SignetDaemon], enabling: Bool, aliases: Bool
    ) -> [[String]] {
        guard tree.isThisHost else { return [] }
        var commands: [[String]] = aliases ? [["/usr/bin/newaliases"]] : []
        if tree.exists("/run/systemd/system"), !daemons.isEmpty {
            let names = daemons.map { "signet-\($0.rawValue)" }
            let control = "/usr/bin/systemctl"
            if enabling {
                commands.append(
                    [control, "--quiet", "enable", "--now"] + names.map { "\($0).socket" })
            }
            // A unit that has failed before is not held back by it.
            commands.append([control, "reset-failed"] + names.map { "\($0).service" })
            let change = enabling ? "reload-or-restart" : "try-reload-or-restart"
            commands.append([control, change] + names.map { "\($0).service" })
        }
        if isPostfixRunning {
            commands.append(["/usr/sbin/postfix", "reload"])
        } else {
            complain("Postfix is not running, and reads its configuration when it is started")
        }
        return commands
    }

    private var isPostfixRunning: Bool {
        do throws(Fault) {
            try require(["/usr/sbin/postfix", "status"])
            return true
        } catch { return false }
    }

    /// How long a program may take, in seconds: systemd waits for 90 for a unit.
    private static let patience = 120.0

    private func require(_ command: [String]) throws(Fault) {
        let words = command.joined(separator: " ")
        guard let (status, text) = HostProgram.run(command, seconds: Self.patience) else {
            throw Fault(description: "\(words) cannot be run, or does not end")
        }
        guard status == 0 else { throw Fault(description: "\(words): status \(status)\n\(text)") }
    }
}

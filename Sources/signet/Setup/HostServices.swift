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

    private func require(_ command: [String]) throws(Fault) {
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        let output: Data
        do {
            try process.run()
            output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw Fault(description: "\(command[0]) cannot be run: \(error)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = String(decoding: output, as: UTF8.self)
            throw Fault(
                description:
                    "\(command.joined(separator: " ")): status \(process.terminationStatus)\n\(text)"
            )
        }
    }
}

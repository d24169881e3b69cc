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

    /// Makes the services read their configuration; failures are printed, and the changes stay.
    func reload(_ daemons: [SignetDaemon], enabling: Bool = true, aliases: Bool) {
        guard tree.isThisHost else { return }
        var commands: [[String]] = aliases ? [["/usr/bin/newaliases"]] : []
        if tree.exists("/run/systemd/system") {
            for daemon in daemons where enabling {
                commands.append([
                    "/usr/bin/systemctl", "enable", "--now", "signet-\(daemon.rawValue).socket",
                ])
            }
            for daemon in daemons {
                commands.append([
                    "/usr/bin/systemctl", "try-reload-or-restart",
                    "signet-\(daemon.rawValue).service",
                ])
            }
        }
        commands.append(["/usr/sbin/postfix", "reload"])
        for command in commands {
            do throws(Fault) { try require(command) } catch { complain(error.description) }
        }
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

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

    /// What daemons say against their configurations as they are written, a sentence for each that refuses; none of what is not
    /// installed.
    func refusals(_ daemons: [SignetDaemon]) -> [String] {
        guard tree.isThisHost else { return [] }
        return daemons.compactMap { daemon in
            guard tree.exists(daemon.program) else { return nil }
            do throws(Fault) {
                try require([daemon.program, "-n", "-x", daemon.configuration])
                return nil
            } catch { return error.description }
        }
    }

    /// Makes the services read their configuration; ends at the first that cannot.
    func takeUp(_ daemons: [SignetDaemon], aliases: Bool) throws(Fault) {
        for command in commands(daemons, enabling: true, aliases: aliases) { try require(command) }
    }

    /// Makes the services read what they had before; failures are printed.
    ///
    /// - Parameters:
    ///   - daemons: whose configuration has changed.
    ///   - aliases: whether that of /etc/aliases has.
    ///   - units: those that were at rest before, and are again.
    func goBack(_ daemons: [SignetDaemon], aliases: Bool, resting units: [String] = []) {
        let kept = daemons.filter { !units.contains("signet-\($0.rawValue).service") }
        var commands = commands(kept, enabling: false, aliases: aliases)
        let (sockets, services) = (
            units.filter { $0.hasSuffix(".socket") }, units.filter { $0.hasSuffix(".service") }
        )
        // Postfix asks them no more by now.
        if isUnderSystemd, !sockets.isEmpty {
            commands.append([Self.control, "--quiet", "disable", "--now"] + sockets)
        }
        if isUnderSystemd, !services.isEmpty {
            commands.append([Self.control, "stop"] + services)
        }
        for command in commands {
            do throws(Fault) { try require(command) } catch { complain(error.description) }
        }
    }

    /// The units that `takeUp` switches on: sockets that systemd does not open by itself, and daemons that do not run.
    func unitsAtRest(_ daemons: [SignetDaemon]) -> [String] {
        guard isUnderSystemd else { return [] }
        func isNot(_ state: String, _ unit: String) -> Bool {
            do throws(Fault) {
                try require([Self.control, "--quiet", state, unit])
                return false
            } catch { return true }
        }
        let names = daemons.map { "signet-\($0.rawValue)" }
        return names.map { "\($0).socket" }.filter { isNot("is-enabled", $0) }
            + names.map { "\($0).service" }.filter { isNot("is-active", $0) }
    }

    private static let control = "/usr/bin/systemctl"

    private var isUnderSystemd: Bool { tree.isThisHost && tree.exists("/run/systemd/system") }

    private func commands(
        _ daemons: [SignetDaemon], enabling: Bool, aliases: Bool
    ) -> [[String]] {
        guard tree.isThisHost else { return [] }
        var commands: [[String]] = aliases ? [["/usr/bin/newaliases"]] : []
        if isUnderSystemd, !daemons.isEmpty {
            let names = daemons.map { "signet-\($0.rawValue)" }
            if enabling {
                commands.append(
                    [Self.control, "--quiet", "enable", "--now"] + names.map { "\($0).socket" })
                // A unit that has failed before is not held back by it.
                commands.append([Self.control, "reset-failed"] + names.map { "\($0).service" })
            }
            let change = enabling ? "reload-or-restart" : "try-reload-or-restart"
            commands.append([Self.control, change] + names.map { "\($0).service" })
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

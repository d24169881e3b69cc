import ArgumentParser
import Glibc

/// `signet postfix`: the lines of main.cf that put the daemons to work.
struct PostfixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postfix",
        abstract: "Prints the lines for Postfix's main.cf.",
        discussion: """
            The packages print the same lines when they are installed. Of two lines with one name only the last counts, so add \
            to what main.cf has already. Nothing is changed.
            """)

    /// The daemons, the milters in their order.
    enum Daemon: String, CaseIterable, ExpressibleByArgument {
        case scrub, dkim, dmarc, spf
    }

    @Argument(help: "The daemons to name; by default those that are installed, or all.")
    var daemons: [Daemon] = []

    func run() {
        let installed = Daemon.allCases.filter {
            unsafe access("/usr/sbin/signet-\($0.rawValue)", X_OK) == 0
        }
        let chosen = daemons.isEmpty ? (installed.isEmpty ? Daemon.allCases : installed) : daemons
        for line in Self.lines(for: chosen) { print(line) }
    }

    /// The lines for some of the daemons.
    ///
    /// packaging/debian/daemon.postinst has the same; a test compares them.
    static func lines(for daemons: [Daemon]) -> [String] {
        let sockets = [Daemon.scrub, .dkim, .dmarc].filter(daemons.contains)
            .map { "unix:signet/\($0.rawValue).sock" }
        var lines: [String] = []
        if !sockets.isEmpty { lines.append("smtpd_milters = \(sockets.joined(separator: ", "))") }
        if daemons.contains(.dkim) {
            lines.append("non_smtpd_milters = unix:signet/dkim.sock")
        }
        if daemons.contains(.spf) {
            lines += [
                "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated,",
                "    reject_unauth_destination, check_policy_service unix:signet/spf.sock",
            ]
        }
        return lines
    }
}

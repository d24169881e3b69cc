/// The daemons, in the order in which mail passes the milters among them.
package enum SignetDaemon: String, CaseIterable, Sendable {
    case scrub, dkim, dmarc, spf

    /// The program, whose presence says that the package is installed.
    package var program: String { "/usr/sbin/signet-\(rawValue)" }

    /// The configuration file.
    package var configuration: String { "/etc/signet/\(rawValue).conf" }

    /// The socket as main.cf names it: relative, for a chrooted smtpd and another alike.
    package var endpoint: String { "unix:signet/\(rawValue).sock" }

    /// Whether Postfix's name for a milter or policy service means this daemon's socket.
    func isNamed(by address: String, queueDirectory: String) -> Bool {
        let path = "signet/\(rawValue).sock"
        return ["unix", "local"].contains { kind in
            address == "\(kind):\(path)" || address == "\(kind):/\(path)"
                || address == "\(kind):\(queueDirectory)/\(path)"
        }
    }
}

/// The filters of other projects that do what ours do.
package enum Incumbent: String, Sendable {
    /// Signs or verifies DKIM.
    case dkim
    /// Evaluates DMARC.
    case dmarc
    /// Evaluates SPF, as a policy service.
    case spf

    /// What an address in main.cf is, by the names and ports that packages and guides give; nil for anything else.
    package init?(address: String) {
        let name = address.lowercased()
        // A lookup table may have such a name as well.
        let isEndpoint = ["unix:", "local:", "inet:", "inet6:"].contains { name.hasPrefix($0) }
        guard isEndpoint, !name.contains("signet") else { return nil }
        if name.contains("dkim") || name.hasSuffix(":8891") || name.hasSuffix(":8892")
            || name.hasSuffix(":12301") || name.hasSuffix(":12145")
        {
            self = .dkim
        } else if name.contains("dmarc") || name.hasSuffix(":8893") || name.hasSuffix(":54321") {
            self = .dmarc
        } else if name.contains("spf") {
            self = .spf
        } else {
            return nil
        }
    }
}

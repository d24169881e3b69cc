package import PostfixConfiguration

/// Postfix's configuration as Postfix reads it.
package struct PostfixView: Sendable {
    /// The directory of main.cf and master.cf, on its host.
    static let directory = "/etc/postfix"
    /// main.cf, on its host.
    static let mainPath = "\(directory)/main.cf"
    /// master.cf, on its host.
    static let masterPath = "\(directory)/master.cf"

    /// main.cf.
    let main: MainConfiguration
    /// master.cf; nil where it cannot be read.
    let master: MasterConfiguration?
    /// The values that hold where no service sets them anew.
    package let values: ParameterValues

    /// A service that takes mail by SMTP, with the values that hold in it.
    struct Listener {
        let service: MasterService
        let values: ParameterValues
        /// Whether it runs with the queue directory as its root.
        let isChrooted: Bool

        /// Whether users hand in mail here.
        var takesSubmissions: Bool {
            let port = service.name.split(separator: ":").last.map(String.init) ?? service.name
            return ["submission", "submissions", "smtps", "587", "465"].contains(port)
        }

        /// Whether other servers hand in mail here.
        var takesInboundMail: Bool { service.name == "smtp" || service.name == "25" }
    }

    /// Reads both files in a tree; nil where there is no main.cf.
    package init?(_ tree: HostFiles) {
        guard let octets = try? tree.octets(Self.mainPath) else { return nil }
        main = MainConfiguration(octets)
        master = (try? tree.octets(Self.masterPath)).map { MasterConfiguration($0) }
        let isThirteen = tree.text("/etc/debian_version")?.hasPrefix("13") ?? false
        let host = (tree.text("/etc/hostname") ?? "localhost").split(separator: "\n").first
        values = ParameterValues(
            main,
            defaults: ParameterDefaults(
                isThirteen ? .v3_10 : .v3_7, hostName: host.map(String.init) ?? "localhost"))
    }

    /// The services that run smtpd(8), in the file's order.
    var listeners: [Listener] {
        (master?.services(running: "smtpd") ?? []).map { service in
            let own = values.of(service)
            return Listener(service: service, values: own, isChrooted: service.isChrooted(own))
        }
    }

    /// Whether cleanup(8), which serves non_smtpd_milters, runs with the queue directory as its root.
    var isCleanupChrooted: Bool {
        guard let service = master?.service("cleanup/unix") else { return false }
        return service.isChrooted(values)
    }

    /// Where the queue directory is, on its host.
    var queueDirectory: String { values["queue_directory"] ?? "/var/spool/postfix" }

    /// The physical line of master.cf with a number; nil where there is none.
    func masterLine(_ number: Int) -> String? {
        guard let master else { return nil }
        let lines = String(decoding: master.octets, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.contains(number - 1) ? String(lines[number - 1]) : nil
    }
}

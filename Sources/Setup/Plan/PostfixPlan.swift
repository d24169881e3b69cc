internal import HeaderScrub
internal import PostfixConfiguration

/// The changes of main.cf and master.cf that send mail through the daemons.
struct PostfixPlan {
    private let facts: HostFacts
    private let daemons: [SignetDaemon]
    private var main: MainConfiguration
    private var master: MasterConfiguration
    private(set) var topology: Topology
    private(set) var notes: [String] = []
    private(set) var obstacles: [String] = []
    private var headerChecks: FileChange?

    private static let cleanup = "submission-cleanup"
    private static let headerChecksPath = "/etc/postfix/scrub_header_checks"

    init(_ facts: HostFacts, _ daemons: [SignetDaemon]) {
        self.facts = facts
        self.daemons = daemons
        main = facts.values.main
        master = facts.master
        topology = Topology(facts)
        for fault in main.faults + master.faults where fault.isFatal {
            obstacles.append(
                "Postfix refuses line \(fault.line) of its configuration: \(fault.message)")
        }
        guard obstacles.isEmpty, facts.mainFile != nil, facts.masterFile != nil else { return }
        findIncumbents()
        warnOfSettingsThatAreReplaced()
        addMilters()
        addPolicyService()
        addMiltersOfServices()
        if daemons.contains(.scrub) { hideClients() }
    }

    /// The files that change.
    var changes: [FileChange] {
        [
            headerChecks, change("/etc/postfix/master.cf", facts.masterFile, master.octets),
            change("/etc/postfix/main.cf", facts.mainFile, main.octets),
        ].compactMap(\.self)
    }

    private func change(_ path: String, _ before: FileState?, _ octets: [UInt8]) -> FileChange? {
        guard let before, before.contents != octets else { return nil }
        var after = before
        after.contents = octets
        return FileChange(path: path, before: before, after: after)
    }

    // MARK: What is there

    /// Another signer or DMARC filter in the chain would sign or judge a second time.
    private mutating func findIncumbents() {
        let services =
            [("main.cf", facts.values)]
            + master.services(running: "smtpd").map {
                ("master.cf, \($0.key)", facts.values.of($0))
            }
        var seen: Set<String> = []
        for (place, values) in services {
            for name in ["smtpd_milters", "non_smtpd_milters", "smtpd_recipient_restrictions"] {
                for item in values.list(name) {
                    let address = PostfixList.endpoint(item).address
                    guard address.contains(":"), let incumbent = Incumbent(address: address),
                        daemons.contains(where: { $0.rawValue == incumbent.rawValue }),
                        seen.insert(address).inserted
                    else { continue }
                    obstacles.append(
                        "\(name) (\(place)) names another \(incumbent.rawValue.uppercased()) filter, \(address): "
                            + "\"signet migrate\" brings its configuration over and takes its place"
                    )
                }
            }
        }
    }

    private mutating func warnOfSettingsThatAreReplaced() {
        for name in ["smtpd_milters", "non_smtpd_milters", "smtpd_recipient_restrictions"]
        where !main.replaced(name).isEmpty {
            let lines = main.replaced(name).map { "\($0.line)" }.joined(separator: ", ")
            notes.append(
                "main.cf sets \(name) more than once; only line \(main.setting(name)?.line ?? 0) counts, "
                    + "line \(lines) has no effect")
        }
    }

    // MARK: main.cf

    private mutating func addMilters() {
        let milters = daemons.filter { $0 != .spf }
        for daemon in milters.reversed() { insert(daemon, into: "smtpd_milters", among: milters) }
        if daemons.contains(.dkim) { insert(.dkim, into: "non_smtpd_milters", among: [.dkim]) }
    }

    /// Adds a milter before those of ours that come after it, unless the list has it.
    private mutating func insert(
        _ daemon: SignetDaemon, into name: String, among order: [SignetDaemon]
    ) {
        let present = ParameterValues(main, defaults: facts.values.defaults).list(name)
        guard !present.contains(where: { isNamed(daemon, $0) }) else { return }
        let later = order.drop { $0 != daemon }.dropFirst()
        let next = main.items(of: name).first { item in later.contains { isNamed($0, item) } }
        if main.setting(name) == nil, let own = facts.values.defaults[name], !own.isEmpty {
            main.set(name, to: own)
        }
        main.insert(daemon.endpoint, into: name, before: next)
    }

    private func isNamed(_ daemon: SignetDaemon, _ item: String) -> Bool {
        daemon.isNamed(
            by: PostfixList.endpoint(item).address, queueDirectory: facts.queueDirectory)
    }

    private mutating func addPolicyService() {
        let name = "smtpd_recipient_restrictions"
        guard daemons.contains(.spf) else { return }
        let present = facts.values.list(name)
        guard !present.contains(where: { isNamed(.spf, $0) }) else { return }
        let service = "check_policy_service \(SignetDaemon.spf.endpoint)"
        let items = main.items(of: name)
        guard !items.isEmpty else {
            main.set(
                name,
                to:
                    "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, \(service)"
            )
            return
        }
        // Never before reject_unauth_destination: an SPF question for each relay attempt would be a gift.
        let refusals = ["reject_unauth_destination", "defer_unauth_destination"]
        if let index = items.lastIndex(where: { refusals.contains($0) }) {
            main.insert(service, into: name, at: index + 1)
        } else {
            let end = items.firstIndex { $0 == "permit" || $0 == "reject" || $0 == "defer" }
            main.insert(service, into: name, at: end ?? items.endIndex)
        }
    }

    // MARK: master.cf

    /// A submission service with milters of its own passes main.cf's by.
    private mutating func addMiltersOfServices() {
        let wanted = daemons.filter { $0 == .scrub || $0 == .dkim }
        for service in master.services(running: "smtpd") {
            if let options = service.option("receive_override_options"),
                options.value.contains("no_milters")
            {
                notes.append(
                    "master.cf, \(service.key): no_milters keeps all milters away from its mail")
            }
            if ["smtp", "25"].contains(service.name), service.option("smtpd_milters") != nil {
                notes.append(
                    "master.cf, \(service.key) has smtpd_milters of its own: main.cf's do not hold there"
                )
            }
            guard topology.isSubmission(service), let option = service.option("smtpd_milters")
            else {
                continue
            }
            let present = facts.values.of(service).list("smtpd_milters")
            var items = PostfixList.items(option.value)
            for daemon in wanted.reversed() where !present.contains(where: { isNamed(daemon, $0) })
            {
                let later = wanted.drop { $0 != daemon }.dropFirst()
                let place = items.firstIndex { item in later.contains { isNamed($0, item) } }
                items.insert(daemon.endpoint, at: place ?? items.endIndex)
            }
            let value = items.joined(separator: ",")
            if items != PostfixList.items(option.value) {
                master.setOption("smtpd_milters", of: service.key, to: value)
            }
        }
    }

    /// Keeps the client out of Postfix's own Received field, which no milter sees.
    private mutating func hideClients() {
        for service in topology.submissions(master) {
            if facts.release == .v3_10 {
                if facts.values.of(service).raw("smtpd_hide_client_session")?.value != "yes" {
                    master.setOption("smtpd_hide_client_session", of: service.key, to: "yes")
                }
            } else if let other = service.option("cleanup_service_name")?.value {
                if other != Self.cleanup {
                    notes.append(
                        "master.cf, \(service.key) has a cleanup service of its own, \(other): "
                            + "add header_checks=regexp:\(Self.headerChecksPath) there")
                }
            } else {
                master.setOption("cleanup_service_name", of: service.key, to: Self.cleanup)
                addCleanup()
            }
        }
    }

    private mutating func addCleanup() {
        let table = HeaderChecks.table(host: facts.hostName)
        headerChecks = facts.change(of: Self.headerChecksPath, to: Array(table.utf8))
        guard master.service("\(Self.cleanup)/unix") == nil else { return }
        let jail = master.service("cleanup/unix")?.columns[2] ?? "y"
        // The checks that all mail passes hold here as well.
        let others = main.setting("header_checks")?.value ?? ""
        let checks =
            "regexp:$config_directory/scrub_header_checks" + (others.isEmpty ? "" : ",\(others)")
        let option =
            checks.contains(" ") ? "-o { header_checks = \(checks) }" : "-o header_checks=\(checks)"
        master.append(
            """
            \(Self.cleanup) unix n - \(jail) - 0 cleanup
              \(option)
              -o nested_header_checks=
            """)
    }
}

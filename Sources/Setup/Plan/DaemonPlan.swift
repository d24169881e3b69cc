internal import PostfixConfiguration

/// The configuration files of the daemons besides signet-dkim.
struct DaemonPlan {
    private(set) var changes: [FileChange] = []

    init(_ facts: HostFacts, _ daemons: [SignetDaemon], topology: Topology) {
        guard daemons.contains(.scrub) else { return }
        let path = SignetDaemon.scrub.configuration
        var scrub = DirectiveText(facts.files[path]?.contents ?? [])
        for service in facts.master.services where topology.isRelayOfDovecot(service) {
            guard facts.dovecot?.isTrusted == false, scrub.value(of: "MTA") == nil,
                let name = service.option("milter_macro_daemon_name")?.value
            else { continue }
            scrub.set("MTA", to: name)
        }
        // What a content filter hands back comes from loopback as well, and is not users' mail.
        if topology.sharesPort25WithDovecot, scrub.value(of: "InternalHosts") == nil,
            facts.values["content_filter"] == ""
        {
            scrub.set("InternalHosts", to: "127.0.0.1, ::1")
        }
        if let change = facts.change(of: path, to: scrub.octets) { changes.append(change) }
    }
}

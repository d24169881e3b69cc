/// What `signet setup` would do on a host: what changes there, and what is to be published.
package struct SetupPlan: Sendable {
    /// The directories that are made where they are missing.
    package var directories: [NeededDirectory] = []
    /// The files that change, in the order in which they do: keys first, Postfix last.
    package var changes: [FileChange] = []
    /// The records to publish.
    package var records: [PublishedRecord] = []
    /// What the postmaster should know.
    package var notes: [String] = []
    /// Why nothing can be changed; empty where all can.
    package var obstacles: [String] = []
    /// Who signs: `here`, or the name of the relay.
    package var signer = "here"
    /// The daemons that mail will pass.
    package var daemons: [SignetDaemon] = []

    /// Plans for a host.
    ///
    /// - Throws: what `keys` throw, where a key cannot be made.
    package init(_ facts: HostFacts, _ request: SetupRequest, keys: KeyTools) throws {
        let relay = RelayProvider.of(facts, request.signer)
        signer = relay?.name ?? "here"
        daemons = SignetDaemon.allCases.filter {
            facts.daemons.contains($0) && !($0 == .dkim && relay != nil)
        }
        if facts.daemons.isEmpty {
            obstacles.append(
                "no daemon of Signet is installed: apt install signet-dkim signet-dmarc signet-spf signet-scrub"
            )
        }
        if facts.mainFile == nil || facts.masterFile == nil {
            obstacles.append("/etc/postfix/main.cf or master.cf is missing: install postfix first")
        }
        var signing = SigningPlan(facts, isNeeded: daemons.contains(.dkim))
        try signing.addKeys(request, keys)
        let postfix = PostfixPlan(facts, daemons)
        var reports = ReportMailbox(facts)
        records = RecordPlan(facts, relay: relay).records(
            request.domains, keys: signing.published, mailbox: { reports.address(for: $0) })
        directories = signing.directories
        changes =
            signing.changes + DaemonPlan(facts, daemons, topology: postfix.topology).changes
            + reports.changes + postfix.changes
        notes = postfix.notes + signing.notes + reports.notes + (relay.map { [$0.note] } ?? [])
        obstacles += postfix.obstacles + signing.obstacles
    }

    /// Whether the host is already as it is to be.
    package var isDone: Bool { changes.isEmpty }
}

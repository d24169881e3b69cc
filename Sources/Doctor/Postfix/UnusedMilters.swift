internal import PostfixConfiguration

/// The milters of the suite that are installed and that no service shows its mail.
struct UnusedMilters {
    /// Their short names, in the order in which mail is to pass them.
    let names: [String]

    /// What is said of those that do not sign; that the signer is in no list is a fault of its own.
    static let check = Check.ofPostfix(
        "postfix.milter.unused", fine: "every filter of ours that is installed is in a list"
    ) { host, postfix in
        let idle = UnusedMilters(host, postfix).names
            .filter { $0 != "dkim" || !host.signsHere }.map { "signet-\($0)" }
        guard !idle.isEmpty else {
            let others = Incumbents.places(host, postfix)
            return others.isEmpty
                ? []
                : [
                    .skipped(
                        "postfix.milter.unused", "Postfix",
                        "another program has the place of \(Shown.list(others))")
                ]
        }
        return [
            Diagnosis(
                .milterUnused, "smtpd_milters",
                "\(Shown.list(idle)) \(idle.count == 1 ? "is" : "are") installed, and in no smtpd_milters",
                mend: MilterProposal(ofMain: host, postfix).mend)
        ]
    }

    /// Looks at the lists of all services that take mail by SMTP.
    init(_ host: HostView, _ postfix: PostfixView) {
        let chains = MilterChain.all(postfix, host.suite).filter { $0.listener != nil }
        let milters = chains.flatMap(\.milters)
        guard !chains.isEmpty else {
            names = []
            return
        }
        // A second setting that drops a filter is said by itself.
        let dropped = postfix.main.replaced("smtpd_milters").map(\.value)
        names = SuiteView.milters.filter { name in
            let rival: MilterEndpoint.Role? =
                name == "dkim" ? .otherSigner : name == "dmarc" ? .otherDMARC : nil
            // Behind a relay that signs the signer has nothing to do; where it has keys it is looked for even where no package is seen.
            let isWanted =
                name == "dkim"
                ? host.signsHere || (host.isInstalled(name) && host.relayhost == nil)
                : host.isInstalled(name)
            return isWanted
                && !milters.contains { $0.isOurs(name) || $0.role == rival }
                && !dropped.contains { $0.contains(name) }
        }
    }
}

extension HostView {
    /// Whether a daemon of the suite is there; its configuration alone is what a package leaves that was removed.
    func isInstalled(_ name: String) -> Bool {
        !suite.sockets(of: name).isEmpty || tree?.exists("/usr/sbin/signet-\(name)") == true
    }
}

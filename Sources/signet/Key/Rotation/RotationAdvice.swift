import DomainKeys
import KeyRotation
import MailSyntax

/// What a person can do about a step that fails.
enum RotationAdvice {
    /// What holds a switch up when the DNS does not.
    private static let hosts =
        "see that this host reaches those of SyncHosts, or take out the ones that sign no more; the next run tries again"

    /// The advice for a key; nil where nothing has failed.
    static func words(for key: ManagedKey, of domain: DomainName, in tree: KeyTree) -> String? {
        guard key.fault != nil else { return nil }
        let record = "\(key.selector)._domainkey.\(domain)"
        switch key.stage {
        case .planned: return "see that there is room in \(tree.root); the next run tries again"
        case .made:
            return "mend what Method in rotate.conf uses (or publish by hand with --dns show), "
                + "or the way to the host of SyncHosts that is named; the next run tries again"
        case .published:
            let file = tree.keyFile(key.selector, of: domain) ?? ""
            return "have every server show the TXT record \(record), which signet key show \(file) "
                + "prints; each run looks again"
        case .retiring where key.until == nil: return hosts
        case .seen: return "see that there is room in \(tree.root), and \(hosts)"
        case .signing:
            return "publish the TXT record \(record) again, or signet key rotate \(domain)"
        case .retiring, .revoking, .emptied: return "the next run tries again"
        case .withdrawn: return nil
        }
    }
}

package import MailDNS
package import MailSyntax
internal import PostfixConfiguration

/// Everything that checks look at: a host, its configuration, and the DNS as it sees it.
package struct HostView: Sendable {
    /// The domains whose mail is looked at.
    package var domains: [DomainName] = []
    /// The name that Postfix gives in HELO and EHLO, as it is written: `smtp_helo_name`, else `myhostname`; nil where it is not known.
    package var heloName: String?
    /// The name in Postfix's greeting; nil where it is not known.
    package var bannerName: String?
    /// The addresses that mail leaves from; none where they are not known.
    package var addresses: [IPAddress] = []
    /// The host that all outgoing mail is handed to; nil where mail goes to its recipients' servers.
    package var relayhost: String?
    /// Who signs with which key.
    package var signing = SignersView()
    /// Asks the DNS; nil where the DNS is not looked at.
    package var dns: DNSLookup?
    /// Makes a resolver that asks one authoritative server; nil where these are not asked.
    package var authoritative: (@Sendable (IPAddress) -> (any DNSResolver)?)?

    /// The root zone's name servers as the resolver gives them, asked with a trust anchor; nil where that is not done.
    package var rootAnswer: (@Sendable () -> DNSAnswer)?
    /// Whether block lists may be asked about this host's addresses.
    package var asksBlockLists = false
    /// The files of the host; nil where they are not looked at.
    package var tree: HostFiles?
    /// Postfix's configuration; nil where there is none.
    package var postfix: PostfixView?
    /// Where the suite's daemons listen.
    var suite = SuiteView()
    /// The host's users and groups.
    var accounts = Accounts()
    /// Has a daemon of the suite check its configuration; gives what it complains of, nil where it could not be asked.
    package var checkConfiguration: (@Sendable (_ daemon: String, _ file: String) -> [String]?)?
    /// Connects to a milter and opens the protocol with it; gives what went wrong, nil where nothing did.
    package var negotiate: (@Sendable (_ socket: String) -> String?)?
    /// The host itself, where it runs; nil for a tree.
    package var running: RunningHost?

    /// A host of which nothing is known.
    package init() {}

    /// Reads what a tree of files says of its host.
    package init(_ tree: HostFiles) {
        self.tree = tree
        signing = SignersView(tree)
        accounts = Accounts(tree)
        suite = SuiteView(tree)
        postfix = PostfixView(tree)
        guard let values = postfix?.values else { return }
        heloName = values["smtp_helo_name"]
        bannerName = values["smtpd_banner"]?.split(separator: " ").first.map(String.init)
        relayhost = values["relayhost"].flatMap { $0.isEmpty ? nil : $0 }
        let bound = [values["smtp_bind_address"], values["smtp_bind_address6"]]
            .compactMap { $0.flatMap { IPAddress($0) } }
        let listening = values.list("inet_interfaces").compactMap { IPAddress($0) }
        addresses = (bound.isEmpty ? listening : bound).filter { !$0.isPrivate }
    }

    /// Takes the addresses of the HELO name for those that mail leaves from: what can be known of a host behind a translated
    /// address, or of a tree.
    package mutating func learnAddresses() {
        guard let dns, let name = heloDomain, let found = try? dns.addresses(name) else { return }
        addresses = found.filter { !$0.isLoopback }
    }

    /// The name in HELO as a domain name; nil where it is none, or one label only.
    var heloDomain: DomainName? {
        guard let heloName, let name = try? DomainName(heloName), name.isHostName,
            name.labelCount > 1, IPAddress(heloName) == nil
        else { return nil }
        return name
    }

    /// The domain that Postfix completes addresses with, such as that of bounces (`myorigin`); nil where it is not known.
    var originDomain: DomainName? {
        guard var origin = postfix?.values["myorigin"] else { return nil }
        if origin.hasPrefix("/") {
            guard let line = tree?.text(origin)?.split(separator: "\n").first else { return nil }
            origin = String(line)
        }
        return try? DomainName(origin)
    }

    /// The addresses that receivers see mail come from; none where a relay hands it on.
    var sendingAddresses: [IPAddress] { relayhost == nil ? addresses : [] }
}

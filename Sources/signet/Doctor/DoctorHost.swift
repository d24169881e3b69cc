import DaemonKit
import Doctor
import Glibc
import MailDNS
import MailSyntax
import Threads
import UnboundDNS

/// Who is examined: a host with what the command line knows better than its files, and the DNS.
struct DoctorHost {
    var tree = HostFiles(root: "/")
    /// The domains; where there are none, those that the signer's configuration names.
    var domains: [DomainName] = []
    /// The addresses that mail leaves from; where there are none, Postfix's, the interfaces' or the HELO name's.
    var addresses: [IPAddress] = []
    /// The name in HELO; nil for Postfix's.
    var heloName: String?
    /// Who signs; nil for what the configuration says.
    var signing: SignersView?
    /// Answers questions to the DNS; nil where that is not looked at.
    var resolver: (any DNSResolver)?
    /// Whether authoritative servers and the root are asked as well.
    var asksOthers = true
    /// Whether block lists are.
    var asksBlockLists = false

    /// Reads the host, as checks see it.
    func view() -> HostView {
        var host = HostView(tree)
        if tree.isLive {
            host.checkConfiguration = { LiveHost.check(daemon: $0, file: $1) }
            host.negotiate = { LiveHost.negotiate(path: $0) }
            host.running = LiveHost.running
        }
        if let signing { host.signing = signing }
        if let heloName {
            // The greeting is of the host that main.cf describes.
            (host.heloName, host.bannerName) = (heloName, nil)
        }
        if !addresses.isEmpty {
            host.addresses = addresses
        } else if host.addresses.isEmpty, tree.isLive {
            host.addresses = OwnAddresses.global
        }
        host.domains = domains.isEmpty ? host.signing.domains : domains
        guard let resolver else { return host }
        host.dns = DNSLookup(resolver, time: .system)
        host.asksBlockLists = asksBlockLists
        if asksOthers {
            host.authoritative = { Self.resolver(asking: $0) }
            host.rootAnswer = Self.rootAnswer
        }
        if host.addresses.isEmpty { host.learnAddresses() }
        return host
    }

    /// Debian's file of trust anchors (package dns-root-data).
    private static let trustAnchors = "/usr/share/dns/root.key"

    /// Asks for the root zone's servers with a trust anchor; nil where there is none.
    private static var rootAnswer: (@Sendable () -> DNSAnswer)? {
        var options = UnboundResolver.Options()
        options.trustAnchorFile = trustAnchors
        guard unsafe access(trustAnchors, R_OK) == 0, let resolver = try? UnboundResolver(options)
        else { return nil }
        return {
            resolver.resolve(DNSQuestion(.root, .ns), deadline: .now() + ResolverOptions.timeout)
        }
    }

    /// A resolver that asks one server; nil where it cannot be set up.
    private static func resolver(asking address: IPAddress) -> (any DNSResolver)? {
        var options = UnboundResolver.Options(nameservers: [Nameserver(address)])
        options.cachesAnswers = false
        return try? UnboundResolver(options)
    }
}

public import Configuration
internal import MailDNS
public import UnboundDNS

/// What a daemon's configuration says about the DNS, in the same words in all daemons that ask it.
public struct ResolverSettings: Hashable, Sendable {
    /// The servers to ask, and how to validate.
    public let options: UnboundResolver.Options
    /// How long the answers to one message's questions may take together, in seconds.
    public let timeout: Double

    /// The directives, to be put into a daemon's table.
    public static let directives: [DirectiveSpec] = [
        DirectiveSpec(
            "Nameservers", .text, needsRestart: true,
            "The DNS servers to ask, ADDRESS or ADDRESS@PORT with commas; those of resolv.conf(5) by default"
        ),
        DirectiveSpec(
            "DNSTimeout", .duration(1...60), default: "5",
            "How long all DNS answers for one message may take together"),
        DirectiveSpec(
            "TrustAnchorFile", .path, needsRestart: true,
            "The DNSSEC trust anchors; without it answers are not validated here"),
    ]

    /// The settings that hold when the configuration says nothing.
    public init() {
        options = UnboundResolver.Options()
        timeout = 5
    }

    /// Reads the directives; what is wrong is reported to the reader.
    public init(_ reader: ConfigurationReader) {
        var nameservers: [Nameserver] = []
        if let text = reader.text("Nameservers") {
            do throws(NameserverError) {
                nameservers = try Nameserver.list(text)
            } catch {
                reader.report(
                    .error, "Nameservers", "\(error)",
                    suggestion: "write addresses with commas, such as 192.0.2.1, [2001:db8::1]@5353"
                )
            }
        }
        let anchor = reader.text("TrustAnchorFile")
        if let anchor { reader.checkReadable(anchor, directive: "TrustAnchorFile") }
        options = UnboundResolver.Options(nameservers: nameservers, trustAnchorFile: anchor)
        timeout = reader.duration("DNSTimeout").map { Double($0.components.seconds) } ?? 5
    }
}

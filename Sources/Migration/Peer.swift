internal import Setup

/// A program whose configuration is taken over.
package enum Peer: String, CaseIterable, Sendable {
    case opendkim, dkimpyMilter = "dkimpy-milter", opendmarc, policydSPF = "policyd-spf"
    case dkimproxy

    /// Where its configuration is looked for, the first that exists.
    package var paths: [String] {
        switch self {
        case .opendkim: ["/etc/opendkim.conf"]
        case .dkimpyMilter:
            ["/etc/dkimpy-milter/dkimpy-milter.conf", "/etc/dkimpy-milter.conf"]
        case .opendmarc: ["/etc/opendmarc.conf"]
        case .policydSPF:
            [
                "/etc/postfix-policyd-spf-python/policyd-spf.conf",
                "/etc/python-policyd-spf/policyd-spf.conf", "/etc/policyd-spf.conf",
            ]
        case .dkimproxy: ["/etc/dkimproxy/dkimproxy_out.conf", "/etc/dkimproxy_out.conf"]
        }
    }

    /// The daemon that takes its place.
    package var daemon: String {
        switch self {
        case .opendkim, .dkimpyMilter, .dkimproxy: "dkim"
        case .opendmarc: "dmarc"
        case .policydSPF: "spf"
        }
    }

    /// What is true of its configurations, whatever the lines say; `names` are the directives that are set, in small letters.
    func general(_ names: Set<String>) -> [String] {
        switch self {
        case .opendkim, .dkimpyMilter:
            [
                "a signature with rsa-sha1 or an RSA key under 1024 bits never passes (RFC 8301)",
                names.contains("signheaders")
                    ? nil
                    : "more header fields are signed by default; SignHeaders brings the old list back",
                names.contains("oversignheaders")
                    ? "OversignHeaders stays as it is; \"OversignHeaders *\" has more: no field that is shown "
                        + "can then be added to a signed message"
                    : "no field that is shown can be added to a signed message; \"OversignHeaders From\" "
                        + "brings the old way back",
            ].compactMap(\.self)
        case .opendmarc:
            [
                "SPF, DKIM and ARC are evaluated by signet-dmarc itself",
                "the policy is found by the tree walk of RFC 9989; DomainDiscovery psl brings the "
                    + "public suffix list back",
            ]
        case .policydSPF:
            ["signet-spf is a daemon with a socket; spawn(8) is not needed for it"]
        case .dkimproxy:
            ["signet-dkim is a milter: the proxy's content_filter and its listeners are not needed"]
        }
    }

    /// What becomes of its directives.
    var table: DirectiveTable {
        switch self {
        case .opendkim, .dkimpyMilter: .dkim
        case .opendmarc: .dmarc
        case .policydSPF: .spf
        case .dkimproxy: .dkimproxy
        }
    }

    var daemonOfSetup: SignetDaemon? { SignetDaemon(rawValue: daemon) }
}

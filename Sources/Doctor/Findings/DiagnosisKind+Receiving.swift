/// Faults of the records by which mail and reports find their way, and of the host's name.
extension DiagnosisKind {
    // MARK: Names and addresses of the host

    static let heloUnqualified = DiagnosisKind(
        "dns.host.unqualified", .error,
        "Receivers refuse clients whose HELO is not a full host name (RFC 5321, section 4.1.1.1).")
    static let heloNoAddress = DiagnosisKind(
        "dns.host.no-address", .error,
        "Receivers refuse clients whose HELO name does not exist.")
    static let heloElsewhere = DiagnosisKind(
        "dns.host.elsewhere", .warning,
        "Receivers compare the HELO name with the client's address; a name of another host looks "
            + "forged.")
    static let heloAlias = DiagnosisKind(
        "dns.host.alias", .warning,
        "The HELO name should be a host's own name, not an alias (RFC 5321, section 2.3.5).")
    static let bannerMismatch = DiagnosisKind(
        "dns.host.banner", .warning,
        "The greeting gives another name than HELO; some receivers call back and compare.")
    static let pointerMissing = DiagnosisKind(
        "dns.ptr.missing", .error,
        "Large receivers refuse mail from addresses without a name.")
    static let pointerUnconfirmed = DiagnosisKind(
        "dns.ptr.unconfirmed", .error,
        "Large receivers refuse mail from an address whose name does not lead back to it.")
    static let pointerOther = DiagnosisKind(
        "dns.ptr.helo", .warning,
        "Receivers count it against mail when the address has another name than HELO gives.")

    /// In order of what hurts most.
    static let hostNameRanking: [DiagnosisKind] = [
        heloUnqualified, pointerMissing, pointerUnconfirmed, heloNoAddress, pointerOther,
        heloElsewhere, bannerMismatch, heloAlias,
    ]

    // MARK: MX

    static let mxMissing = DiagnosisKind(
        "dns.mx.missing", .error,
        "Without MX and address nobody can answer, and receivers refuse mail from such a domain.")
    static let mxImplicit = DiagnosisKind(
        "dns.mx.implicit", .warning,
        "Without MX mail goes to the domain's own address, often a web server "
            + "(RFC 5321, section 5.1).")
    static let mxNull = DiagnosisKind(
        "dns.mx.null", .error,
        "A null MX says that the domain takes no mail; receivers refuse mail from it "
            + "(RFC 7505, section 4.2).")
    static let mxNullAmongOthers = DiagnosisKind(
        "dns.mx.null-among-others", .error,
        "A null MX must be the only one (RFC 7505, section 3).")
    static let mxAlias = DiagnosisKind(
        "dns.mx.alias", .error,
        "An MX must not point to an alias: some servers refuse to deliver (RFC 5321, section 5.1; "
            + "RFC 2181, section 10.3).")
    static let mxAddressLiteral = DiagnosisKind(
        "dns.mx.address-literal", .error,
        "An MX names a host, not an address; mail to it is not delivered.")
    static let mxNoAddress = DiagnosisKind(
        "dns.mx.no-address", .error, "Mail to a mail exchanger without an address is put off.")
    static let mxPrivate = DiagnosisKind(
        "dns.mx.private", .error,
        "The address has no meaning in the Internet; nobody outside can deliver to it.")
    static let mxElsewhere = DiagnosisKind(
        "dns.mx.elsewhere", .warning,
        "Mail to the domain goes to another host; replies and bounces do not come here.")

    // MARK: CNAME

    static let aliasDomain = DiagnosisKind(
        "dns.alias.domain", .error,
        "A domain that is an alias has the mail exchangers and policies of another one, and can "
            + "have none of its own (RFC 1034, section 3.6.2).")
    static let aliasDangling = DiagnosisKind(
        "dns.alias.dangling", .error,
        "The alias leads to a name that has no such record: receivers find nothing.")

    // MARK: Name servers

    static let serversDisagree = DiagnosisKind(
        "dns.authoritative.disagree", .error,
        "What receivers see depends on the server that they happen to ask.")
    static let serverSilent = DiagnosisKind(
        "dns.authoritative.silent", .warning,
        "Receivers that ask this server first wait, and some give up.")
    static let serverUnknown = DiagnosisKind(
        "dns.authoritative.no-address", .warning,
        "A name server without an address answers nobody.")

    static let resolverUnvalidated = DiagnosisKind(
        "dns.resolver.unvalidated", .warning,
        "Answers about keys and policies can be forged on their way here; a resolver that "
            + "validates DNSSEC notices it for zones that are signed.")
    static let blockListed = DiagnosisKind(
        "net.blocklist.listed", .error, "Many receivers refuse mail from listed addresses.")

    // MARK: TLS

    static let tlsReportingSyntax = DiagnosisKind(
        "dns.tlsrpt.syntax", .warning,
        "Senders pass over the record, and no report on TLS comes (RFC 8460, section 3).")
    static let tlsReportingSeveral = DiagnosisKind(
        "dns.tlsrpt.several", .warning,
        "Of several TLSRPT records none counts (RFC 8460, section 3).")
    static let strictTransportSyntax = DiagnosisKind(
        "dns.mta-sts.syntax", .warning,
        "Senders pass over the record: there is no MTA-STS policy (RFC 8461, section 3.1).")
    static let strictTransportSeveral = DiagnosisKind(
        "dns.mta-sts.several", .warning,
        "Of several MTA-STS records none counts (RFC 8461, section 3.1).")
    static let strictTransportHost = DiagnosisKind(
        "dns.mta-sts.no-host", .warning,
        "The policy is fetched from this host, which has no address (RFC 8461, section 3.3).")

    // MARK: Mail programs

    static let servicePort = DiagnosisKind(
        "dns.srv.port", .warning,
        "Mail programs that set themselves up connect there and speak another protocol, or none at all with "
            + "TLS (RFC 6186, section 3; RFC 8314, section 5.1).")
    static let serviceTarget = DiagnosisKind(
        "dns.srv.target", .warning,
        "Mail programs that set themselves up do not find the server; the name must be a host's own, with an "
            + "address (RFC 2782).")

    /// In order of what hurts most.
    static let receivingRanking: [DiagnosisKind] = [
        blockListed, mxNull, mxMissing, aliasDomain, aliasDangling, mxNoAddress, mxPrivate,
        mxAddressLiteral,
        mxAlias, mxNullAmongOthers, serversDisagree, mxElsewhere, mxImplicit, serverSilent,
        serverUnknown, resolverUnvalidated, strictTransportHost, strictTransportSyntax,
        strictTransportSeveral,
        tlsReportingSyntax, tlsReportingSeveral, servicePort, serviceTarget,
    ]
}

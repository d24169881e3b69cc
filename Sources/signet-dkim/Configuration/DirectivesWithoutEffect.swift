import Configuration

/// The directives of the peers that are accepted and do nothing, or are refused, each with its reason.
extension DKIMDirectives {
    /// Accepted: what they ask for holds anyway, or has nothing left to act on.
    static let withoutEffect: [DirectiveSpec] = [
        .noOp("AllowSHA1Only", "SHA-256 is always there, and SHA-1 never counts (RFC 8301)"),
        .noOp("DisableCryptoInit", "OpenSSL 3 needs no initialization"),
        .noOp("MilterDebug", "use -v"),
        .noOp("Minimum", "octets beyond l= never pass here, which is stricter"),
        .noOp("MTACommand", "no reports are sent, so nothing is run"),
        .noOp("QueryCache", "answers and parsed keys are always cached"),
        .noOp("ReportAddress", "no reports are sent"),
        .noOp("ReportBccAddress", "no reports are sent"),
        .noOp("ResolverTracing", "use -v, or signet check"),
        .noOp("SMTPURI", "no reports are sent"),
        .noOp("SoftStart", "there is no database to wait for"),
        .noOp("StrictTestMode", "-t reads messages with either line end"),
        .noOp("TemporaryDirectory", "no temporary files are made"),
        .noOp("WeakSyntaxChecks", "signatures are verified whatever the From field looks like"),
    ]

    /// Refused, as to ignore them would change what happens to mail.
    ///
    /// Where `no` asks for nothing, `no` is accepted.
    static let refused: [DirectiveSpec] = [
        .refused(
            "BodyLengthDB", "l= lets anyone append to a signed message, and is never made",
            instead: "remove the line"),
        .refused(
            "ChangeRootDirectory", "the unit confines the daemon",
            instead: "use RootDirectory= in the unit"),
        .refused(
            "DiagnosticDirectory", "mail is not written to files by the daemon",
            instead: "save the message and run signet check on it"),
        .refused(
            "DNSConnect", exceptNo: true, "queries begin with UDP and turn to TCP when they must",
            instead: "name a local resolver in Nameservers"),
        .refused(
            "DNSOverride", "one record for every signature would pass forged mail",
            instead: "use TestPublicKeys in tests"),
        .refused(
            "DomainKeysCompat", exceptNo: true, "DomainKeys is historic (RFC 4870)",
            instead: "remove the line"),
        .refused(
            "FixCRLF", exceptNo: true, "what is verified is what Postfix delivers, as it stands",
            instead: "remove the line"),
        .refused(
            "IdentityHeader", "it is an experiment of the peer's",
            instead: "give i= in the second field of SigningTable"),
        .refused(
            "IdentityHeaderRemove", exceptNo: true, "it is an experiment of the peer's",
            instead: "use signet-scrub to remove header fields"),
        .refused(
            "KeepTemporaryFiles", exceptNo: true, "mail is not written to files by the daemon",
            instead: "save the message and run signet check on it"),
        .refused(
            "MaximumSignedBytes", "it needs l=, which lets anyone append to a signed message",
            instead: "remove the line"),
        .refused(
            "POPDBFile", "POP before SMTP is no authentication",
            instead: "let users authenticate, or list hosts in InternalHosts"),
        .refused(
            "RedirectFailuresTo", "it loses the recipients of the message",
            instead: "use On-BadSignature quarantine, and postsuper -H to release"),
        .refused(
            "ReplaceHeaders", "what is signed is what is sent",
            instead: "let Postfix rewrite before the milter (canonical_maps)"),
        .refused(
            "ReplaceRules", "what is signed is what is sent",
            instead: "let Postfix rewrite before the milter (canonical_maps)"),
        .refused(
            "RequestReports", exceptNo: true, "nobody collects RFC 6651 reports today",
            instead: "use DMARC reports (signet-dmarc)"),
        .refused(
            "ResignAll", exceptNo: true, "mail that passes through keeps its signatures",
            instead: "list the host in InternalHosts to sign what it forwards"),
        .refused(
            "ResignMailTo", "mail that passes through keeps its signatures",
            instead: "list the host in InternalHosts to sign what it forwards"),
        .refused(
            "ResolverConfiguration", "the resolver's settings are ours",
            instead: "use Nameservers and TrustAnchorFile"),
        .refused(
            "SelectCanonicalizationHeader", "a header field that anyone can write does not choose",
            instead: "use Canonicalization"),
        .refused(
            "SenderMacro", "the author is who the From field names",
            instead: "use SenderHeaders"),
        .refused(
            "SendReports", exceptNo: true, "nobody collects RFC 6651 reports today",
            instead: "use DMARC failure reports (signet-dmarc)"),
    ]

    /// Refused whole families: scripts, LDAP, statistics files, Vouch by Reference.
    static let refusedFamilies: [DirectiveSpec] =
        [
            "FinalPolicyScript", "ScreenPolicyScript", "SetupPolicyScript",
            "StatisticsPolicyScript",
        ].map {
            .refused(
                $0, "there is no Lua in the path of mail",
                instead: "use the On- directives, SigningTable and data sets")
        }
        + [
            "LDAPAuthMechanism", "LDAPAuthName", "LDAPAuthRealm", "LDAPAuthUser",
            "LDAPBindPassword", "LDAPBindUser", "LDAPDisableCache", "LDAPKeepaliveIdle",
            "LDAPKeepaliveInterval", "LDAPKeepaliveProbes", "LDAPTimeout", "LDAPUseTLS",
        ].map {
            .refused(
                $0, "data sets are not read from LDAP",
                instead: "write the data to a file and reload")
        }
        + ["Statistics", "StatisticsName", "StatisticsPrefix"].map {
            .refused(
                $0, "statistics are in the log, one line a message",
                instead: "count the log's lines, or use signet-dmarc's report store")
        }
        + [
            "VBR-Certifiers", "VBR-PurgeFields", "VBR-TrustedCertifiers",
            "VBR-TrustedCertifiersOnly", "VBR-Type",
        ]
        .map {
            .refused(
                $0, "Vouch by Reference has no certifiers left (RFC 5518)",
                instead: "remove the line")
        }
}

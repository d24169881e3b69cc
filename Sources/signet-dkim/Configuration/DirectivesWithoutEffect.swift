import Configuration

/// The directives of the peers that are accepted and do nothing, or are refused, each with its reason.
extension DKIMDirectives {
    /// Accepted: what they ask for holds anyway, has nothing left to act on, or is left undone without harm.
    ///
    /// OpenDKIM starts with them, and a file that it starts with shall stop no mail.
    static let withoutEffect: [DirectiveSpec] =
        [
            .noOp(
                "AllowSHA1Only",
                "SHA-256 is always available, and SHA-1 is never accepted (RFC 8301)"),
            .noOp("ATPSDomains", "the ATPS experiment (RFC 6541) is not supported"),
            .noOp("ATPSHashAlgorithm", "the ATPS experiment (RFC 6541) is not supported"),
            .noOp(
                "BodyLengthDB",
                "signatures never have l=, which would let anyone append to a message"),
            .noOp(
                "DiagnosticDirectory",
                "mail is not written to files; save a message and run signet check on it"),
            .noOp("DisableCryptoInit", "OpenSSL 3 needs no initialization"),
            .noOp("DNSConnect", "queries use UDP, and TCP where the answer is too long for it"),
            .noOp("DomainKeysCompat", "DomainKeys is historic (RFC 4870)"),
            .noOp("FixCRLF", "the message is signed as Postfix delivers it"),
            .noOp("IdentityHeader", "the second field of SigningTable says what i= is"),
            .noOp(
                "KeepTemporaryFiles",
                "mail is not written to files; save a message and run signet check on it"),
            .noOp(
                "MaximumSignedBytes",
                "signatures never have l=, which would let anyone append to a message"),
            .noOp("MilterDebug", "use -v"),
            .noOp(
                "Minimum",
                "a signature that leaves a part of the body out never passes, which is stricter"),
            .noOp("MTACommand", "no reports are sent, so nothing is run"),
            .noOp("QueryCache", "answers and parsed keys are always cached"),
            .noOp("ReportAddress", "no reports are sent"),
            .noOp("ReportBccAddress", "no reports are sent"),
            .noOp(
                "RequestReports",
                "reports of RFC 6651 are not supported; signet-dmarc sends DMARC's"
            ),
            .noOp("ResolverTracing", "use -v, or signet check"),
            .noOp(
                "SelectCanonicalizationHeader",
                "anyone could write the header field; Canonicalization decides"),
            .noOp(
                "SendReports", "reports of RFC 6651 are not supported; signet-dmarc sends DMARC's"),
            .noOp("SMTPURI", "no reports are sent"),
            .noOp("SoftStart", "there is no database to wait for"),
            .noOp("StrictTestMode", "-t reads messages with CRLF and with LF"),
            .noOp("TemporaryDirectory", "no temporary files are made"),
            .noOp("WeakSyntaxChecks", "signatures are verified whatever the From field looks like"),
        ]
        + [
            "LDAPAuthMechanism", "LDAPAuthName", "LDAPAuthRealm", "LDAPAuthUser",
            "LDAPBindPassword", "LDAPBindUser", "LDAPDisableCache", "LDAPKeepaliveIdle",
            "LDAPKeepaliveInterval", "LDAPKeepaliveProbes", "LDAPTimeout", "LDAPUseTLS",
        ].map { .noOp($0, "no data set is read from LDAP") }
        + ["Statistics", "StatisticsName", "StatisticsPrefix"].map {
            .noOp($0, "statistics are in the log, one line a message")
        }
        + [
            "VBR-Certifiers", "VBR-PurgeFields", "VBR-TrustedCertifiers",
            "VBR-TrustedCertifiersOnly", "VBR-Type",
        ].map { .noOp($0, "Vouch by Reference has no certifiers left (RFC 5518)") }

    /// Refused, as to ignore them would change what happens to mail.
    ///
    /// Where `no` asks for nothing, `no` is accepted.
    static let refused: [DirectiveSpec] = [
        .refused(
            "ChangeRootDirectory", "the unit confines the daemon",
            instead: "use RootDirectory= in the unit"),
        .refused(
            "DNSOverride", "one record for every signature would pass forged mail",
            instead: "use TestPublicKeys in tests"),
        .refused(
            "IdentityHeaderRemove", exceptNo: true, "it is an experimental feature of OpenDKIM",
            instead: "use signet-scrub to remove header fields"),
        .refused(
            "POPDBFile", "POP before SMTP is not supported",
            instead: "let users authenticate, or list hosts in InternalHosts"),
        .refused(
            "RedirectFailuresTo", "it would lose the recipients of the message",
            instead: "use On-BadSignature quarantine, and postsuper -H to release"),
        .refused(
            "ReplaceHeaders", "the message is signed as it is sent",
            instead: "let Postfix rewrite before the milter (canonical_maps)"),
        .refused(
            "ReplaceRules", "the message is signed as it is sent",
            instead: "let Postfix rewrite before the milter (canonical_maps)"),
        .refused(
            "ResignAll", exceptNo: true, "mail that passes through keeps its signatures",
            instead: "list the host in InternalHosts to sign what it forwards"),
        .refused(
            "ResignMailTo", "mail that passes through keeps its signatures",
            instead: "list the host in InternalHosts to sign what it forwards"),
        .refused(
            "ResolverConfiguration", "the resolver reads no configuration file of its own",
            instead: "use Nameservers and TrustAnchorFile"),
        .refused(
            "SenderMacro", "the author is taken from the From field, not from a macro",
            instead: "use SenderHeaders"),
    ]

    /// Refused: scripts that decide about mail.
    static let refusedFamilies: [DirectiveSpec] = [
        "FinalPolicyScript", "ScreenPolicyScript", "SetupPolicyScript", "StatisticsPolicyScript",
    ].map {
        .refused(
            $0, "Lua scripts are not supported",
            instead: "use the On- directives, SigningTable and data sets")
    }
}

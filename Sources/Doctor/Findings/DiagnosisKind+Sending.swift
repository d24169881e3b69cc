/// Faults of the records that let receivers believe mail: SPF, DKIM, DMARC.
extension DiagnosisKind {
    static let answerFailed = DiagnosisKind(
        "dns.answer.failed", .error,
        "Receivers that get no answer either put mail off or treat it as not authenticated.")

    // MARK: SPF

    static let spfMissing = DiagnosisKind(
        "dns.spf.missing", .error,
        "Without an SPF record nothing says which hosts send the domain's mail.")
    static let spfSeveral = DiagnosisKind(
        "dns.spf.several", .error,
        "Two SPF records are an error: receivers use neither (RFC 7208, section 4.5).")
    static let spfSplit = DiagnosisKind(
        "dns.spf.split", .error,
        "The strings of a TXT record are joined without a blank, so two terms have become one "
            + "(RFC 7208, section 3.3).")
    static let spfSyntax = DiagnosisKind(
        "dns.spf.syntax", .error,
        "One mistake makes the whole record an error (RFC 7208, section 4.6).")
    static let spfLookups = DiagnosisKind(
        "dns.spf.lookups", .error,
        "A record that asks the DNS more than ten times is an error to receivers "
            + "(RFC 7208, section 4.6.4).")
    static let spfVoids = DiagnosisKind(
        "dns.spf.voids", .error,
        "A record with more than two lookups that find nothing is an error to receivers "
            + "(RFC 7208, section 4.6.4).")
    static let spfTarget = DiagnosisKind(
        "dns.spf.target", .error,
        "An include or redirect to a name without an SPF record makes the whole record an error "
            + "(RFC 7208, sections 5.2 and 6.1).")
    static let spfOwnAddress = DiagnosisKind(
        "dns.spf.own-address", .error,
        "Mail that this host sends for the domain does not pass SPF.")
    static let spfHELO = DiagnosisKind(
        "dns.spf.helo", .warning,
        "Bounces have no other sender than the HELO name; they do not pass SPF.")
    static let spfPermitsAll = DiagnosisKind(
        "dns.spf.permits-all", .error, "Everybody may send mail in the domain's name.")
    static let spfOpenEnd = DiagnosisKind(
        "dns.spf.open-end", .warning,
        "A record without \"all\" says nothing about hosts that it does not name.")
    static let spfAfterAll = DiagnosisKind(
        "dns.spf.after-all", .warning,
        "What follows \"all\" is never looked at (RFC 7208, section 5.1).")
    static let spfPTR = DiagnosisKind(
        "dns.spf.ptr", .warning,
        "\"ptr\" is slow and unreliable, and some receivers pass over it (RFC 7208, section 5.5).")
    static let spfLength = DiagnosisKind(
        "dns.spf.length", .warning,
        "An answer that does not fit into 512 octets is asked for again over TCP, which not every "
            + "network lets through (RFC 7208, section 3.4).")
    static let spfRedundant = DiagnosisKind(
        "dns.spf.redundant", .warning,
        "Each such term costs a lookup of every receiver, and the tenth is the last that is allowed "
            + "(RFC 7208, section 4.6.4).")
    static let spfSenderID = DiagnosisKind(
        "dns.spf.sender-id", .warning, "Sender ID is obsolete; nobody reads its record.")

    // MARK: DKIM

    static let keyUnusable = DiagnosisKind(
        "dkim.key.unusable", .error, "Mail of these senders leaves without a signature.")
    static let domainUnsigned = DiagnosisKind(
        "dkim.domain.unsigned", .error,
        "Mail from the domain leaves without a signature; when it is forwarded, nothing vouches "
            + "for it any more.")
    static let recordMissing = DiagnosisKind(
        "dkim.record.missing", .error,
        "Receivers cannot verify a signature whose key is not published.")
    static let recordDoubledName = DiagnosisKind(
        "dkim.record.doubled-name", .error,
        "The record's name ends in the domain twice: in a zone file a name without a dot at its "
            + "end has the zone's name added. Receivers look at the right name and find nothing.")
    static let recordMisplaced = DiagnosisKind(
        "dkim.record.misplaced", .error,
        "The record is below another name than the one that signatures give. Receivers find "
            + "nothing.")
    static let recordMismatch = DiagnosisKind(
        "dkim.record.mismatch", .error,
        "Every signature fails: the published key is not the one that signs.")
    static let recordTruncated = DiagnosisKind(
        "dkim.record.truncated", .error,
        "Every signature fails: the end of the key has been cut off, as some web forms do after "
            + "255 characters.")
    static let recordSplit = DiagnosisKind(
        "dkim.record.split", .error,
        "The key's pieces are records of their own. They must be strings of one record "
            + "(RFC 6376, section 3.6.2.2).")
    static let recordQuoted = DiagnosisKind(
        "dkim.record.quoted", .error,
        "Quotes or backslashes have become part of the record: the web form adds its own.")
    static let recordUnreadable = DiagnosisKind(
        "dkim.record.unreadable", .error, "Every signature fails: the key cannot be read.")
    static let recordRevoked = DiagnosisKind(
        "dkim.record.revoked", .error,
        "An empty p= says that the key is revoked, and it still signs (RFC 6376, section 3.6.1).")
    static let recordHash = DiagnosisKind(
        "dkim.record.hash", .error,
        "h= does not allow sha256, the only hash that is still in use (RFC 8301, section 3.1).")
    static let recordService = DiagnosisKind(
        "dkim.record.service", .error, "s= says that the key is not for mail.")
    static let recordSubdomains = DiagnosisKind(
        "dkim.record.subdomains", .error,
        "t=s forbids signatures whose i= is in a subdomain, as these are.")
    static let recordSeveral = DiagnosisKind(
        "dkim.record.several", .warning,
        "Of several key records receivers may take any (RFC 6376, section 3.6.2.2).")
    static let recordTesting = DiagnosisKind(
        "dkim.record.testing", .warning,
        "t=y asks receivers to treat signed mail as unsigned (RFC 6376, section 3.6.1).")
    static let recordSpace = DiagnosisKind(
        "dkim.record.space", .warning,
        "White space inside p= is allowed, but some verifiers cannot read such a key.")
    static let keyWeak = DiagnosisKind(
        "dkim.key.weak", .error,
        "Keys below 1024 bits never count (RFC 8301, section 3.2).")
    static let keySmall = DiagnosisKind(
        "dkim.key.small", .warning,
        "Keys of 1024 bits can be broken with money; signers should use 2048 "
            + "(RFC 8301, section 3.2).")

    // MARK: DMARC

    static let dmarcMissing = DiagnosisKind(
        "dns.dmarc.missing", .warning,
        "Large receivers ask senders for a DMARC record, and without one nobody reports on mail "
            + "in the domain's name.")
    static let dmarcDoubledName = DiagnosisKind(
        "dns.dmarc.doubled-name", .error,
        "The record's name ends in the domain twice: in a zone file a name without a dot at its "
            + "end has the zone's name added. Receivers find nothing.")
    static let dmarcApex = DiagnosisKind(
        "dns.dmarc.apex", .error,
        "The record is at the domain itself; receivers look below _dmarc and find nothing.")
    static let dmarcMisplaced = DiagnosisKind(
        "dns.dmarc.misplaced", .error,
        "The record is below the host's name; receivers look at the domain in the From field.")
    static let dmarcSeveral = DiagnosisKind(
        "dns.dmarc.several", .error,
        "Of several DMARC records none counts (RFC 9989, section 4.10).")
    static let dmarcSyntax = DiagnosisKind(
        "dns.dmarc.syntax", .error,
        "Receivers cannot follow the record: it protects nothing.")
    static let dmarcTag = DiagnosisKind(
        "dns.dmarc.tag", .warning, "A tag that cannot be read counts as absent.")
    static let dmarcUnaligned = DiagnosisKind(
        "dns.dmarc.unaligned", .error,
        "The domain of the signatures is not aligned with that in the From field, so DMARC "
            + "does not pass by DKIM.")
    static let dmarcStrict = DiagnosisKind(
        "dns.dmarc.strict", .warning,
        "Bounces have the domain in the From field and the HELO name in the place of the reverse-path: with "
            + "aspf=s they are not aligned, and unsigned they fail DMARC (RFC 9989, section 4.4.2)."
    )
    static let dmarcPublicSuffix = DiagnosisKind(
        "dns.dmarc.psd", .error,
        "psd=y is for registries: names below the domain are then not aligned with each other.")
    static let dmarcUnauthorized = DiagnosisKind(
        "dns.dmarc.unauthorized", .warning,
        "Reports go to another domain only if that domain says that it wants them "
            + "(RFC 9990, section 4). These are not sent.")
    static let dmarcReportHost = DiagnosisKind(
        "dns.dmarc.report-host", .warning, "Reports to this address cannot be delivered.")
    static let dmarcNoReports = DiagnosisKind(
        "dns.dmarc.no-reports", .warning,
        "Without rua= there are no reports on which mail fails, so no policy can be made strict "
            + "with confidence.")
    static let dmarcObsolete = DiagnosisKind(
        "dns.dmarc.obsolete", .warning,
        "RFC 9989 has removed these: receivers pass over them (appendix C.5.2).")
    static let dmarcStray = DiagnosisKind(
        "dns.dmarc.stray", .warning,
        "Only DMARC records belong at this name; others make every answer larger.")

    /// In order of what hurts most.
    static let domainRanking: [DiagnosisKind] = [
        spfOwnAddress, recordMismatch, recordMissing, recordDoubledName, recordMisplaced,
        recordTruncated, recordSplit, recordQuoted, recordUnreadable, recordRevoked, recordHash,
        recordService, recordSubdomains, keyWeak, spfSeveral, spfSplit, spfSyntax, spfTarget,
        spfLookups, spfVoids, spfMissing, spfPermitsAll, dmarcUnaligned, dmarcSeveral, dmarcSyntax,
        dmarcDoubledName, dmarcApex, dmarcMisplaced, dmarcPublicSuffix, recordSeveral,
        recordTesting, recordSpace, spfHELO, dmarcMissing, keySmall, dmarcTag, dmarcStrict,
        dmarcUnauthorized,
        dmarcReportHost, dmarcNoReports, spfOpenEnd, spfAfterAll, spfPTR, spfLength, spfRedundant,
        dmarcObsolete,
        dmarcStray, spfSenderID,
    ]

    /// In order of what hurts most.
    static let signingRanking: [DiagnosisKind] = [keyUnusable, domainUnsigned]
}

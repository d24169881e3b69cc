/// Faults of Postfix's configuration, of our own, and of neighbours.
extension DiagnosisKind {
    // MARK: Parameters

    static let postfixSyntax = DiagnosisKind(
        "postfix.syntax", .error, "Postfix does not start, or passes over the line.")
    static let postfixUnreadable = DiagnosisKind(
        "postfix.unreadable", .error,
        "Postfix does not start or reload with it, and nothing that depends on it was looked at.")
    static let restrictionsTwice = DiagnosisKind(
        "postfix.restrictions.twice", .error,
        "Of two settings the last holds; the rules of the first are dropped without a warning.")
    static let parameterTwice = DiagnosisKind(
        "postfix.parameter.twice", .warning,
        "Of two settings the last holds; a change of the first has no effect.")
    static let relayOpen = DiagnosisKind(
        "postfix.relay.open", .error,
        "Strangers can send mail to strangers through this host; it will be on every block list "
            + "within days.")

    // MARK: Milters

    static let milterAbsent = DiagnosisKind(
        "postfix.milter.absent", .error,
        "The signer is configured, and no mail reaches it: nothing is signed.")
    static let milterUnused = DiagnosisKind(
        "postfix.milter.unused", .warning,
        "No mail passes the filter: header fields of users' mail are not cleaned, or incoming mail is not "
            + "judged.")
    static let milterOverridden = DiagnosisKind(
        "postfix.milter.overridden", .error,
        "An option in master.cf replaces the whole list of main.cf for this service: its mail "
            + "bypasses the filter.")
    static let milterUnreachable = DiagnosisKind(
        "postfix.milter.unreachable", .error,
        "Nothing listens there: mail is deferred, or passes unfiltered, depending on "
            + "milter_default_action.")
    static let milterChroot = DiagnosisKind(
        "postfix.milter.chroot", .error,
        "The service runs with the queue directory as its root, and looks for the path below it: "
            + "it does not find the socket.")
    static let milterPermission = DiagnosisKind(
        "postfix.milter.permission", .error,
        "Postfix connects as its own user, who must be able to write to the socket and pass "
            + "through its directories.")
    static let milterOrder = DiagnosisKind(
        "postfix.milter.order", .error,
        "Milters see what those before them have done: what is changed after signing breaks the "
            + "signature, and results that are added before a verifier are removed as forged.")
    static let milterNonSMTPD = DiagnosisKind(
        "postfix.milter.non-smtpd", .warning,
        "Mail from programs on this host (cron, web applications, sendmail) is not signed.")
    static let milterNonSMTPDVerifier = DiagnosisKind(
        "postfix.milter.non-smtpd-verifier", .warning,
        "Mail from this host itself has no client that could pass SPF: it fails DMARC.")
    static let milterTwice = DiagnosisKind(
        "postfix.milter.twice", .warning, "Every message passes the filter twice.")
    static let milterActionReject = DiagnosisKind(
        "postfix.milter.default-reject", .error,
        "While a filter is away, mail is refused for good instead of put off.")
    static let milterActionAccept = DiagnosisKind(
        "postfix.milter.default-accept", .warning,
        "While a filter is away, mail leaves unsigned and forgeries come in.")
    static let milterActionQuarantine = DiagnosisKind(
        "postfix.milter.default-quarantine", .warning,
        "While a filter is away, mail waits in the hold queue until somebody releases it.")
    static let milterProtocol = DiagnosisKind(
        "postfix.milter.protocol", .warning,
        "Old versions do not say where white space stands after a field's colon: signatures with "
            + "simple header canonicalization fail.")
    static let milterMaps = DiagnosisKind(
        "postfix.milter.maps", .warning, "Mail of these clients passes no filter.")
    static let milterTimeout = DiagnosisKind(
        "postfix.milter.timeout", .warning,
        "A filter that waits for the DNS is given up before its answer comes.")
    static let secondSigner = DiagnosisKind(
        "postfix.signer.second", .warning,
        "Mail is signed twice, and a key that is no longer maintained stays in use.")
    static let resultsSharedName = DiagnosisKind(
        "postfix.results.shared-name", .warning,
        "Two filters write Authentication-Results under one name; each removes the other's as "
            + "forged, or readers cannot tell which filter wrote which.")
    static let resultsRemoved = DiagnosisKind(
        "postfix.results.removed", .warning,
        "The milters remove the field as a forgery of their name, so the result is lost.")

    // MARK: Policy services

    static let policyAbsent = DiagnosisKind(
        "postfix.policy.absent", .warning, "SPF is not checked before mail is accepted.")
    static let policyUnreachable = DiagnosisKind(
        "postfix.policy.unreachable", .error,
        "Postfix answers 451 to every recipient while the policy service cannot be reached.")
    static let policyOrder = DiagnosisKind(
        "postfix.policy.order", .error,
        "The domain's own users are checked like strangers, and their mail is refused.")

    // MARK: After signing

    static let signingContentFilter = DiagnosisKind(
        "postfix.signing.content-filter", .warning,
        "Mail is signed before the content filter sees it: what that changes breaks the "
            + "signature.")
    static let signingGenericMaps = DiagnosisKind(
        "postfix.signing.generic-maps", .warning,
        "Addresses are rewritten on delivery, after signing: signatures over From and To break.")
    static let signingHeaderChecks = DiagnosisKind(
        "postfix.signing.smtp-header-checks", .warning,
        "Header fields are changed on delivery, after signing: signatures over them break.")
    static let signingMilterHeaderChecks = DiagnosisKind(
        "postfix.signing.milter-header-checks", .error,
        "The fields that filters add are taken out again.")
    static let signingLineLength = DiagnosisKind(
        "postfix.signing.line-length", .warning,
        "Longer lines are folded on delivery, after signing: signatures break.")
    static let signingEightBit = DiagnosisKind(
        "postfix.signing.8bit", .warning,
        "Mail with 8-bit text is converted on delivery, after signing: signatures break.")
    static let headerChecksReceived = DiagnosisKind(
        "postfix.header-checks.received", .warning,
        "The rule holds for incoming mail too: its trace is lost, and mail that loops is not "
            + "noticed. signet-scrub removes them from users' mail alone.")

    // MARK: Domains

    static let receivingUnsigned = DiagnosisKind(
        "postfix.domain.unsigned", .warning,
        "The domain receives mail here and nothing signs for it: answers of its users leave "
            + "without a signature.")
    static let nameLoopback = DiagnosisKind(
        "host.name.loopback", .warning,
        "Programs on this host that look its name up get an address that nobody else can reach.")
    static let resolverPublic = DiagnosisKind(
        "host.resolver.public", .warning,
        "Block lists do not answer public resolvers, or answer that everything is listed.")

    // MARK: Ours

    static let configurationInvalid = DiagnosisKind(
        "signet.configuration", .error, "The daemon does not start, or does not reload.")
    static let shadow = DiagnosisKind(
        "signet.shadow", .warning,
        "The daemon does nothing to mail: it compares what another filter does with what it would do."
    )
    static let keyMode = DiagnosisKind(
        "dkim.key.mode", .error,
        "Anyone who can read the key can sign in the domain's name; the signer refuses it.")
    static let keyOwner = DiagnosisKind(
        "dkim.key.owner", .error, "The signer cannot read the key, so mail is not signed.")
    static let storeDirectory = DiagnosisKind(
        "signet.store.directory", .warning,
        "Evaluations cannot be stored, so no aggregate reports are made.")

    // MARK: The running host

    static let unitFailed = DiagnosisKind(
        "signet.unit.failed", .error,
        "The daemon is not running, and systemd does not start it again: mail is deferred or passes "
            + "unfiltered, depending on milter_default_action.")
    static let unitInactive = DiagnosisKind(
        "signet.unit.inactive", .error,
        "Nothing listens on the socket for Postfix, and nothing will after a reboot.")
    static let unitErrors = DiagnosisKind(
        "signet.unit.errors", .warning,
        "What a daemon logs as an error is work that it could not do.")
    static let diskFull = DiagnosisKind(
        "host.disk.full", .error,
        "Postfix takes no mail while less than one and a half times message_size_limit is free.")
    static let diskLow = DiagnosisKind(
        "host.disk.low", .warning,
        "Without room nothing is queued, counted for reports, or logged.")
    static let clockFree = DiagnosisKind(
        "host.clock.free", .warning,
        "Signatures carry the time. With a clock that is ahead, receivers take ours to be of the "
            + "future, and those of others, DNSSEC's too, seem to have expired.")
    static let dmarcMailbox = DiagnosisKind(
        "dns.dmarc.mailbox", .warning,
        "DMARC reports that others send to it are refused.")

    // MARK: Reports of others

    static let aliasTwice = DiagnosisKind(
        "host.aliases.twice", .warning,
        "Of two lines for one name only the first counts: mail goes where the other does not say.")
    static let importStopped = DiagnosisKind(
        "signet.import.stopped", .warning,
        "Reports of others are delivered, and nothing reads them: \"signet report\" does not know "
            + "them.")
    static let importWaiting = DiagnosisKind(
        "signet.import.waiting", .warning,
        "Reports of others are not taken as they come: the import fails, or was not started.")
    static let importName = DiagnosisKind(
        "signet.import.authserv-id", .warning,
        "No report counts: each is kept aside as one whose sender is not known.")

    // MARK: Neighbours

    static let peerInPlace = DiagnosisKind(
        "peer.in-place", .warning,
        "Another program still does the work: what is configured in /etc/signet has no effect on "
            + "mail.")
    static let peerEnabled = DiagnosisKind(
        "peer.enabled", .warning,
        "It starts with the host and does the work a second time, or holds a port and a key.")
    static let peerDefaultIgnored = DiagnosisKind(
        "peer.default-ignored", .warning,
        "Its systemd unit does not read this file: what is written there has no effect.")
    static let dovecotXCLIENT = DiagnosisKind(
        "dovecot.submission.xclient", .error,
        "Dovecot sends XCLIENT and Postfix refuses it: users cannot send mail.")
    static let trustSpamAssassin = DiagnosisKind(
        "trust.spamassassin", .warning,
        "SpamAssassin passes over our results, as it would over forged ones.")
    static let trustSieve = DiagnosisKind(
        "trust.sieve", .warning,
        "The script waits for a name that no filter here writes: it matches nothing, or a "
            + "forgery.")
    static let watchCrowdSec = DiagnosisKind(
        "watch.crowdsec", .warning, "CrowdSec has our parser and does not read our log lines.")
    static let watchFail2ban = DiagnosisKind(
        "watch.fail2ban", .warning, "fail2ban has our filter and no jail that uses it.")

    /// In order of what hurts most.
    static let postfixRanking: [DiagnosisKind] = [
        relayOpen, postfixUnreadable, postfixSyntax, diskFull, unitFailed, unitInactive,
        policyUnreachable,
        milterUnreachable, milterChroot,
        milterPermission, dovecotXCLIENT, milterActionReject, policyOrder, configurationInvalid,
        keyOwner, keyMode, milterAbsent, milterOverridden, restrictionsTwice, milterOrder,
        signingMilterHeaderChecks,
    ]

    /// In order of what hurts most.
    static let localWarningRanking: [DiagnosisKind] = [
        shadow, unitErrors, diskLow, clockFree, peerInPlace, receivingUnsigned, milterUnused,
        milterActionAccept,
        milterNonSMTPD, milterNonSMTPDVerifier,
        signingContentFilter, signingGenericMaps, signingHeaderChecks, headerChecksReceived,
        signingLineLength, signingEightBit, milterProtocol, secondSigner, resultsSharedName,
        resultsRemoved, milterMaps, milterTimeout, milterTwice, milterActionQuarantine,
        parameterTwice, policyAbsent, peerEnabled, peerDefaultIgnored, storeDirectory,
        dmarcMailbox, aliasTwice, importStopped, importName, importWaiting,
        trustSpamAssassin, trustSieve, resolverPublic, nameLoopback, watchCrowdSec, watchFail2ban,
    ]
}

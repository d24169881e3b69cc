import ArgumentParser
import KeyRotation
import MailSyntax

/// `signet key retire`: ends the use of a key in order.
struct KeyRetire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Ends the use of a key beside which another signs.",
        discussion: """
            It signs no more; its record stays for mail that is under way, and goes with a later run of signet key rotate.
            """)

    @OptionGroup var options: RotationOptions

    @Argument(help: "The domain.")
    var domain: String

    @Argument(help: "The key's selector.")
    var selector: String

    func run() throws {
        try KeyEnding(domain, selector).run(options) {
            session, domain, selector throws(RotationFailure) in
            try session.rotator(for: domain).retire(selector, of: domain)
        }
    }
}

/// `signet key revoke`: ends the use of a compromised key at once.
struct KeyRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Ends the use of a compromised key at once.",
        discussion: """
            It signs no more, its record is emptied (p=) and its private key destroyed; mail that it signed no longer verifies. \
            Where no other key of its type signs, a new one is made, and mail is not signed by one of that type until the DNS \
            shows it.
            """)

    @OptionGroup var options: RotationOptions

    @Argument(help: "The domain.")
    var domain: String

    @Argument(help: "The key's selector.")
    var selector: String

    func run() throws {
        try KeyEnding(domain, selector).run(options) {
            session, domain, selector throws(RotationFailure) in
            try session.rotator(for: domain).revoke(selector, of: domain)
        }
    }
}

/// The key that a command ends.
private struct KeyEnding {
    private let domain: DomainName
    private let selector: DomainName

    init(_ domain: String, _ selector: String) throws {
        self.domain = try DomainArgument.parse(domain)
        try DomainArgument.checkSelector(selector, of: self.domain)
        self.selector = try DomainName(selector)
    }

    func run(
        _ options: RotationOptions,
        _ work: (RotationSession, DomainName, DomainName) throws(RotationFailure) -> DomainRotation
    ) throws {
        let session = try options.session()
        try session.lease?.require()
        var outcome = RotationOutcome(session.tree)
        outcome.take(domain) { () throws(RotationFailure) in
            try work(session, domain, selector)
        }
        try session.synchronize()
        try outcome.finish()
    }
}

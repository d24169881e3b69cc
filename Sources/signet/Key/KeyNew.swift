import ArgumentParser
import MailCrypto
import MailSyntax

/// `signet key new`: makes keys, and the records that publish them.
struct KeyNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Makes a key or a pair of keys.",
        discussion: """
            Writes SELECTOR.private (the key, mode 0600), SELECTOR.txt (the record for a zone file) and SELECTOR.dns (the \
            record's value on one line, for a provider's form). With --type both there are two keys: SELECTOR is RSA, \
            SELECTOR-ed25519 the other, and both sign. The options of opendkim-genkey have the same meaning here.
            """,
        // -h is opendkim-genkey's for hash algorithms.
        helpNames: .long)

    /// The kinds of keys that can be made.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case rsa, ed25519, both
    }

    @Option(name: .shortAndLong, help: "The selector, a label that names the key.")
    var selector: String

    @Option(name: .shortAndLong, help: "The domain that the key signs for.")
    var domain: String

    @Option(help: "rsa, ed25519 or both.")
    var type: Kind = .rsa

    @Option(name: .shortAndLong, help: "The size of an RSA key, 1024 to 8192.")
    var bits: Int = 2048

    @Option(
        name: [.customShort("h"), .customLong("hash-algorithms")],
        help: "The hash algorithms of the record: sha256, the only one that verifiers accept.")
    var hashAlgorithms: String = "sha256"

    @Flag(name: .shortAndLong, help: "Restrict the key to mail (s=email).")
    var restrict = false

    @Flag(
        name: .shortAndLong,
        help: "Mark the key as a test (t=y): verifiers treat signed mail as unsigned.")
    var testing = false

    @Flag(
        name: [.customShort("S"), .customLong("no-subdomains")],
        help: "Allow no identity in a subdomain (t=s).")
    var withoutSubdomains = false

    @Option(
        name: [.customShort("D"), .customLong("directory")],
        help: "Where to write; made if it is missing. The current directory by default.")
    var directory: String = "."

    func validate() throws {
        guard (1024...8192).contains(bits) else {
            throw ValidationError("--bits \(bits): an RSA key has 1024 to 8192 bits")
        }
        let hashes = hashAlgorithms.split(separator: ":").map { $0.lowercased() }
        guard hashes == ["sha256"] || hashes == ["*"] else {
            throw ValidationError(
                "-h \(hashAlgorithms): only sha256 can be used (RFC 8301, section 3.1)")
        }
    }

    /// The tags that restrict the record (RFC 6376, section 3.6.1).
    private var restrictions: String {
        let flags = [testing ? "y" : nil, withoutSubdomains ? "s" : nil].compactMap(\.self)
        return (restrict ? "s=email; " : "")
            + (flags.isEmpty ? "" : "t=\(flags.joined(separator: ":")); ")
    }

    func run() throws {
        let domain = try DomainArgument.parse(domain)
        let rsa = { try PrivateKey.generateRSA(bits: bits) }
        let ed25519 = { try PrivateKey.generateEd25519() }
        let plan: [(selector: String, make: () throws -> PrivateKey)] =
            switch type {
            case .rsa: [(selector, rsa)]
            case .ed25519: [(selector, ed25519)]
            case .both: [(selector, rsa), ("\(selector)-ed25519", ed25519)]
            }
        for (selector, _) in plan { try DomainArgument.checkSelector(selector, of: domain) }
        let folder = try KeyFolder(directory, selectors: plan.map(\.selector))
        for (selector, make) in plan {
            let key = try make()
            let record = KeyRecordText(
                key: key.publicKey, selector: selector, domain: domain,
                restrictions: restrictions)
            try folder.write(selector: selector, key: key, record: record)
            print("\(folder.path(selector, "private")): \(key.algorithm.plainName)")
            print("\(folder.path(selector, "txt")): the record for a zone file")
            print("\(folder.path(selector, "dns")): the record's value for a provider's form")
            print("publish at \(selector)._domainkey.\(domain.ascii) (TXT):")
            print("  \(record.line)")
        }
        print("next: publish, then see whether it has arrived:")
        for (selector, _) in plan {
            print(
                "  signet key check -d \(domain.ascii) -s \(selector) "
                    + folder.path(selector, "private"))
        }
    }
}

internal import Foundation

/// An RSA and an Ed25519 key of one domain, made by `signet key new`.
public struct SigningKeys: Sendable {
    /// The domain that signs.
    public let domain: String
    /// The selector of the RSA key; the other's is followed by `-ed25519`.
    public let selector: String
    /// Where the files are.
    public let directory: TemporaryDirectory
    /// The TXT records that publish the keys, by their full names.
    public let records: [String: String]

    /// Makes both keys; `owner` is the user that the daemon runs as.
    public init(
        domain: String = "example.org", selector: String = "mail", owner: String = "root"
    ) throws {
        self.domain = domain
        self.selector = selector
        directory = try TemporaryDirectory("signet-keys")
        try Command.require(
            try DaemonProcess.path(of: "signet"),
            [
                "key", "new", "--type", "both", "-s", selector, "-d", domain, "-D", directory.path,
            ])
        var records: [String: String] = [:]
        for name in [selector, "\(selector)-ed25519"] {
            let text = try String(contentsOfFile: directory.file("\(name).dns"), encoding: .utf8)
            try FileManager.default.setAttributes(
                [.ownerAccountName: owner], ofItemAtPath: directory.file("\(name).private"))
            records["\(name)._domainkey.\(domain)"] = text.trimmingCharacters(in: .newlines)
        }
        self.records = records
    }

    /// The lines of a signet-dkim configuration that sign with both keys.
    public var directives: String {
        """
        Domain \(domain)
        Selector \(selector)
        KeyFile \(directory.file("\(selector).private"))
        SelectorEd25519 \(selector)-ed25519
        KeyFileEd25519 \(directory.file("\(selector)-ed25519.private"))

        """
    }

    /// What a peer says when it finds a good signature of each key and no other.
    public var goodVerdicts: Set<DKIMPeerVerdict> {
        [
            DKIMPeerVerdict(domain: domain, selector: selector, algorithm: "rsa-sha256"),
            DKIMPeerVerdict(
                domain: domain, selector: "\(selector)-ed25519", algorithm: "ed25519-sha256"),
        ]
    }

    /// The records as lines of a zone's master file, with full names.
    public var zone: String {
        records.sorted { $0.key < $1.key }.map { name, text in
            // RFC 1035, section 3.3: a character string holds at most 255 octets.
            let strings = stride(from: 0, to: text.count, by: 255)
                .map { "\"\(text.dropFirst($0).prefix(255))\"" }
            return "\(name). IN TXT \(strings.joined(separator: " "))\n"
        }.joined()
    }
}

internal import MailAuth
internal import MailCrypto
internal import MailSyntax
internal import TestKit

/// The keys of example.org, in files and in the DNS.
struct Keys {
    /// The RSA key of 2048 bits, under the selector "rsa".
    let rsa: SigningKey
    /// The Ed25519 key, under the selector "ed25519".
    let ed25519: SigningKey
    /// Where the private keys are, SELECTOR.private.
    let directory: TemporaryDirectory
    /// The RSA key's record: name and text.
    let record: (name: String, text: String)

    /// Makes them.
    init() throws {
        let domain = try DomainName("example.org")
        rsa = SigningKey(
            domain: domain, selector: try DomainName("rsa"), key: try .generateRSA(bits: 2048))
        ed25519 = SigningKey(
            domain: domain, selector: try DomainName("ed25519"), key: try .generateEd25519())
        directory = try TemporaryDirectory("signet-benchmark")
        for key in [rsa, ed25519] {
            let pem = key.key.withPEM { text in text.indices.map { text[$0] } }
            try directory.write(pem, to: "\(key.selector).private", mode: 0o600)
        }
        let octets = Base64.encode(rsa.key.publicKey.recordOctets)
        record = ("rsa._domainkey.example.org", "v=DKIM1; k=rsa; p=\(octets)")
    }

    /// The record in a zone's master file.
    var zone: String {
        // RFC 1035, section 3.3: a character string holds at most 255 octets.
        let strings = stride(from: 0, to: record.text.count, by: 255)
            .map { "\"\(record.text.dropFirst($0).prefix(255))\"" }
        return "\(record.name). IN TXT \(strings.joined(separator: " "))\n"
    }

    /// The lines of a configuration that sign with one of them, in both programs' language.
    func directives(_ key: SigningKey) -> String {
        """
        Domain example.org
        Selector \(key.selector)
        KeyFile \(directory.file("\(key.selector).private"))
        Canonicalization relaxed/simple
        OversignHeaders From

        """
    }
}

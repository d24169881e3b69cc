import MailCrypto
import MailDNS
import MailSyntax
import Testing

@testable import signet_dkim

/// What the metrics say of the record of a key.
struct KeyWatchTests {
    @Test func states() throws {
        let keys = try Keys.shared.get()
        let octets = keys.rsa.publicKey.recordOctets
        let key = WatchedKey(
            domain: try DomainName("example.org"), selector: try DomainName("mail"),
            publicKey: octets, file: nil)
        func text(_ text: String) -> DNSAnswer {
            let octets = Array(text.utf8)
            return .records(
                [.text([Array(octets.prefix(9)), Array(octets.dropFirst(9))])], .insecure)
        }
        let published = Base64.encode(octets)
        // RFC 6376, section 3.6.1: "an ASN.1 DER-encoded RSAPublicKey", which a header of 24 octets precedes elsewhere.
        let bare = Base64.encode(Array(octets.dropFirst(24)))
        let other = Base64.encode(keys.ed25519.publicKey.recordOctets)
        for (record, state) in [
            ("v=DKIM1; k=rsa; p=\(published.prefix(9)) \(published.dropFirst(9))", .published),
            ("v=DKIM1; p = \(published); t=s", .published),
            ("v=DKIM1; k=rsa; p=\(bare)", .published),
            ("v=DKIM1; k=ed25519; p=\(other)", .different),
            ("v=DKIM1; k=rsa; p=!", .different), ("v=DKIM2; p=\(published)", .different),
            ("v=DKIM1; k=rsa; p=", .revoked), ("v=DKIM1; k=rsa", .absent),
        ] as [(String, KeyWatch.State)] {
            #expect(KeyWatch.state(of: key, text(record)) == state, "\(record)")
        }
        #expect(KeyWatch.state(of: key, .nameError(.insecure)) == .absent)
        #expect(KeyWatch.state(of: key, .noData(.secure)) == .absent)
        #expect(KeyWatch.state(of: key, .failure(.timeout)) == .unknown)
        let unusable = WatchedKey(
            domain: key.domain, selector: key.selector, publicKey: [], file: nil)
        #expect(KeyWatch.state(of: unusable, text("v=DKIM1; p=\(published)")) == .unusable)
    }
}

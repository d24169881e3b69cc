import MailDNS
import MailSyntax
import Testing

@testable import signet_dkim

/// What the metrics say of the record of a key.
struct KeyWatchTests {
    @Test func states() throws {
        let key = WatchedKey(
            domain: try DomainName("example.org"), selector: try DomainName("mail"),
            publicKey: [1, 2, 3, 4], file: nil)
        func text(_ text: String) -> DNSAnswer {
            let octets = Array(text.utf8)
            return .records(
                [.text([Array(octets.prefix(9)), Array(octets.dropFirst(9))])], .insecure)
        }
        #expect(KeyWatch.state(of: key, text("v=DKIM1; k=rsa; p=AQI DBA==")) == .published)
        #expect(KeyWatch.state(of: key, text("v=DKIM1; p = AQIDBA==; t=s")) == .published)
        #expect(KeyWatch.state(of: key, text("v=DKIM1; k=rsa; p=AQIDBQ==")) == .different)
        #expect(KeyWatch.state(of: key, text("v=DKIM1; k=rsa; p=")) == .revoked)
        #expect(KeyWatch.state(of: key, text("v=spf1 -all, nothing else")) == .absent)
        #expect(KeyWatch.state(of: key, .nameError(.insecure)) == .absent)
        #expect(KeyWatch.state(of: key, .noData(.secure)) == .absent)
        #expect(KeyWatch.state(of: key, .failure(.timeout)) == .unknown)
        let unusable = WatchedKey(
            domain: key.domain, selector: key.selector, publicKey: [], file: nil)
        #expect(KeyWatch.state(of: unusable, text("v=DKIM1; p=AQIDBA==")) == .unusable)
    }
}

import MailSyntax
import Testing

@Suite struct IPAddressTests {
    /// Text as read, and as written (RFC 5952, sections 4 and 5).
    static let canonical = [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::FFFF:c000:201", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("::1.2.3.4", "::102:304"), ("fe80::", "fe80::"),
    ]

    @Test(arguments: canonical)
    func readsAndWrites(text: String, written: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == written)
        #expect(IPAddress(written) == address)
        #expect(IPAddress(octets: address.octets) == address)
    }

    @Test(arguments: [
        "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.00", "1..2.3",
        ".1.2.3",
        "1.2.3.", "1.2.3.4 ", "+1.2.3.4", "0x1.2.3.4", "1.2.3.99999999999999999999",
        ":", ":::", ":1", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1::",
        "1::2::3",
        "12345::", "::g", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5",
        "::ffff:01.2.3.4", "1.2.3.4::", "::1.2.3.4.", "::\0", "١.2.3.4",
        "0000:0000:0000:0000:0000:ffff:255.255.255.2555",
    ])
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func refusesHostileLengths() {
        #expect(IPAddress(String(repeating: ":", count: 1_000_000)) == nil)
        #expect(IPAddress(String(repeating: "1", count: 1_000_000)) == nil)
    }

    @Test func seesThroughMapping() throws {
        #expect(IPAddress("::ffff:192.0.2.1")?.unmapped == IPAddress("192.0.2.1"))
        #expect(IPAddress("::192.0.2.1")?.unmapped == IPAddress("::c000:201"))
        for loopback in ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"] {
            #expect(IPAddress(loopback)?.isLoopback == true)
        }
        for other in ["128.0.0.1", "::2", "::", "::127.0.0.1"] {
            #expect(IPAddress(other)?.isLoopback == false)
        }
    }

    @Test func namesForTheDNS() {
        #expect(IPAddress("192.0.2.1")?.reverseName == "1.2.0.192.in-addr.arpa")
        #expect(
            IPAddress("2001:db8::567:89ab")?.reverseName
                == "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
    }
}

@Suite struct IPNetworkTests {
    static let membership: [(String, inside: [String], outside: [String])] = [
        (
            "192.0.2.0/24", ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"],
            ["192.0.3.0", "::c000:201"]
        ),
        ("0.0.0.0/0", ["1.2.3.4", "255.255.255.255", "::ffff:1.2.3.4"], ["::1"]),
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.2", "192.0.2.0"]),
        ("192.0.2.1/31", ["192.0.2.0", "192.0.2.1"], ["192.0.2.2"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:db8:ffff::"], ["2001:db9::", "192.0.2.1"]),
        ("::/0", ["::", "ffff::"], ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("[::1]", ["::1"], ["::2"]), ("[2001:db8::]/32", ["2001:db8::1"], ["::1"]),
        ("[2001:db8::/32]", ["2001:db8::1"], ["::1"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.9", "::ffff:192.0.2.9"], ["192.0.3.9", "::1"]),
    ]

    @Test(arguments: membership)
    func contains(_ row: (String, inside: [String], outside: [String])) throws {
        let network = try #require(IPNetwork(row.0))
        for text in row.inside { #expect(network.contains(try #require(IPAddress(text)))) }
        for text in row.outside { #expect(!network.contains(try #require(IPAddress(text)))) }
    }

    @Test func toleratesHostBitsAndRemembersThem() throws {
        let network = try #require(IPNetwork("192.0.2.77/24"))
        #expect(network.hadHostBits)
        #expect(network.description == "192.0.2.0/24")
        #expect(network == IPNetwork("192.0.2.0/24"))
        #expect(network.hashValue == IPNetwork("192.0.2.0/24")?.hashValue)
        #expect(IPNetwork("192.0.2.0/24")?.hadHostBits == false)
        #expect(IPNetwork("2001:db8::1/127")?.hadHostBits == true)
        #expect(IPNetwork("192.0.2.77")?.hadHostBits == false)
    }

    @Test(arguments: [
        "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/024",
        "192.0.2.0/24/", "::/129",
        "::/0128", "192.0.2.0/9999999999999999999", "[192.0.2.0", "192.0.2/24", "[[::1]]",
        "192.0.2.0/ 4",
    ])
    func refuses(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}

import MailDNS
import MailSyntax
import Testing

/// Records that anyone may publish, to make a checker work or break.
struct HostileRecord: CustomTestStringConvertible, Sendable {
    /// What it is.
    let testDescription: String
    /// The result's word in Received-SPF.
    let result: String
    /// The most questions that it may cause, those for the HELO name included.
    let mostQueries: Int
    private let records: [(name: String, text: String)]

    func zone() throws -> ZoneResolver {
        var zone = try World.resolver()
        for (name, text) in records {
            // Character strings of at most 255 octets (RFC 1035, section 3.3).
            var rest = Array(text.utf8)[...]
            var strings: [[UInt8]] = []
            while !rest.isEmpty {
                strings.append(Array(rest.prefix(255)))
                rest = rest.dropFirst(255)
            }
            zone.add(ZoneRecord(try DomainName(name), .txt, .text(strings)))
        }
        return zone
    }

    private init(
        _ description: String, _ result: String, atMost queries: Int,
        _ records: [(name: String, text: String)]
    ) {
        testDescription = description
        self.result = result
        mostQueries = queries
        self.records = records
    }

    /// The TXT question for the HELO name, and that for the sender's, over UDP and again over TCP.
    private static let own = 3

    static let all = [
        HostileRecord(
            "seven thousand terms, all that a DNS message holds", "Pass", atMost: own,
            [("hostile.example", "v=spf1" + String(repeating: " -ip6:::", count: 7_000) + " +all")]),
        HostileRecord(
            "thousands of lookups", "Permerror", atMost: own + 11,
            [("hostile.example", "v=spf1" + String(repeating: " mx:none.example", count: 3_000))]),
        HostileRecord(
            "includes ten wide and deep", "Permerror", atMost: own + 11,
            [("hostile.example", wide(0))]
                + (1...12).map { ("d\($0).hostile.example", wide($0)) }),
        HostileRecord(
            "a record that includes itself", "Permerror", atMost: own + 1,
            [("hostile.example", "v=spf1 include:hostile.example -all")]),
        HostileRecord(
            "redirects in a circle", "Permerror", atMost: own + 2,
            [
                ("hostile.example", "v=spf1 redirect=other.hostile.example"),
                ("other.hostile.example", "v=spf1 redirect=hostile.example"),
            ]),
        HostileRecord(
            "macros that grow", "Permerror", atMost: own + 4,
            [
                (
                    "hostile.example",
                    "v=spf1"
                        + String(
                            repeating: " exists:" + String(repeating: "%{S}%{l}%{o}", count: 80),
                            count: 20)
                )
            ]),
        HostileRecord(
            "64 KB of text", "Permerror", atMost: own,
            [("hostile.example", "v=spf1 " + String(repeating: "x", count: 60_000))]),
        HostileRecord(
            "two records", "Permerror", atMost: own,
            [("hostile.example", "v=spf1 +all"), ("hostile.example", "v=spf1 -all")]),
    ]

    private static func wide(_ depth: Int) -> String {
        "v=spf1" + String(repeating: " include:d\(depth + 1).hostile.example", count: 10) + " -all"
    }
}

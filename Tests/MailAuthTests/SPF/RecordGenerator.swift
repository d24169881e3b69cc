/// Makes SPF records that are right, nearly right and wrong, the same ones for the same seed.
struct RecordGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64: small, and the same everywhere.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

    /// A record; one in three has been damaged.
    mutating func record() -> String {
        var terms = (0..<below(6)).map { _ in term() }
        switch below(4) {
        case 0: break
        case 1: terms.append("redirect=" + String(domain(optional: false).dropFirst()))
        default: terms.append(pick(["-all", "~all", "?all", "all", "+all"]))
        }
        let text = (["v=spf1"] + terms).joined(separator: below(20) == 0 ? "  " : " ")
        return below(3) == 0 ? damaged(text) : text
    }

    private mutating func term() -> String {
        let qualifier = pick(["", "", "", "+", "-", "~", "?"])
        switch below(11) {
        case 0, 1: return qualifier + "ip4:\(address4())" + pick(["", "", "/24", "/32", "/7"])
        case 2: return qualifier + "ip6:\(address6())" + pick(["", "/64", "/128", "/33"])
        case 3: return qualifier + "a" + domain(optional: true) + lengths()
        case 4: return qualifier + "mx" + domain(optional: true) + lengths()
        case 5, 6: return qualifier + "include" + domain(optional: false)
        case 7: return qualifier + "exists" + domain(optional: false)
        case 8: return qualifier + "ptr" + domain(optional: true)
        case 9: return pick(["exp=exp.example.net", "x-note=a:b/c", "n="])
        default: return qualifier + pick(["a", "mx", "A", "MX"])
        }
    }

    private mutating func address4() -> String {
        pick(["192.0.2.1", "192.0.2.0", "198.51.100.7", "203.0.113.9", "10.0.0.0"])
    }

    private mutating func address6() -> String {
        pick(["2001:db8::1", "2001:db8::", "::", "2001:DB8:0:0:1::192.0.2.1", "fe80::1"])
    }

    private mutating func lengths() -> String {
        pick(["", "", "", "/24", "/32", "//64", "//128", "/24//64"])
    }

    private mutating func domain(optional: Bool) -> String {
        if optional, below(2) == 0 { return "" }
        return ":" + pick(DifferentialZone.names + macros)
    }

    private let macros = [
        "%{d}", "%{o}", "%{d1}.example.net", "%{h}", "%{ir}.%{v}.spf.example.net",
        "%{l}.user.example.net",
        "%{l1r-}.user.example.net", "%{lr-}.user.example.net", "%{i}.ok.example.net",
        "%{d1r}.example.net", "%{S}.x.example.net", "%{p}",
    ]

    /// One octet removed, doubled or replaced.
    private mutating func damaged(_ text: String) -> String {
        var octets = Array(text.utf8)
        let at = below(octets.count)
        switch below(3) {
        case 0: octets.remove(at: at)
        case 1: octets.insert(octets[at], at: at)
        default: octets[at] = UInt8(0x21 + below(0x5E))
        }
        return String(decoding: octets, as: UTF8.self)
    }
}

/// The zone in which generated records are evaluated.
enum DifferentialZone {
    static let names = [
        "a.example.net", "mx.example.net", "pass.example.net", "fail.example.net",
        "soft.example.net", "deep.example.net", "norecord.example.net", "nowhere.example.net",
        "bad.example.net", "two.example.net",
    ]

    /// Everything but the record under test, which is example.net's.
    static let records: [SPF2Process.Record] = [
        .init(name: "a.example.net", type: 1, data: "192.0.2.1"),
        .init(name: "a.example.net", type: 1, data: "198.51.100.7"),
        .init(name: "a.example.net", type: 28, data: "2001:db8::1"),
        .init(name: "example.net", type: 1, data: "192.0.2.77"),
        .init(name: "example.net", type: 28, data: "2001:db8::77"),
        .init(name: "example.net", type: 15, data: "mail.example.net"),
        .init(name: "mail.example.net", type: 1, data: "192.0.2.1"),
        .init(name: "mail.example.net", type: 28, data: "2001:db8:0:1::1"),
        .init(name: "mx.example.net", type: 15, data: "mail.example.net"),
        .init(name: "mx.example.net", type: 15, data: "a.example.net"),
        .init(
            name: "pass.example.net", type: 16,
            data: "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"),
        .init(name: "fail.example.net", type: 16, data: "v=spf1 -all"),
        .init(name: "soft.example.net", type: 16, data: "v=spf1 ip4:203.0.113.9 ~all"),
        .init(
            name: "deep.example.net", type: 16,
            data: "v=spf1 include:soft.example.net include:pass.example.net ?all"),
        .init(name: "norecord.example.net", type: 16, data: "nothing of the sort"),
        .init(name: "bad.example.net", type: 16, data: "v=spf1 moo -all"),
        .init(name: "two.example.net", type: 16, data: "v=spf1 -all"),
        .init(name: "two.example.net", type: 16, data: "v=spf1 +all"),
        .init(name: "1.2.0.192.in-addr.arpa", type: 12, data: "mail.example.net"),
        .init(name: "1.2.0.192.in-addr.spf.example.net", type: 1, data: "127.0.0.2"),
        .init(name: "strong-bad.user.example.net", type: 1, data: "127.0.0.2"),
        .init(name: "bad.strong.user.example.net", type: 1, data: "127.0.0.2"),
        .init(name: "192.0.2.1.ok.example.net", type: 1, data: "127.0.0.2"),
        .init(name: "helo.example.net", type: 1, data: "203.0.113.9"),
    ]
}

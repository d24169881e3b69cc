import MailAuth
import MailDNS
import MailSyntax
import Threads

func checkZone(_ input: [UInt8]) throws(BrokenPromise) {
    let text = String(decoding: input, as: UTF8.self)
    guard let origin = try? DomainName("example.org") else { return }
    do throws(ZoneError) {
        let zone = try ZoneResolver(parsing: text, origin: origin)
        for name in ["example.org", "mail.example.org", "a.b.example.org", "example.com"] {
            guard let name = try? DomainName(name) else { continue }
            for type in RecordType.allCases { _ = zone.answer(to: DNSQuestion(name, type)) }
        }
    } catch {
        let lines = text.utf8.count { $0 == 0x0A } + 1
        try promise("a mistake is on a line", 1...lines ~= error.line)
    }
}

func checkRecordData(_ input: [UInt8]) throws(BrokenPromise) {
    guard let first = input.first else { return }
    let type = RecordType.allCases[Int(first) % RecordType.allCases.count]
    let data = Array(input.dropFirst())
    guard let record = DNSRecord(type, data: data) else { return }
    switch record {
    case .address(let address): try promise("an address is its octets", address.octets == data)
    case .text(let strings):
        try promise(
            "strings are all the data", strings.reduce(0) { $0 + $1.count + 1 } == data.count)
    case .name(let name), .mx(_, let name), .srv(_, _, _, let name):
        let length = name.ascii.isEmpty ? 1 : name.ascii.utf8.count + 2
        let numbers = [RecordType.mx: 2, .srv: 6][type] ?? 0
        try promise("a name is all the data", length == data.count - numbers)
    }
}

/// A zone in which all that records may lead to is there, the record under test at many names.
private func zone(_ record: [UInt8], at names: [String]) -> ZoneResolver {
    var zone = ZoneResolver()
    let strings = stride(from: 0, to: record.count, by: 255).map {
        Array(record[$0..<min($0 + 255, record.count)])
    }
    for name in names {
        guard let owner = try? DomainName(name) else { continue }
        zone.add(ZoneRecord(owner, .txt, .text(strings)))
    }
    guard let host = try? DomainName("mail.example.org"),
        let client = IPAddress("192.0.2.1"), let other = IPAddress("2001:db8::1"),
        let reverse = try? DomainName(client.reverseName)
    else { return zone }
    for owner in ["example.org", "mail.example.org", "*.example.com"] {
        guard let owner = try? DomainName(owner) else { continue }
        zone.add(ZoneRecord(owner, .a, .address(client)))
        zone.add(ZoneRecord(owner, .aaaa, .address(other)))
        zone.add(ZoneRecord(owner, .mx, .mx(preference: 1, exchange: host)))
    }
    zone.add(ZoneRecord(reverse, .ptr, .name(host)))
    return zone
}

func checkSPF(_ input: [UInt8]) throws(BrokenPromise) {
    let parts = input.parts(atMost: 3)
    let record = parts[0]
    if let parsed = try? SPFRecord(parsing: record) {
        for directive in parsed.directives {
            try promise("a directive is written in the record", !parsed.text(of: directive).isEmpty)
        }
    }
    let sender = parts.count > 1 ? parts[1] : Array("ann@example.org".utf8)
    let helo = parts.count > 2 ? parts[2] : Array("mail.example.org".utf8)
    let evaluator = SPFEvaluator(
        resolver: zone(record, at: ["example.org", "mail.example.org", "*.example.net"]),
        time: TimeSource(now: { .now() }, seconds: { 1_700_000_000 }), receiver: "mx.example.net")
    for address in ["192.0.2.1", "2001:db8::2"] {
        guard let client = IPAddress(address) else { continue }
        let requests = [
            SPFRequest.mailFrom(sender, helo: helo, client: client),
            .mailFrom(Array("ann@example.org".utf8), helo: helo, client: client),
            .helo(helo, client: client, envelopeFrom: sender),
        ]
        for request in requests { try checkOutcome(evaluator.check(request), evaluator.limits) }
    }
}

private func checkOutcome(_ outcome: SPFOutcome, _ limits: SPFLimits) throws(BrokenPromise) {
    try promise("terms are limited", outcome.lookups <= limits.terms + 1)
    try promise("void look-ups are limited", outcome.voidLookups <= limits.voidLookups + 1)
    // A and AAAA for the names of an MX, and the record and explanation of each domain.
    try promise(
        "questions are limited",
        outcome.questions.count <= (limits.terms + 1) * (limits.names + 3))
    let field = ReceivedSPF(outcome, receiver: "mx.example.net")
    try promise("the field is made of lines", isFolded([0x20] + Array(field.folded.utf8)))
    for text in [field.unfolded, field.logText, outcome.explanation ?? ""] {
        try promise(
            "what is told is one line of text",
            text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
    _ = outcome.problem?.description
}

func checkDMARC(_ input: [UInt8]) throws(BrokenPromise) {
    let parts = input.parts(atMost: 2)
    _ = DMARCRecord(parsing: parts[0])
    let from = parts.count > 1 ? parts[1] : Array("ann@mail.example.org".utf8)
    let resolver = zone(
        parts[0], at: ["_dmarc.example.org", "_dmarc.mail.example.org", "*.example.org", "*.com"])
    let author = AuthorField(parsing: from.span)
    guard let domain = try? DomainName("bounces.example.org") else { return }
    let evaluation = DMARCDriver(DMARCEvaluator(author: author), resolver: resolver).finish(
        [.spf(.pass, domain: domain)].compactMap { $0 }, deadline: .distantFuture)
    try promise(
        "each domain is walked in few steps",
        evaluation.questions.count <= 8 * (author.domains.count + 1) + 8)
    if evaluation.result == .pass {
        try promise(
            "who passes is aligned", author.domains.contains { $0.ascii.hasSuffix("example.org") })
    }
}

func checkSuffixes(_ input: [UInt8]) throws(BrokenPromise) {
    let list = PublicSuffixList(parsing: input)
    for text in ["org", "example.org", "www.example.org", "a.b.c.d.example.co.uk"] {
        guard let name = try? DomainName(text),
            let organization = list.organizationalDomain(of: name)
        else { continue }
        try promise(
            "an organizational domain is a parent", name.isEqualOrSubdomain(of: organization))
        try promise(
            "an organizational domain has none but itself",
            list.organizationalDomain(of: organization) == organization)
    }
}

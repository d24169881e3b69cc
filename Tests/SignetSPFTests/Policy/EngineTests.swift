import Configuration
import MailDNS
import MailSyntax
import Testing

@testable import signet_spf

/// Messages with several recipients, stages, and who is not checked.
struct EngineTests {
    // MARK: A message and its recipients

    @Test func `a field is given once for a message`() throws {
        let desk = try Desk()
        #expect(desk.ask(from: "a@pass.example").hasPrefix("PREPEND Received-SPF: Pass"))
        #expect(desk.ask(from: "a@pass.example", to: "second@mx.example") == "DUNNO")
        #expect(desk.ask(from: "a@pass.example", stage: "DATA") == "DUNNO")
        let next = desk.ask(from: "a@pass.example", instance: "1.2.1")
        #expect(next.hasPrefix("PREPEND Received-SPF: Pass"))
    }

    @Test func `a refusal is repeated, from one check`() throws {
        let resolver = RecordingResolver(try World.resolver())
        let desk = try Desk("HELO_reject No_Check", resolver: resolver)
        let first = desk.ask(from: "a@fail.example")
        #expect(first.hasPrefix("550 5.7.23"))
        let asked = resolver.entries.count
        #expect(desk.ask(from: "a@fail.example", to: "second@mx.example") == first)
        #expect(resolver.entries.count == asked)
    }

    /// RFC 7208, section 2.6.6, leaves a "temperror" to the receiver; one that a sender brings about
    /// by keeping the resolver busy must not let a forgery in.
    @Test func `what could not be asked for want of room is put off`() throws {
        var resolver = try World.resolver()
        resolver.fail(
            try DomainName("busy.example"), .txt, with: .resolver("too many questions"))
        let desk = try Desk(resolver: resolver)
        #expect(desk.ask(from: "a@busy.example").hasPrefix("defer_if_permit 4.7.24 "))
        let never = try Desk("Mail_From_reject = False", resolver: resolver)
        #expect(never.ask(from: "a@busy.example").hasPrefix("PREPEND Received-SPF: Temperror"))
    }

    @Test func `an instance with other facts is another message`() throws {
        let desk = try Desk()
        _ = desk.ask(from: "a@pass.example")
        #expect(desk.ask(from: "a@fail.example").hasPrefix("550"))
        #expect(desk.ask(from: "a@pass.example", client: "198.51.100.1").hasPrefix("550"))
    }

    @Test func `questions without an instance stand alone`() throws {
        let desk = try Desk()
        for _ in 0..<2 {
            #expect(desk.ask(from: "a@pass.example", instance: "").hasPrefix("PREPEND"))
        }
    }

    @Test func `some messages are remembered, not all`() throws {
        let desk = try Desk()
        let instances = (0...ConnectionMemory.mostMessages).map { "7.\($0)" }
        for instance in instances {
            #expect(desk.ask(from: "a@pass.example", instance: instance).hasPrefix("PREPEND"))
        }
        #expect(desk.ask(from: "a@pass.example", instance: instances[1]) == "DUNNO")
        #expect(desk.ask(from: "a@pass.example", instance: instances[0]).hasPrefix("PREPEND"))
    }

    @Test func `both fields come in two answers`() throws {
        let desk = try Desk("Header_Type both\nAuthserv_Id mx.example")
        #expect(desk.ask(from: "a@pass.example").hasPrefix("PREPEND Received-SPF: Pass"))
        #expect(
            desk.ask(from: "a@pass.example").hasPrefix(
                "PREPEND Authentication-Results: mx.example; spf=pass"))
        #expect(desk.ask(from: "a@pass.example") == "DUNNO")
    }

    // MARK: Stages

    @Test(arguments: [
        ("HELO", "fail.example", "550 5.7.23"), ("EHLO", "pass.example", "DUNNO"),
        ("CONNECT", "fail.example", "DUNNO"), ("VRFY", "fail.example", "DUNNO"),
        ("ETRN", "fail.example", "DUNNO"), ("MAIL", "none.example", "PREPEND"),
        ("END-OF-MESSAGE", "none.example", "DUNNO"), ("END-OF-MESSAGE", "fail.example", "550"),
        ("SOMETHING", "fail.example", "DUNNO"), ("", "fail.example", "550"),
    ])
    func `each stage has what can be done there`(
        _ stage: String, _ helo: String, _ answer: String
    ) throws {
        let sender = stage == "HELO" || stage == "EHLO" ? "" : "a@none.example"
        let given = try Desk().ask(helo: helo, from: sender, stage: stage)
        #expect(given.hasPrefix(answer), "\(given)")
    }

    /// RFC 7208, section 9.1; RFC 6532, section 3.2: quoted strings may have UTF-8.
    @Test func `senders in UTF-8 can be read again`() throws {
        // RFC 6532, section 3.2: UTF-8 in quoted strings.
        let desk = try Desk()
        let answer = desk.ask(from: "j\u{F6}rg@pass.example")
        #expect(answer.contains("envelope-from=\"j\u{F6}rg@pass.example\""), "\(answer)")
        #expect(desk.log.contains { $0.contains("j\u{F6}rg@pass.example") })
        let local = desk.ask(from: "j\u{F6}rg@b\u{FC}cher.example", client: "::1", instance: "2")
        #expect(local.contains("envelope-from=j\u{F6}rg@b\u{FC}cher.example"), "\(local)")
        // What nobody sees is none of it.
        let odd = desk.ask(from: "a\u{202E}b\u{85}@pass.example", instance: "3")
        #expect(odd.contains("envelope-from=\"a?b?@pass.example\""), "\(odd)")
    }

    @Test func `what differs from the peer, and what a policy service cannot do, is told`() {
        // RFC 7208, section 8.2.
        for text in ["HELO_reject SPF_Not_Pass", "Reject_Not_Pass_Domains a.example"] {
            #expect(read(text).problems.map(\.severity) == [.warning], "\(text)")
        }
        #expect(
            read("Header_Type AR").problems.first?.description.contains("cannot remove") == true)
    }

    // MARK: Who is not checked

    @Test(arguments: ["sasl_username", "sasl_method", "ccert_subject", "ccert_issuer"])
    func `authenticated clients are passed over, unless told otherwise`(_ proof: String) throws {
        #expect(try Desk().ask(from: "a@fail.example", [proof: "x"]) == "DUNNO")
        // RFC 8601, section 5: a field of our name that is in the message must not be the topmost.
        let told = try Desk("Header_Type AR\nAuthserv_Id mx.example")
        #expect(
            told.ask(from: "a@fail.example", [proof: "x"])
                == "PREPEND Authentication-Results: mx.example; spf=none "
                + "(SPF skipped for authenticated client) smtp.mailfrom=fail.example")
        #expect(told.ask(from: "a@fail.example", [proof: "x"]) == "DUNNO")
        let checked = try Desk("IgnoreAuthenticatedClients no")
        #expect(checked.ask(from: "a@fail.example", [proof: "x"]).hasPrefix("550"))
        let prospective = try Desk("Prospective 192.0.2.1")
        #expect(prospective.ask(from: "a@fail.example", [proof: "x"]).hasPrefix("550"))
    }

    @Test(
        arguments: [
            ("", "127.0.0.1", "SPF check N/A for local connections"),
            ("", "::1", "SPF check N/A for local connections"),
            ("", "::ffff:127.0.0.9", "SPF check N/A for local connections"),
            ("skip_addresses 10.0.0.0/8", "127.0.0.1", nil),
            ("skip_addresses 10.0.0.0/8", "10.9.9.9", "SPF check N/A for local connections"),
            ("skip_addresses None", "127.0.0.1", nil),
            ("InternalHosts 203.0.113.0/24", "203.0.113.1", "SPF check N/A for local connections"),
            ("InternalHosts 203.0.113.0/24", "127.0.0.1", "SPF check N/A for local connections"),
            ("Whitelist = 192.168.0.0/31,192.168.1.0/30", "192.168.1.3", "whitelisted relay"),
            ("Whitelist = 192.168.0.0/31,192.168.1.0/30", "192.168.1.4", nil),
            ("HELO_Whitelist relay.example", "203.0.113.5", "whitelisted HELO domain"),
            ("HELO_Whitelist relay.example", "2001:db8::5", "whitelisted HELO domain"),
            ("HELO_Whitelist relay.example", "203.0.113.6", nil),
            ("HELO_Whitelist other.example", "203.0.113.5", nil),
            ("Domain_Whitelist pobox.example,forwarder.example", "203.0.113.5", "relay domain"),
            ("Domain_Whitelist forwarder.example", "192.0.2.1", nil),
            ("Domain_Whitelist_PTR hosts.example", "203.0.113.6", "PTR whitelisted"),
            ("Domain_Whitelist_PTR out.hosts.example", "203.0.113.6", "PTR whitelisted"),
            // The name does not lead back: anyone can name his address so.
            ("Domain_Whitelist_PTR hosts.example", "203.0.113.7", nil),
            // "evilhosts.example" ends in the text, and is another domain.
            ("Domain_Whitelist_PTR hosts.example", "203.0.113.8", nil),
            ("Domain_Whitelist_PTR hosts.example", "203.0.113.9", nil),
        ] as [(String, String, String?)])
    func `exempt clients get a trace field, others a check`(
        _ settings: String, _ client: String, _ trace: String?
    ) throws {
        let desk = try Desk(settings)
        let answer = desk.ask(helo: "relay.example", from: "a@fail.example", client: client)
        if let trace {
            #expect(answer.hasPrefix("PREPEND X-Comment: "))
            #expect(answer.contains(trace))
            #expect(
                desk.ask(helo: "relay.example", from: "a@fail.example", client: client) == "DUNNO")
        } else {
            #expect(answer.hasPrefix("550 5.7.23"), "\(answer)")
        }
    }

    @Test func `no trace where no field is wanted`() throws {
        let desk = try Desk("Header_Type None")
        #expect(desk.ask(client: "127.0.0.1") == "DUNNO")
    }

    @Test(arguments: ["", "unknown", "not-an-address", "192.0.2.1 ", "192.0.2.999", "fe80::1%eth0"])
    func `without a client address nothing is checked`(_ address: String) throws {
        #expect(try Desk().ask(from: "a@fail.example", client: address) == "DUNNO")
    }

    @Test func `without names nothing is checked`() throws {
        #expect(try Desk().ask(helo: "", from: "") == "DUNNO")
    }

    // MARK: Texts

    @Test(arguments: [
        "\"a\r\nb\"@none.example", "a\u{0}b@none.example", "é@none.example", "@",
        "a@b@none.example",
        String(repeating: "x", count: 4_000) + "@none.example", "a@[192.0.2.1]",
        "%{i}@none.example",
        "(((@none.example", "\\\"@none.example",
    ])
    func `nothing that a client says breaks the line`(_ text: String) throws {
        for type in ["SPF", "AR"] {
            let desk = try Desk("Header_Type \(type)\nMail_From_reject SPF_Not_Pass")
            for client in ["192.0.2.1", "127.0.0.1"] {
                let answer = desk.ask(helo: text, from: text, client: client, instance: client)
                #expect(
                    answer.unicodeScalars.allSatisfy { 0x20...0x7E ~= $0.value || $0 == "\u{E9}" })
                #expect(answer.utf8.count < 1_200)
                #expect(answer.hasPrefix("PREPEND ") || answer == "DUNNO", "\(answer)")
            }
        }
    }

    @Test func `the receiver can be withheld`() throws {
        #expect(try Desk("Hide_Receiver Yes").ask().contains("receiver=\"<UNKNOWN>\""))
        #expect(try !Desk().ask().contains("UNKNOWN"))
    }
}

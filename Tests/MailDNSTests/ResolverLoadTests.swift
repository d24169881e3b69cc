import MailDNS
import MailSyntax
import TestKit
import Testing

/// What a resolver takes on, and what it refuses.
@Suite struct ResolverLoadTests {
    private func key(_ index: Int, _ domain: String) throws -> DNSQuestion {
        try .test("s\(index)._domainkey.\(domain) TXT")
    }

    /// Keys on servers that do not answer leave places for policies, and for other domains.
    @Test func aDomainHasAShare() throws {
        var load = ResolverLoad(limit: 1_024)
        var refused = 0
        for index in 0..<200 {
            let question = try key(index, "evil.example.net")
            if load.refusal(of: question) == nil { load.begin(question) } else { refused += 1 }
        }
        #expect(load.count == 64)
        #expect(refused == 136)
        #expect(load.refusal(of: try key(0, "evil.example.net")) == .domainFull)
        // A policy below the same zone is no exception; another zone's key is asked.
        #expect(load.refusal(of: try .test("_dmarc.evil.example.net TXT")) == .domainFull)
        #expect(load.refusal(of: try key(0, "victim.example.org")) == nil)
    }

    /// Names of ever new zones below one domain do not help.
    @Test func aDomainAboveManyZonesHasAShareToo() throws {
        var load = ResolverLoad(limit: 1_024)
        for index in 0..<1_000 {
            let question = try key(0, "n\(index).evil.example")
            if load.refusal(of: question) == nil { load.begin(question) }
        }
        #expect(load.count == 256)
        #expect(load.refusal(of: try key(0, "victim.test")) == nil)
    }

    @Test func policiesHaveAQuarterOfTheirOwn() throws {
        var load = ResolverLoad(limit: 1_024)
        for index in 0..<2_000 {
            let question = try key(0, "d\(index).test")
            if load.refusal(of: question) == nil { load.begin(question) }
        }
        // One top-level domain has as many as there are.
        #expect(load.count == 768)
        #expect(load.refusal(of: try key(0, "victim.example")) == .full)
        #expect(load.refusal(of: try .test("_dmarc.victim.example TXT")) == nil)
    }

    /// The name asked for does not matter, the servers do.
    @Test func aZoneThatDoesNotAnswerIsAskedALittleAtATime() throws {
        var load = ResolverLoad(limit: 1_024)
        for index in 0..<4 {
            load.begin(try key(index, "silent.test"))
            load.end(try key(index, "silent.test"), .silent)
        }
        for index in 4..<6 {
            #expect(load.refusal(of: try key(index, "silent.test")) == nil)
            load.begin(try key(index, "silent.test"))
        }
        #expect(load.refusal(of: try key(6, "silent.test")) == .silent)
        #expect(load.refusal(of: try key(6, "other.test")) == nil)
        // Its policy is asked for: a name that a sender lets hang may be a neighbour's.
        #expect(load.refusal(of: try .test("_dmarc.silent.test TXT")) == nil)
        // The first answer ends it.
        load.end(try key(4, "silent.test"), .answered)
        #expect(load.refusal(of: try key(6, "silent.test")) == nil)
    }

    @Test func whoGivesUpEarlySaysNothingAboutTheServers() throws {
        var load = ResolverLoad(limit: 1_024)
        for index in 0..<20 {
            load.begin(try key(index, "slow.test"))
            load.end(try key(index, "slow.test"), .abandoned)
        }
        for index in 0..<10 { load.begin(try key(index, "slow.test")) }
        #expect(load.refusal(of: try key(10, "slow.test")) == nil)
        #expect(load.count == 10)
    }

    @Test func anAnswerThatComesLateCounts() throws {
        var load = ResolverLoad(limit: 1_024)
        for index in 0..<6 { load.begin(try key(index, "silent.test")) }
        for index in 0..<4 { load.end(try key(index, "silent.test"), .silent) }
        #expect(load.refusal(of: try key(9, "silent.test")) == .silent)
        load.note(try key(0, "silent.test"), .answered)
        #expect(load.refusal(of: try key(9, "silent.test")) == nil)
    }

    /// The reverse zone of one network is not the whole Internet's.
    @Test func reverseNamesAreCountedByNetwork() throws {
        var load = ResolverLoad(limit: 1_024)
        for index in 0..<200 {
            let question = try DNSQuestion.test("\(index).2.0.192.in-addr.arpa PTR")
            if load.refusal(of: question) == nil { load.begin(question) }
        }
        #expect(load.count == 64)
        #expect(load.refusal(of: try .test("1.113.0.203.in-addr.arpa PTR")) == nil)
    }
}

import Glibc
import TestKit
import Testing

/// One daemon at a time is reloaded, killed, restarted and taken away while mail goes both ways: none of it is lost, delivered
/// twice, passed wrongly or half-edited.
@Suite(.serialized)
struct SuiteUnderLoadTests {
    /// What happens to a daemon.
    enum Event: CaseIterable {
        /// Reloads: a good configuration, then one with an error.
        case reloaded, misconfigured
        /// `kill -9`; the socket stays, and systemd starts the daemon again.
        case killed
        /// `systemctl restart`; the socket stays.
        case restarted
        /// Stopped with its socket, and started again.
        case takenAway
    }

    private static func happen(_ event: Event, to daemon: SuiteDaemon) throws {
        let pause: UInt32 = 300_000
        switch event {
        case .reloaded:
            try daemon.reload(adding: "# the same", until: "the configuration is reloaded")
        case .misconfigured:
            try daemon.reload(adding: "Socket nonsense", until: "the old one stays")
        case .killed:
            daemon.kill()
            usleep(pause)
            try daemon.start()
        case .restarted:
            try daemon.stop()
            try daemon.start()
        case .takenAway:
            try daemon.stop()
            daemon.closeSocket()
            usleep(pause)
            try daemon.openSocket()
            try daemon.start()
        }
    }

    /// What Postfix does with mail while a daemon is away.
    static let runs: [(treatment: SuiteHost.Treatment, messages: Int)] = [
        (SuiteHost.Treatment(), 1000),
        (SuiteHost.Treatment(defaultAction: "accept", version: 2), 600),
        (SuiteHost.Treatment(defaultAction: "reject"), 300),
        (SuiteHost.Treatment(defaultAction: "quarantine", version: 2), 300),
    ]

    @Test(arguments: runs.indices)
    func `a daemon may come and go`(run: Int) throws {
        let (treatment, total) = Self.runs[run]
        let host = try SuiteHost(treatment)
        let load = SuiteLoad(host, total: total)
        let events = host.daemons.flatMap { daemon in Event.allCases.map { (daemon, $0) } }
        for (index, (daemon, event)) in events.enumerated() {
            try load.wait(for: (index + 1) * total / (events.count + 2))
            try Self.happen(event, to: daemon)
        }
        let sent = try load.finish()

        let held = try host.held()
        let left = try arrivals(sent, [.submission], held) { host.sink.messages }
        let kept = try arrivals(sent, [.friend, .forged, .spoofed], held) { try host.mailbox() }
        _ = try wait(for: "a queue with nothing left to deliver") {
            try host.postfix.queue().count == held.count ? true : nil
        }
        #expect(held.isEmpty || treatment.defaultAction == "quarantine")
        let mayBeRefused = treatment.defaultAction == "reject"
        #expect(
            sent.allSatisfy { $0.kind == .spoofed || $0.fate == .accepted || mayBeRefused })
        let mayBeMissed = treatment.defaultAction == "accept"
        try expectWhole(left, mayBeMissed, host)
        try expectJudged(kept, sent, mayBeMissed)
        #expect(try host.reportStoreIntegrity() == "ok\n")
        for daemon in host.daemons { try daemon.stop() }
    }

    /// Waits for what was accepted and is not on hold; none is missing, none is there twice, nothing else came.
    private func arrivals(
        _ sent: [SuiteLoad.Sent], _ kinds: Set<SuiteLoad.Kind>, _ held: [String],
        _ messages: () throws -> [SMTPSink.Message]
    ) throws -> [SMTPSink.Message] {
        let mine = sent.filter { kinds.contains($0.kind) }
        let accepted = mine.filter { $0.fate == .accepted && !held.contains($0.token) }
            .map(\.token)
        let arrived = try wait(for: "\(accepted.count) messages", seconds: 60) {
            let all = try messages()
            return all.count >= accepted.count ? all : nil
        }
        var counts = Dictionary(grouping: arrived, by: SuiteMail.token).mapValues(\.count)
        let missing = accepted.filter { counts.removeValue(forKey: $0) != 1 }
        #expect(missing.isEmpty, "lost, or delivered twice")
        let uncertain = Set(mine.filter { $0.fate == .unknown }.map(\.token))
        #expect(counts.allSatisfy { uncertain.contains($0.key) && $0.value == 1 }, "\(counts)")
        return arrived
    }

    /// What users sent left scrubbed and signed; at the worst, where the postmaster accepts it, without one of the two.
    private func expectWhole(
        _ messages: [SMTPSink.Message], _ mayBeMissed: Bool, _ host: SuiteHost
    ) throws {
        let allowed: Set<SuiteMail.Work> = mayBeMissed ? [.all, .none] : [.all]
        for message in messages {
            let (scrubbed, signed) = (SuiteMail.scrubbed(message), SuiteMail.signed(message))
            #expect(allowed.contains(scrubbed) && allowed.contains(signed), "\(message.text)")
            #expect(scrubbed == .all || signed == .all, "one daemon at a time:\n\(message.text)")
            let good = try host.goodSignatures(message)
            #expect(good == (signed == .all ? 2 : 0), "\(message.text)")
        }
    }

    /// What came from outside has its verdict, and never one that is too good.
    private func expectJudged(
        _ messages: [SMTPSink.Message], _ sent: [SuiteLoad.Sent], _ mayBeMissed: Bool
    ) throws {
        let kinds = Dictionary(sent.map { ($0.token, $0.kind) }) { first, _ in first }
        for message in messages {
            let kind = try #require(kinds[SuiteMail.token(of: message)])
            let results = SuiteMail.results(message)
            let isFriend = kind == .friend
            #expect(!message.text.contains("planted"), "\(message.text)")
            #expect(results.count == 1 || (mayBeMissed && results.isEmpty), "\(message.text)")
            for result in results {
                let dmarc = result["dmarc"]
                #expect(
                    dmarc == (isFriend ? "pass" : "fail") || (mayBeMissed && dmarc == nil),
                    "\(message.text)")
                #expect(isFriend || result["dkim"] != "pass", "\(message.text)")
            }
            let spf = message.values(of: "Received-SPF")
            #expect(spf.count == 1 || (mayBeMissed && spf.isEmpty), "\(message.text)")
            #expect(kind != .spoofed || (mayBeMissed && spf.isEmpty), "\(message.text)")
        }
    }
}

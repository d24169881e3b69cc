import Foundation
import TestKit
import Testing

@testable import ReportStore

/// What every store does, whatever it is made of.
@Suite struct StoreBehaviourTests {
    enum Kind: CaseIterable {
        case sqlite
        case postgreSQL
    }

    /// The kinds that this machine has.
    static let kinds = Kind.allCases.filter {
        $0 == .sqlite || PostgreSQLServer.isInstalled
    }

    private struct Place {
        let location: StoreLocation
        /// Removed with the last use of it.
        let folder: TemporaryDirectory?

        init(_ kind: Kind) throws {
            switch kind {
            case .sqlite:
                let folder = try TemporaryDirectory("signet-store")
                self.folder = folder
                location = .file(folder.file("reports.db"))
            case .postgreSQL:
                folder = nil
                let server = try #require(PostgreSQLServer.shared)
                location = .postgreSQL(try server.makeDatabase())
            }
        }

        func store(
            keepingDays days: Int? = nil, limit: Int64 = 1 << 30, _ clock: Clock? = nil
        ) -> any ReportStore {
            let now = clock.map { clock in { clock.now } }
            return switch location {
            case .file(let path):
                SQLiteReportStore(path: path, keepingDays: days, limit: limit, now: now)
            case .postgreSQL(let address):
                PostgreSQLReportStore(address: address, keepingDays: days, limit: limit, now: now)
            }
        }
    }

    private static let time: Int64 = 1_795_000_000
    private static let day = time / 86_400

    private func sample(_ change: (inout Evaluation) -> Void = { _ in }) -> Evaluation {
        var evaluation = Evaluation(
            received: Self.time, reporter: "mx.example.org", headerFrom: "example.net",
            result: "fail", disposition: "quarantine")
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.envelopeFrom = "bounce.example.net"
        evaluation.envelopeTo = "example.org"
        evaluation.policy = Evaluation.Policy(
            domain: "example.net", applied: "reject", p: "reject", sp: "none", isTesting: true,
            reportAddresses: ["mailto:a@example.net", "mailto:b@example.net"],
            failureOptions: "1", failureAddresses: ["mailto:f@example.net"])
        evaluation.isSPFAligned = true
        evaluation.arc = "none"
        evaluation.authentications = [
            .init(mechanism: "dkim", domain: "example.com", selector: "s", result: "pass"),
            .init(
                mechanism: "spf", domain: "bounce.example.net", scope: "mfrom", result: "softfail"),
        ]
        evaluation.overrides = [
            .init(kind: "local_policy", comment: "it's \"quoted\"; {DROP} \\TABLE, é"),
            .init(kind: "other", comment: ""),
        ]
        change(&evaluation)
        return evaluation
    }

    private func counts(_ store: any ReportStore) throws -> [(Evaluation.Policy, EvaluationCount)] {
        var found: [(Evaluation.Policy, EvaluationCount)] = []
        for policy in try store.policies(on: Self.day) {
            try store.counts(under: policy, on: Self.day) { found.append((policy.policy, $0)) }
        }
        return found
    }

    @Test(arguments: kinds) func `equal messages are one row with all that they say`(
        _ kind: Kind
    ) throws {
        let place = try Place(kind)
        let store = place.store()
        try store.write([sample(), sample { $0.queueID = "x" }, sample { $0.received = 1 }])
        try store.write([sample()])
        let rows = try counts(store)
        #expect(rows.count == 1)
        let (policy, row) = try #require(rows.first)
        var published = try #require(sample().policy)
        published.applied = ""
        #expect(policy == published)
        #expect(row.messages == 3)
        #expect(row.sourceAddress == "192.0.2.1")
        #expect(row.verdict == Verdict(sample()))
    }

    @Test(arguments: kinds) func `whatever differs in a report is a row of its own`(
        _ kind: Kind
    ) throws {
        let place = try Place(kind)
        let store = place.store()
        let changes: [(inout Evaluation) -> Void] = [
            { _ in }, { $0.sourceAddress = "2001:db8::1" }, { $0.sourceAddress = nil },
            { $0.headerFrom = "news.example.net" }, { $0.envelopeFrom = nil },
            { $0.envelopeTo = nil }, { $0.policy?.applied = "none" }, { $0.policy?.p = "none" },
            { $0.policy?.sp = nil }, { $0.policy?.np = "none" }, { $0.policy?.adkim = "s" },
            { $0.policy?.aspf = "s" }, { $0.policy?.isTesting = false },
            { $0.policy?.discovery = "psl" }, { $0.policy?.reportAddresses = [] },
            { $0.policy?.failureOptions = "0" }, { $0.policy?.failureAddresses = [] },
            { $0.result = "pass" }, { $0.disposition = "none" }, { $0.isDKIMAligned = true },
            { $0.isSPFAligned = false }, { $0.arc = "pass" }, { $0.authentications = [] },
            { $0.authentications[0].selector = "t" }, { $0.authentications[1].result = "fail" },
            { $0.overrides = [] }, { $0.overrides[0].comment = "" },
        ]
        let evaluations = changes.map(sample)
        try store.write(evaluations + evaluations)
        let rows = try counts(store)
        #expect(rows.count == evaluations.count)
        #expect(rows.allSatisfy { $0.1.messages == 2 })
        // In an order that is the same each time.
        let again = try counts(store)
        #expect(rows.map(\.1) == again.map(\.1))
        let names = try store.policies(on: Self.day).map(\.policy.domain)
        #expect(names == names.sorted())
    }

    @Test(arguments: kinds) func `hostile text is kept as far as it is text`(_ kind: Kind) throws {
        let place = try Place(kind)
        let store = place.store()
        let nasty = "a\u{0}b\nc\td\u{9F}\",{}\\'é😀"
        let evaluation = sample {
            $0.headerFrom = nasty
            $0.envelopeFrom = String(repeating: nasty, count: 100)
            $0.sourceAddress = nasty
            $0.policy?.domain = nasty
            $0.policy?.reportAddresses = (0..<100).map {
                "mailto:\($0)@" + String(repeating: "x", count: 93)
            }
            $0.authentications = (0..<150).map {
                .init(mechanism: "dkim", domain: "d\($0)\t.example", selector: "s", result: "fail")
            }
            $0.overrides = [.init(kind: nasty, comment: nasty)]
        }
        try store.write([evaluation, evaluation])
        let (_, row) = try #require(try counts(store).first)
        #expect(row.messages == 2)
        #expect(row.verdict == Verdict(evaluation))
        #expect(row.sourceAddress == "a?b?c?d?\",{}\\'é😀")
    }

    @Test(arguments: kinds) func `what is older than the retention goes`(_ kind: Kind) throws {
        let place = try Place(kind)
        let clock = Clock(Self.time)
        let store = place.store(keepingDays: 30, clock)
        let old = sample {
            $0.received -= 31 * 86_400
            $0.policy?.domain = "old.example"
            $0.headerFrom = "old.example"
        }
        try store.write([old, sample()])
        while try store.tidy() {}
        var days = 0
        for day in [Self.day - 31, Self.day] {
            days += try store.policies(on: day).count
        }
        #expect(days == 1)
        // What was remembered of them is not used.
        try store.write([sample { $0.policy?.domain = "old.example" }])
        #expect(try store.policies(on: Self.day).count == 2)
    }

    @Test(arguments: kinds) func `reports wait, are recorded, and are forgotten`(_ kind: Kind)
        throws
    {
        let place = try Place(kind)
        try place.store().write([sample()])
        let outbox = try place.location.outbox()
        #expect(try outbox.lastDay(before: Self.day + 1) == nil)
        let reports = (0..<3).map { number in
            OutgoingReport(
                id: "id\(number)", day: Self.day, domain: "d\(number).example", messages: 5,
                mail: "mail \(number)\n", created: Self.time,
                destinations: [
                    .init("mailto:a@d.example", state: .waiting, next: Self.time + Int64(number)),
                    .init("mailto:b@d.example", state: .suppressed, reason: "why", next: 0),
                ])
        }
        try outbox.add(reports)
        try outbox.finish(Self.day)
        try outbox.finish(Self.day)
        #expect(throws: SinkError.self) { try outbox.add([reports[0]]) }
        #expect(try outbox.has("id1") && !outbox.has("id9"))
        #expect(try outbox.lastDay(before: Self.day + 1) == Self.day)
        let due = try outbox.due(at: Self.time + 1, atMost: 10)
        #expect(due.map(\.report) == ["id0", "id1"])
        #expect(try outbox.due(at: Self.time + 9, atMost: 1).count == 1)
        #expect(due[0].address == "mailto:a@d.example" && due[0].created == Self.time)
        #expect(try outbox.mail(of: "id0") == "mail 0\n")
        try outbox.record(due[0], .waiting, reason: "busy\u{0}\n", next: Self.time + 100)
        #expect(try outbox.mail(of: "id0") == "mail 0\n")
        try outbox.record(due[1], .sent, reason: "", next: 0)
        #expect(try outbox.mail(of: "id1") == nil)
        #expect(try outbox.due(at: Self.time + 9, atMost: 10).map(\.report) == ["id2"])
        var all: [Delivery] = []
        try place.location.outbox(isReadOnly: true).deliveries { all.append($0) }
        #expect(
            all.map(\.state) == [
                .waiting, .suppressed, .sent, .suppressed, .waiting, .suppressed,
            ])
        #expect(all[0].reason == "busy??" && all[0].attempts == 1)
        #expect(all[1].reason == "why")
        try outbox.forget(before: Self.day + 1)
        all = []
        try outbox.deliveries { all.append($0) }
        #expect(all.isEmpty)
        #expect(try outbox.lastDay(before: Self.day + 1) == Self.day)
        // What a clock that was ahead has recorded.
        for ahead in 3...5 { try outbox.finish(Self.day + Int64(ahead)) }
        #expect(try outbox.lastDay(before: Self.day + 1) == Self.day)
        #expect(try outbox.lastDay(before: Self.day + 9) == Self.day + 5)
        try outbox.reopen(from: Self.day + 4)
        #expect(try outbox.lastDay(before: Self.day + 9) == Self.day + 3)
    }

    @Test(arguments: kinds) func `addresses that bounce are remembered until they are forgotten`(
        _ kind: Kind
    ) throws {
        let place = try Place(kind)
        try place.store().write([sample()])
        let outbox = try place.location.outbox()
        let key = try outbox.bounceKey()
        #expect(key.count == 32)
        #expect(try place.location.outbox().bounceKey() == key)
        try outbox.add(
            ["ab1", "ab2", "b"].map { id in
                OutgoingReport(
                    id: id, day: Self.day, domain: "d.example", messages: 1, mail: "mail\n",
                    created: Self.time,
                    destinations: [.init("mailto:a@d.example", state: .waiting, next: 0)])
            })
        #expect(try outbox.deliveries(ofReportsBeginning: "ab").map(\.report) == ["ab1", "ab2"])
        #expect(try outbox.deliveries(ofReportsBeginning: "%").isEmpty)
        let delivery = try #require(try outbox.deliveries(ofReportsBeginning: "b").first)
        #expect(try outbox.bounces(of: "a@d.example") == nil)
        for count in 1...2 {
            let destination = BouncedDestination(
                address: "a@d.example", isPermanent: count == 2, bounces: count, last: Self.time,
                until: Self.time + 86_400, reason: "5.1.1 no such user")
            try outbox.add(destination, of: delivery)
            #expect(try outbox.bounces(of: "a@d.example") == destination)
            #expect(try outbox.bouncedDestinations() == [destination])
        }
        let failed = try #require(try outbox.deliveries(ofReportsBeginning: "b").first)
        #expect(failed.state == .failed && failed.reason == "5.1.1 no such user")
        #expect(try outbox.forgetBounces(of: "a@d.example"))
        #expect(try !outbox.forgetBounces(of: "a@d.example"))
    }

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `a database of the version before is brought up to date by the daemon alone`() throws {
        let server = try #require(PostgreSQLServer.shared)
        let address = try server.makeDatabase()
        let location = try #require(StoreLocation(address))
        try location.store().write([sample()])
        let name = try #require(address.firstMatch(of: /signet[0-9]+/)).0
        _ = try server.query(
            String(name),
            """
            DROP TABLE signet.secret; DROP TABLE signet.bounced_destination;
            UPDATE signet.version SET number = 1
            """)
        #expect(throws: SinkError.self) { try location.outbox() }
        let store = location.store()
        try store.write([sample()])
        #expect(try counts(store).map(\.1.messages) == [2])
        #expect(try location.outbox().bouncedDestinations().isEmpty)
    }

    @Test func `a file of the version before is brought up to date by the daemon alone`() throws {
        let place = try Place(.sqlite)
        guard case .file(let path) = place.location else { return }
        try place.store().write([sample()])
        _ = try Command.require(
            "sqlite3",
            [
                path,
                "DROP TABLE secret; DROP TABLE bounced_destination; PRAGMA user_version = 2",
            ])
        #expect(throws: SinkError.self) { try place.location.outbox() }
        let store = place.store()
        try store.write([sample()])
        #expect(try counts(store).map(\.1.messages) == [2])
        #expect(try place.location.outbox().bouncedDestinations().isEmpty)
    }

    @Test(arguments: kinds) func `one sends at a time`(_ kind: Kind) throws {
        let place = try Place(kind)
        try place.store().write([sample()])
        var first: (any ReportOutbox)? = try place.location.outbox()
        let second = try place.location.outbox()
        #expect(try first?.claim() == true)
        #expect(try !second.claim())
        first = nil
        _ = try wait(for: "the claim") { try second.claim() ? true : nil }
    }

    @Test(arguments: kinds) func `a store that is not there has no outbox`(_ kind: Kind) throws {
        let place = try Place(kind)
        #expect(throws: SinkError.self) { try place.location.outbox() }
        #expect(throws: SinkError.self) { try place.store().policies(on: 1) }
    }

    // MARK: PostgreSQL alone

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `several hosts write at once, and nothing is lost`() throws {
        let place = try Place(.postgreSQL)
        let done = LineBox()
        for host in 0..<4 {
            BackgroundThread.start {
                let store = place.store()
                for round in 0..<10 {
                    let evaluations = (0..<50).map { number in
                        sample {
                            $0.headerFrom = "d\((number * 7 + host) % 60).example"
                            $0.sourceAddress = "192.0.2.\(round)"
                        }
                    }
                    do { try store.write(evaluations) } catch { Issue.record("\(error)") }
                }
                done.add("\(host)")
            }
        }
        _ = try wait(for: "the hosts", seconds: 60) { done.all.count == 4 ? true : nil }
        #expect(try counts(place.store()).reduce(0) { $0 + $1.1.messages } == 2000)
    }

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `at its limit the store counts what it knows, and all else as others`() throws {
        let place = try Place(.postgreSQL)
        let clock = Clock(Self.time)
        try place.store().write([sample()])
        // The server's statistics come a moment later.
        let full = try wait(for: "the statistics") {
            let store = place.store(limit: 1, clock)
            try store.write([sample()])
            try store.write([sample { $0.sourceAddress = "192.0.2.200" }])
            return try store.others(on: Self.day) > 0 ? store : nil
        }
        let before = try full.others(on: Self.day)
        let known = try counts(full).reduce(0) { $0 + $1.1.messages }
        try full.write([
            sample(), sample { $0.policy?.domain = "new.example" },
            sample { $0.headerFrom = "new.example" }, sample { $0.sourceAddress = "192.0.2.201" },
        ])
        #expect(try full.others(on: Self.day) == before + 3)
        #expect(try counts(full).reduce(0) { $0 + $1.1.messages } == known + 1)
        clock.now += 60
        #expect(full.notices().count == 1)
    }

    @Test(.enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed"))
    func `a server that goes and comes back is written again`() throws {
        let server = try PostgreSQLServer()
        let store = PostgreSQLReportStore(address: try server.makeDatabase())
        try store.write([sample()])
        server.stop()
        for _ in 0..<2 {
            #expect(throws: SinkError.self) { try store.write([self.sample()]) }
        }
        try server.start()
        try store.write([sample()])
        #expect(try counts(store).map(\.1.messages) == [2])
    }

    @Test func `addresses are told apart, and a password in one is seen`() {
        #expect(StoreLocation("/var/lib/x.db") == .file("/var/lib/x.db"))
        #expect(StoreLocation("x.db") == nil)
        for (address, hasPassword) in [
            ("postgresql://db/signet", false), ("postgresql://u@db/signet?passfile=/x", false),
            ("postgresql://u:p@db/signet", true), ("postgres://u:p@db", true),
            ("service=signet", false), ("service=signet password=p", true),
            ("postgresql://db:5432/signet", false), ("postgresql:///x?user=u&password=p", true),
        ] {
            #expect(StoreLocation(address) == .postgreSQL(address))
            #expect(StoreLocation(address)?.hasPassword == hasPassword, "\(address)")
        }
    }
}

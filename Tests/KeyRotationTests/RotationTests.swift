import MailCrypto
import MailSyntax
import Testing
import Threads

@testable import KeyRotation

/// Rotations from end to end over a disk and a DNS in memory, with every kill and failure that can be thought of.
@Suite struct RotationTests {
    /// Runs the timer every ten minutes until nothing is to be done any more, and looks at every moment whether all mail verifies.
    private func run(_ world: FakeWorld, days: Int64, _ policy: RotationPolicy? = nil) throws {
        for _ in 0..<(days * 144) {
            #expect(world.faults() == [])
            _ = try world.rotator(policy).advance(world.domain)
            #expect(world.faults() == [])
            world.change { $0.now += 600 }
        }
    }

    private func stages(_ world: FakeWorld) throws -> [String: KeyStage] {
        let state = try world.rotator().load(world.domain)
        return Dictionary(uniqueKeysWithValues: state.keys.map { ($0.selector.ascii, $0.stage) })
    }

    @Test func `both kinds rotate together, without a message that does not verify`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        try world.addOldKey("mail-ed25519", ed25519: true)
        _ = try world.rotator().rotate(world.domain)
        #expect(world.list == ["mail", "mail-ed25519"])
        try run(world, days: 1)
        #expect(world.list == ["s20270115", "s20270115-ed25519"])
        #expect(try stages(world)["mail"] == .retiring)
        try run(world, days: 24)
        #expect(
            try stages(world) == [
                "mail": .withdrawn, "mail-ed25519": .withdrawn, "s20270115": .signing,
                "s20270115-ed25519": .signing,
            ])
        #expect(world.selectors == ["s20270115", "s20270115-ed25519"])
        #expect(world.sight(FakeWorld.name(try DomainName("mail"))).servers[0].answer == .none)
    }

    @Test func `one kind rotates and the other stays`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        try world.addOldKey("ed", ed25519: true)
        _ = try world.rotator().rotate(world.domain, [.rsa])
        try run(world, days: 1)
        #expect(world.list == ["ed", "s20270115"])
    }

    @Test func `a folder without a list gets one before there is another key in it`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail", listed: false)
        _ = try world.rotator().rotate(world.domain)
        #expect(world.list == ["mail"])
        try run(world, days: 1)
        #expect(world.list == ["s20270115"])
    }

    @Test func `a domain without keys signs once its first key is seen`() throws {
        let world = FakeWorld()
        _ = try world.rotator().rotate(world.domain)
        #expect(world.contents.withLock { $0.list } == [])
        for _ in 0..<10 {
            world.change { $0.now += 600 }
            _ = try world.rotator().advance(world.domain)
        }
        #expect(world.list == ["s20270115"])
        #expect(world.faults() == [])
    }

    @Test func `the new key waits for the slowest server and for what resolvers remember`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        _ = try world.rotator().rotate(world.domain)
        #expect(try stages(world)["s20270115"] == .published)
        world.change { $0.now += FakeWorld.lag - 1 }
        _ = try world.rotator().advance(world.domain)
        #expect(try stages(world)["s20270115"] == .published)
        world.change { $0.now += 1 }
        _ = try world.rotator().advance(world.domain)
        #expect(try stages(world)["s20270115"] == .seen)
        // Resolvers that count whole seconds keep it longer than it says: mail of that moment did not verify.
        world.change { $0.now += FakeWorld.negativeTTL + 1 }
        _ = try world.rotator().advance(world.domain)
        #expect(world.list == ["mail"])
        world.change { $0.now += 1 }
        _ = try world.rotator().advance(world.domain)
        #expect(world.list == ["s20270115"])
    }

    @Test(arguments: [true, false])
    func `a kill at any operation is made good by the next run`(_ emptiesFirst: Bool) throws {
        // How many operations a whole rotation has: each of them is once the one before which the command is killed.
        for kill in 0..<400 {
            let world = FakeWorld()
            var policy = world.policy
            policy.emptiesFirst = emptiesFirst
            policy.queueLifetime = 432_000
            try world.addOldKey("ed", ed25519: true)
            world.change { $0.operationsLeft = kill }
            var wasKilled = false
            var isBegun = false
            for _ in 0..<80 {
                do throws(RotationFailure) {
                    let rotator = world.rotator(policy)
                    _ = try isBegun ? rotator.advance(world.domain) : rotator.rotate(world.domain)
                    isBegun = true
                } catch {
                    // After a kill the administrator or the timer comes again.
                    try #require(!wasKilled, "\(error)")
                    wasKilled = true
                    world.change { $0.operationsLeft = nil }
                }
                #expect(world.faults() == [], "killed at \(kill)")
                world.change { $0.now += 86_400 }
                #expect(world.faults() == [], "killed at \(kill)")
                if world.selectors.count == 1, world.selectors != ["ed"] { break }
            }
            #expect(world.selectors.count == 1 && world.selectors != ["ed"], "killed at \(kill)")
            if !wasKilled { return }
        }
        Issue.record("a rotation has more operations than are tried")
    }

    @Test(arguments: ["ns1.example", "ns2.example"])
    func `a dead server holds the switch up and is named`(_ server: String) throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        world.change { $0.silentServer = server }
        _ = try world.rotator().rotate(world.domain)
        try run(world, days: 1)
        #expect(world.list == ["mail"])
        let fault = try world.rotator().load(world.domain)[try DomainName("s20270115")]?.fault
        #expect(fault?.contains("\(server) (0.0.0.1): gives no answer") == true, "\(fault ?? "")")
        world.change { $0.silentServer = nil }
        try run(world, days: 1)
        #expect(world.list == ["s20270115"])
    }

    @Test func `a method that fails, or says that it is done and is not, changes nothing`() throws {
        for lies in [true, false] {
            let world = FakeWorld()
            try world.addOldKey("mail")
            world.change {
                $0.methodLies = lies
                $0.methodFault = lies ? nil : "hook ended with status 1: \u{1B}[31mno\nlogin"
            }
            let state = try world.rotator().rotate(world.domain)
            try run(world, days: 1)
            #expect(world.list == ["mail"])
            let fault = try #require(state.keys.last?.fault)
            #expect(fault.contains(lies ? "does not show it" : "status 1:  [31mno login"))
        }
    }

    @Test func `a full disk changes nothing`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        world.change { $0.isDiskFull = true }
        #expect(throws: RotationFailure.self) { try world.rotator().rotate(world.domain) }
        world.change { $0.isDiskFull = false }
        _ = try world.rotator().rotate(world.domain)
        world.change { $0.now += 2000 }
        _ = try world.rotator().advance(world.domain)
        world.change {
            $0.now += 2000
            $0.isDiskFull = true
        }
        #expect(throws: RotationFailure.self) { try world.rotator().advance(world.domain) }
        #expect(world.list == ["mail"])
        world.change { $0.isDiskFull = false }
        try run(world, days: 1)
        #expect(world.list == ["s20270115"])
    }

    @Test func `a record that is edited by hand has the key before sign again`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        _ = try world.rotator().rotate(world.domain)
        try run(world, days: 1)
        let new = try DomainName("s20270115")
        #expect(world.list == [new.ascii])
        let good = world.contents.withLock { $0.keys[new]?.publicKey.keyRecord } ?? ""
        world.change { $0.published[FakeWorld.name(new)]?.append(($0.now, "v=DKIM1; p=")) }
        let state = try world.rotator().advance(world.domain)
        #expect(world.list == ["mail"])
        #expect(state[new]?.stage == .published)
        #expect(state[new]?.fault?.contains("the key has been revoked") == true)
        // Mended by hand: it is seen anew, and the wait begins anew.
        world.change { $0.published[FakeWorld.name(new)] = [($0.now, good)] }
        world.change { $0.signed[new] = nil }
        try run(world, days: 1)
        #expect(world.list == [new.ascii])
    }

    @Test func `the key before stays as long as the DNS does not show its successor`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        _ = try world.rotator().rotate(world.domain)
        try run(world, days: 1)
        world.change { $0.silentServer = "ns2.example" }
        for _ in 0..<40 {
            world.change { $0.now += 86_400 }
            _ = try world.rotator().advance(world.domain)
        }
        #expect(try stages(world)["mail"] == .retiring)
        #expect(world.selectors.contains("mail"))
    }

    @Test func `a list that is edited by hand holds`() throws {
        let world = FakeWorld()
        try world.addOldKey("one")
        try world.addOldKey("two", ed25519: true)
        _ = try world.rotator().rotate(world.domain, [.rsa])
        let (one, new) = (try DomainName("one"), try DomainName("s20270115"))
        // A key that is not in the DNS yet does not sign, whoever wants it.
        world.change { $0.list = [one, new] }
        _ = try world.rotator().advance(world.domain)
        #expect(world.list == ["one", "two"])
        world.change { $0.list = [one] }
        _ = try world.rotator().advance(world.domain)
        #expect(try stages(world)["two"] == .retiring)
        // Without the list every key of the folder would sign.
        world.change { $0.list = nil }
        _ = try world.rotator().advance(world.domain)
        #expect(world.list == ["one"])
    }

    @Test func `a key is retired only beside another`() throws {
        let world = FakeWorld()
        try world.addOldKey("one")
        let one = try DomainName("one")
        #expect(throws: RotationFailure.self) {
            try world.rotator().retire(one, of: world.domain)
        }
        try world.addOldKey("two", ed25519: true)
        _ = try world.rotator().retire(one, of: world.domain)
        #expect(world.list == ["two"])
        try run(world, days: 24)
        #expect(world.selectors == ["two"])
    }

    @Test func `a compromised key stops at once, and its private key is never revealed`() throws {
        let world = FakeWorld()
        var policy = world.policy
        policy.reveals = true
        try world.addOldKey("bad")
        let bad = try DomainName("bad")
        let state = try world.rotator(policy).revoke(bad, of: world.domain)
        #expect(world.list.isEmpty)
        #expect(state[bad]?.stage == .emptied)
        #expect(!world.selectors.contains("bad"))
        world.change { $0.signed = [:] }
        for _ in 0..<10 {
            world.change { $0.now += 600 }
            _ = try world.rotator(policy).advance(world.domain)
        }
        #expect(world.list == ["s20270115"])
        #expect(world.contents.withLock { $0.revealed }.isEmpty)
    }

    @Test func `a key's record stays as long as a host may not know that it is retired`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        let hosts = FakeHosts()
        _ = try world.rotator(hosts: hosts).rotate(world.domain)
        func run(days: Int) throws -> DomainRotation {
            for _ in 0..<(days * 24) {
                _ = try world.rotator(hosts: hosts).advance(world.domain)
                world.change { $0.now += 3600 }
            }
            return try world.rotator(hosts: hosts).advance(world.domain)
        }
        hosts.fault.withLock { $0 = "host1: unreachable" }
        var state = try run(days: 2)
        // No host signs with a key that another lacks.
        #expect(world.list == ["mail"])
        #expect(state.keys.last?.fault == "host1: unreachable")
        // Now it has the key, and is away before it has the list.
        hosts.fault.withLock { $0 = nil }
        hosts.listFault.withLock { $0 = "host1: unreachable" }
        state = try run(days: 100)
        #expect(world.list == ["s20270117"] || world.list == ["s20270115"])
        let mail = try #require(state[try DomainName("mail")])
        #expect(mail.stage == .retiring && mail.until == nil)
        #expect(mail.fault == "host1: unreachable")
        hosts.listFault.withLock { $0 = nil }
        let told = world.contents.withLock { $0.now }
        state = try world.rotator(hosts: hosts).advance(world.domain)
        #expect(
            state[try DomainName("mail")]?.until
                == told + world.policy.retirement + RotationPolicy.slack)
        state = try run(days: 30)
        #expect(world.selectors == Set(world.list))
    }

    @Test func `a host that another has taken over from stops before the next step`() throws {
        let world = FakeWorld()
        try world.addOldKey("mail")
        // Once for the beginning, and for as many steps: then it is another's.
        for steps in 0..<4 {
            let leader = FakeLeader(steps)
            #expect(throws: RotationFailure.self) {
                _ = try world.rotator(leader: leader).rotate(world.domain)
                world.change { $0.now += 3600 }
                for _ in 0..<3 {
                    _ = try world.rotator(leader: leader).advance(world.domain)
                    world.change { $0.now += 3600 }
                }
            }
            #expect(world.list == ["mail"])
        }
        // The other goes on from what it finds.
        try run(world, days: 24)
        #expect(world.list.count == 1 && world.list != ["mail"])
    }

    @Test func `fixed selectors are used in turn`() throws {
        let world = FakeWorld()
        var policy = world.policy
        policy.fixedSelectors = ["signet1", "signet2"]
        try world.addOldKey("signet2-ed25519", ed25519: true)
        let names = ["signet1-ed25519", "signet2-ed25519", "signet1-ed25519"]
        for name in names {
            _ = try world.rotator(policy).rotate(world.domain, [.ed25519])
            try run(world, days: 1, policy)
            #expect(world.list == [name])
            // Both are in use until the key before is withdrawn.
            #expect(throws: RotationFailure.self) {
                try world.rotator(policy).rotate(world.domain, [.ed25519])
            }
            try run(world, days: 24, policy)
        }
    }
}

@Suite struct DomainRotationTests {
    @Test func `a state is written and read`() throws {
        let key = ManagedKey(
            try DomainName("s1"), .rsa, .published, made: 1, since: 2, until: 3, group: 4,
            fault: "ns1: no\nkey")
        let state = DomainRotation(keys: [key])
        let read = try DomainRotation(parsing: Array(state.text.utf8))
        #expect(read.keys[0].fault == "ns1: no key")
        #expect(try DomainRotation(parsing: Array(read.text.utf8)) == read)
    }

    @Test(arguments: [
        "key", "key a rsa", "key a rsa made", "key ../a rsa made made=1 since=1 group=1",
        "key a dsa made made=1 since=1 group=1", "key a rsa sleeping made=1 since=1 group=1",
        "key a rsa made made=1 since=99999999999999999999 group=1",
        "key a rsa made made=-1 since=1 group=1", "key a rsa made made=1 group=1", "\u{0}",
        "key a rsa made made=1 since=1 group=1\nkey a rsa made made=1 since=1 group=1",
    ])
    func `what cannot be read is an error, not a guess`(_ text: String) {
        #expect(throws: DomainRotation.Fault.self) {
            try DomainRotation(parsing: Array(text.utf8))
        }
    }
}

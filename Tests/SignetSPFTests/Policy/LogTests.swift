import PolicyProtocol
import Testing

@testable import signet_spf

/// The lines that readers of policyd-spf's log know.
struct LogTests {
    @Test func `a result is logged as logcheck and logwatch expect it`() throws {
        let desk = try Desk()
        _ = desk.ask(from: "user@pass.example")
        let pattern =
            /prepend Received-SPF: (Pass|Neutral|None|Softfail|Fail|Temperror|Permerror) \((helo|mailfrom)\) identity=(helo|mailfrom); client-ip=[0-9a-f.:]+; helo=.*; envelope-from=.*; receiver=.*/
        #expect(desk.log.count == 1)
        #expect(desk.log[0].wholeMatch(of: pattern) != nil, "\(desk.log)")
        _ = desk.ask(from: "user@none.example", client: "2001:db8::1", instance: "2")
        #expect(desk.log[1].wholeMatch(of: pattern) != nil, "\(desk.log)")
    }

    @Test(arguments: [
        ("", "4XyZ", "4XyZ: 550 5.7.23 Message rejected due to: "),
        ("", "", "550 5.7.23 Message rejected due to: "),
        ("QueueID False", "4XyZ", "550 5.7.23 Message rejected due to: "),
    ])
    func `a refusal is logged, with the queue id where there is one`(
        _ settings: String, _ queueID: String, _ start: String
    ) throws {
        let desk = try Desk(settings)
        _ = desk.ask(from: "user@fail.example", ["queue_id": queueID])
        #expect(desk.log.count == 1)
        #expect(desk.log[0].hasPrefix(start), "\(desk.log)")
    }

    @Test(arguments: [("-1", 0), ("0", 0), ("1", 1), ("2", 3), ("5", 3), ("99", 3)])
    func `debugLevel says how much`(_ level: String, _ lines: Int) throws {
        let desk = try Desk("debugLevel \(level)")
        _ = desk.ask(from: "user@pass.example")
        #expect(desk.log.count == lines, "\(desk.log)")
    }

    @Test func `the test mode logs what would be`() throws {
        let desk = try Desk("TestOnly 0")
        _ = desk.ask(from: "user@fail.example")
        #expect(desk.log[0].hasPrefix("would be 550 5.7.23 "))
        #expect(desk.log[1].hasPrefix("prepend Received-SPF: Fail"))
    }

    @Test func `a result without a field is logged once`() throws {
        let desk = try Desk("Header_Type None")
        for _ in 0..<2 { _ = desk.ask(from: "user@pass.example") }
        #expect(desk.log.count == 1)
        #expect(desk.log[0].hasPrefix("Header field not prepended: Received-SPF: Pass"))
    }
}

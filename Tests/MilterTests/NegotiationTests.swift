import TestKit
import Testing

@testable import Milter

@Suite struct NegotiationTests {
    /// Protocol bits by event: unsent, no reply.
    static let all: UInt32 = 0x1f_ffff
    /// DATA is not sent; it gets no reply.
    static let dataBits: UInt32 = 0x1_0200

    @Test func onlyEndOfMessageIsAskedFor() throws {
        let answer = try Negotiation.answer(
            needs: MilterNeeds(events: []), offeredActions: 0x1ff, offeredOptions: Self.all
        ).get()
        // Everything but the order to send recipients that the MTA has refused.
        #expect(answer.options == Self.all & ~0x800)
        #expect(answer.actions == 0)
        #expect(answer.agreed == NegotiatedProtocol(hasLeadingSpace: true))
    }

    @Test func repliesAreGivenOnlyWhereAskedFor() throws {
        let needs = MilterNeeds(
            events: [.mail, .header, .body], repliesTo: [.mail, .body, .connect],
            edits: .addHeaders, optionalEdits: [.quarantine, .changeSender])
        let answer = try Negotiation.answer(
            needs: needs, offeredActions: 0x3f, offeredOptions: Self.all
        ).get()
        #expect(answer.actions == 0x21)
        // Unsent: connect, HELO, RCPT, end of headers, unknown, DATA. With reply: MAIL, body.
        #expect(answer.options & 0x37f == 0x34b)
        #expect(answer.options & 0xf_f080 == 0x7_b080)
        #expect(answer.silent == MilterEvents.all.subtracting([.mail, .body]))
    }

    @Test func whatIsNotOfferedIsNotAskedFor() throws {
        let answer = try Negotiation.answer(
            needs: MilterNeeds(events: [], macros: [.mail: ["i"]]), offeredActions: 0x3f,
            offeredOptions: 0x7f
        ).get()
        #expect(answer.options == 0x7f)
        #expect(!answer.canSkip && !answer.canRequestMacros && !answer.agreed.hasLeadingSpace)
    }

    @Test func missingEditsAreRefused() {
        let answer = Negotiation.answer(
            needs: MilterNeeds(events: [], edits: [.addHeaders, .changeHeaders]),
            offeredActions: 0x01, offeredOptions: Self.all)
        #expect(answer == .failure(Negotiation.MissingEdits(edits: .changeHeaders)))
    }

    @Test func version6OnTheWire() throws {
        let probe = try Probe(
            "events=header,body", "replies=body", "edits=11", "macros=i,auth_type,{auth_authen}")
        let connection = try probe.mta.connect()
        #expect(connection.agreement.version == 6)
        #expect(connection.agreement.actions == 0x111)
        #expect(connection.agreement.options == 0x17_f7cf)
        #expect(connection.agreement.macroLists == [2: "i {auth_type} {auth_authen}"])
        let outcome = try connection.deliver(hello)
        #expect(outcome.replies.map(\.command) == ["B", "E"])
        connection.quit()
        try probe.settle()
        #expect(
            probe.eventNames() == [
                "negotiate", "header", "body", "endOfMessage", "close", "deinit",
            ])
    }

    /// Before the message Postfix's smtpd hands the connection to cleanup, whose first write would wait for an acknowledgement of
    /// smtpd's last if no answer carried it.
    @Test(arguments: [Probe.Transport.inet, .inet6])
    func dataIsAnsweredOverTCP(transport: Probe.Transport) throws {
        let probe = try Probe("events=header", over: transport)
        let connection = try probe.mta.connect()
        #expect(connection.agreement.options & Self.dataBits == 0)
        let outcome = try connection.deliver(hello)
        #expect(outcome.replies.map(\.command) == ["T", "E"])
        connection.quit()
        try probe.settle()
        #expect(
            probe.eventNames() == [
                "negotiate", "data", "header", "endOfMessage", "close", "deinit",
            ])
    }

    @Test func dataIsNotSentOverAUnixSocket() throws {
        let probe = try Probe("events=header")
        let connection = try probe.mta.connect()
        #expect(connection.agreement.options & Self.dataBits == Self.dataBits)
        #expect(try connection.deliver(hello).replies.map(\.command) == ["E"])
    }

    @Test func version2OnTheWire() throws {
        let probe = try Probe("events=header,body,data", "replies=body", "edits=11")
        let mta = FakeMTA.version2(probe.address)
        let connection = try mta.connect()
        #expect(connection.agreement.version == 2)
        #expect(connection.agreement.actions == 0x11)
        #expect(connection.agreement.options == 0x4f)
        let outcome = try connection.deliver(hello)
        #expect(outcome.decision == .accepted)
        // Each header is answered, since this MTA waits for it.
        #expect(outcome.replies.map(\.command) == ["L", "L", "L", "L", "L", "B", "E"])
        connection.quit()
        try probe.settle()
        #expect(
            probe.eventNames() == [
                "negotiate", "header", "body", "endOfMessage", "close", "deinit",
            ])
    }

    @Test(arguments: 2...6 as ClosedRange<UInt32>)
    func versionIsNeverAboveTheOffer(version: UInt32) throws {
        let probe = try Probe("events=all")
        var mta = probe.mta
        mta.version = version
        #expect(try mta.connect().agreement.version == version)
    }

    @Test func aConnectionWithoutTheNeededEditsIsRefused() throws {
        let probe = try Probe("events=header", "edits=31")
        var mta = probe.mta
        mta.actions = 0x01
        #expect(throws: StreamError.closed) { try mta.connect() }
        #expect(try probe.process.line("problem").contains("missing actions 0x30"))
        // The next MTA is served.
        #expect(try probe.mta.deliver(hello).decision == .accepted)
    }

    @Test func optionalEditsAreAskedForWhereOffered() throws {
        let probe = try Probe("events=header", "optional=61")
        var mta = probe.mta
        mta.actions = 0x2f
        #expect(try mta.connect().agreement.actions == 0x21)
    }
}

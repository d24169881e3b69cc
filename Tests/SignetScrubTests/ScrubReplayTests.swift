import Configuration
import DaemonKit
import FlightRecord
import HeaderScrub
import MailSyntax
import Milter
import Observation
import TestKit
import Testing
import Threads

@testable import signet_scrub

/// Decisions of the record, taken again without the values that were to be hidden.
struct ScrubReplayTests {
    private static let macros = [
        "i": "4XyZ", "j": "mx.example.org", "{auth_type}": "PLAIN", "{auth_authen}": "ann",
    ]

    private static func configuration(_ text: String) -> ScrubConfiguration {
        ScrubConfiguration(
            reading: ConfigurationReader(
                schema: SignetScrub.description.schema,
                text: "PostfixDirectory /nowhere\n" + text, named: "/etc/signet/scrub.conf"))
    }

    /// What a session records of a message.
    private static func recorded(
        _ fields: [(String, String)], _ text: String, login: Bool = true
    ) throws -> FlightEntry {
        try recorded(fields, configuration(text), login: login)
    }

    private static func recorded(
        _ fields: [(String, String)], _ settings: ScrubConfiguration, login: Bool = true
    ) throws -> FlightEntry {
        let taken = Locked<[FlightEntry]>([])
        let log = Log(level: .error, collecting: { _, _ in })
        let observer = Observer(ObservationSettings(), daemon: .scrub, log: log) { entry in
            taken.withLock { $0.append(entry) }
        }
        let services = ScrubServices(
            configuration: Snapshot(settings), log: log, observer: observer,
            time: TimeSource(now: { .now() }, seconds: { noon }))
        let session = ScrubFilter(services: services).makeSession(
            protocol: NegotiatedProtocol(edits: [.addHeaders, .changeHeaders]))
        var macros = macros
        if !login { (macros["{auth_type}"], macros["{auth_authen}"]) = (nil, nil) }
        let client = MilterClient(
            hostName: "laptop.example", family: .ipv4, address: .v4(0xC000_0201), port: 1)
        _ = session.connect(client, MilterMacros(macros))
        _ = session.mail(
            Array("<ann@example.org>".utf8).span, parameters: [], MilterMacros(macros))
        for (name, value) in fields {
            _ = session.header(name: Array(name.utf8).span, value: Array(value.utf8).span)
        }
        _ = session.endOfMessage(MilterMacros(macros))
        return try #require(taken.withLock { $0 }.first)
    }

    /// Nothing was decided; a message that was complete is not told twice, whatever the MTA says after it.
    @Test func `a message that ended early is recorded as that`() throws {
        let taken = Locked<[FlightEntry]>([])
        let log = Log(level: .error, collecting: { _, _ in })
        let observer = Observer(ObservationSettings(), daemon: .scrub, log: log) { entry in
            taken.withLock { $0.append(entry) }
        }
        let services = ScrubServices(
            configuration: Snapshot(Self.configuration("")), log: log, observer: observer,
            time: TimeSource(now: { .now() }, seconds: { noon }))
        let session = ScrubFilter(services: services).makeSession(
            protocol: NegotiatedProtocol(edits: [.addHeaders, .changeHeaders]))
        func begin(isRecipientTaken: Bool = true) {
            _ = session.mail(
                Array("<ann@example.org>".utf8).span, parameters: [], MilterMacros(Self.macros))
            guard isRecipientTaken else { return }
            _ = session.recipient(
                Array("<bob@example.net>".utf8).span, parameters: [], MilterMacros(Self.macros))
        }
        session.abort(MilterMacros())
        begin(isRecipientTaken: false)
        session.abort(MilterMacros(Self.macros))
        #expect(taken.withLock { $0 }.isEmpty)
        begin()
        _ = session.endOfMessage(MilterMacros(Self.macros))
        session.abort(MilterMacros())
        session.abort(MilterMacros())
        #expect(taken.withLock { $0.map { $0[.verdict] } } == ["ignored"])
        begin()
        session.abort(MilterMacros(Self.macros))
        session.abort(MilterMacros())
        let entry = try #require(taken.withLock { $0 }.last)
        #expect(taken.withLock { $0 }.count == 2)
        #expect(entry[.verdict] == "aborted" && entry[.queueID] == "4XyZ")
        #expect(entry[.sender] == "ann@example.org" && entry[.recipient] == "bob@example.net")
        // A client that does nothing else fills no record.
        for _ in 0..<100 {
            begin()
            session.abort(MilterMacros(Self.macros))
        }
        #expect(taken.withLock { $0 }.count == 21)
    }

    private static func again(_ entry: FlightEntry, _ text: String) throws -> FlightEntry {
        try again(entry, configuration(text))
    }

    private static func again(
        _ entry: FlightEntry, _ settings: ScrubConfiguration
    ) throws -> FlightEntry {
        var stream: [UInt8] = []
        FlightStream.append(entry, to: &stream)
        let output = EntryReplay.entries(of: stream, daemon: .scrub) {
            ScrubReplay.decide($0, settings)
        }
        return try #require(FlightStream.entries(in: output).first)
    }

    /// What was found and done differently; of the fields that decide nothing the values were not kept.
    private static func differences(_ then: FlightEntry, _ now: FlightEntry) -> [String] {
        func essence(_ entry: FlightEntry) -> [String] {
            entry.items.filter {
                ![.step, .evidence, .generation, .messageID, .author].contains($0.key)
            }
            .map { "\($0.key) \($0.text)" }
        }
        return essence(now).difference(from: essence(then)).map { "\($0)" }
    }

    private static let message = [
        (
            "Received",
            " from laptop.lan (laptop.lan [10.1.2.3])\n\tby gate.lan with ESMTPSA id 9secret;\n"
                + "\tMon, 1 Jun 2026 13:59:00 +0200"
        ),
        ("From", " ann@example.org"), ("Subject", " hush"),
        ("Date", " Mon, 1 Jun 2026 14:00:00 +0200"), ("Message-ID", " <secret@laptop.lan>"),
        ("MIME-Version", " 1.0 (Mac secret 14)"), ("X-Originating-IP", " [10.1.2.3]"),
        ("X-Mailer", " Secret Mailer 1.0"), ("User-Agent", " other"), ("X-Note", " one\n two"),
        (
            "DKIM-Signature",
            " v=1; a=rsa-sha256; d=gate.example; s=x; h=From:User-Agent;\n bh=secret=; b=secret="
        ),
    ]

    @Test func whatWasRemovedWouldBeRemovedAgain() throws {
        let then = try Self.recorded(Self.message, "")
        #expect(then[.verdict] == "scrubbed")
        #expect(then.all(.edit).contains("delete X-Mailer 1"))
        #expect(!then.all(.edit).contains("delete User-Agent 1"))
        #expect(then.all(.rule).contains("default rules Remove X-Mailer"))
        let now = try Self.again(then, "")
        #expect(Self.differences(then, now) == [])
        #expect(now.all(.unknown) == [])
    }

    @Test func anotherConfigurationRemovesOthers() throws {
        let then = try Self.recorded(Self.message, "")
        let now = try Self.again(
            then,
            "Keep X-Mailer\nRemove X-Note\nRewriteMessageID yes\nRewriteDate yes\n")
        #expect(!now.all(.edit).contains("delete X-Mailer 1"))
        for edit in ["delete X-Note 1", "change Message-ID 1", "change Date 1"] {
            #expect(now.all(.edit).contains(edit), "\(now.all(.edit))")
        }
        #expect(now.all(.rule).contains("scrub.conf:3 Remove X-Note"))
        #expect(now.all(.unknown) == [])
        let stranger = try Self.again(then, "MacroList nobody=1\n")
        #expect(stranger[.verdict] == then[.verdict])
    }

    @Test func patternsForValuesAreRecalledOrSaidToBeUnknown() throws {
        let rules = "Keep X-Mailer *Secret*\nRemove X-Note *three*\n"
        let then = try Self.recorded(Self.message, rules)
        #expect(!then.all(.edit).contains("delete X-Mailer 1"))
        let now = try Self.again(then, rules)
        #expect(Self.differences(then, now) == [])
        #expect(now.all(.unknown) == [])
        let other = try Self.again(then, rules + "Remove X-Note one*\n")
        #expect(
            other.all(.unknown) == [
                "whether \"Remove X-Note one*\" is about X-Note: its value was not kept"
            ])
    }

    @Test func mailThatIsNotOursHasNoHeader() throws {
        let then = try Self.recorded(Self.message, "", login: false)
        #expect(then[.verdict] == "ignored")
        #expect(Self.differences(then, try Self.again(then, "")) == [])
        let now = try Self.again(then, "InternalHosts 192.0.2.0/24\n")
        #expect(now.all(.unknown).first?.hasPrefix("its header fields") == true)
    }

    @Test func tooManyHopsAreRefusedAgain() throws {
        let hop = ("Received", " by a.example with SMTP; Mon, 1 Jun 2026 13:59:00 +0200")
        let trace = Array(repeating: hop, count: 40) + [("Received", " by b (hops 20); x")]
        let then = try Self.recorded(trace + Self.message, "")
        #expect(then[.verdict] == "refused")
        #expect(then[.reason] == "it has made 61 hops, and HopLimit is 50")
        #expect(Self.differences(then, try Self.again(then, "")) == [])
        #expect(try Self.again(then, "HopLimit 70\n")[.verdict] == "scrubbed")
    }

    @Test func nothingThatWasHiddenIsKept() throws {
        let then = try Self.recorded(Self.message, "Keep X-Mailer *Secret*\n")
        for text in then.all(.evidence) where !text.hasPrefix("attribute") {
            for word in ["ecret", "10.1.2.3", "hush", "other"] {
                #expect(!text.contains(word), "\(text)")
            }
        }
    }

    /// Values of every kind, among them those that nobody should send.
    private static let values = [
        "", " ", " 1.0", " 1.0 (a (b) c", " Mon, 1 Jun 2026 14:00:00 +0200", " tomorrow",
        " <a@b.lan> <c@d.example>", " <<a@>@b.lan>", " <x @lan>", " <x@lan", " <a@b.lan>\nX: y",
        " d=e.example; h=From:X-Mailer", " h=X-Mailer:X-Mailer; d=\u{0}", " h=;;", ";", " <@>",
        " from x by y with ESMTPSA (hops 7); Mon, 1 Jun 2026 14:00:00 +0200", " (hops 0);",
        " with SMTP (with LMTP) ; ; Mon, 31 Feb 2026 99:00:00 +0200", " <a@[10.1.2.3]>",
    ]
    /// More than is written, and more than a record takes.
    private static let long = [3_000, 7_000].map { String(repeating: " <a@b.lan>", count: $0) }

    @Test func theDecisionOfThenForAThousandMessages() throws {
        var random = SeededGenerator(seed: 18)
        let names = [
            "Received", "Received", "Received", "From", "Date", "Message-ID", "References",
            "In-Reply-To", "MIME-Version",
            "DKIM-Signature", "ARC-Message-Signature", "X-Mailer", "x-originating-ip", "X-Note",
            "Résumé", "Resent-Message-ID",
        ]
        let configurations = [
            "", "RewriteMessageID yes\nRewriteDate yes\n", "Keep X-Mailer *a*\nRemove *\n",
            "DefaultRules no\nRemove Received *SMTP*\nReplace MIME-Version\n",
            "Remove Received\nInternalDomains d.example\nRewriteMessageID yes\nHopLimit 5\n",
        ].map(Self.configuration)
        var verdicts: [String: Int] = [:]
        var omitted = 0
        for number in 0..<1_000 {
            let fields = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                (
                    names.randomElement(using: &random) ?? "",
                    (Int.random(in: 0..<200, using: &random) == 0 ? Self.long : Self.values)
                        .randomElement(using: &random) ?? ""
                )
            }
            let settings = configurations[number % configurations.count]
            let then = try Self.recorded(fields, settings)
            verdicts[then[.verdict] ?? "", default: 0] += 1
            let now = try Self.again(then, settings)
            let isKept = !then.all(.evidence).contains { $0.hasPrefix("omission") }
            guard isKept else {
                omitted += 1
                continue
            }
            if fields.isEmpty { continue }
            #expect(Self.differences(then, now) == [], "\(number): \(fields)")
            #expect(now.all(.unknown) == [], "\(number)")
        }
        #expect(verdicts["scrubbed", default: 0] > 500, "\(verdicts)")
        #expect(verdicts["refused", default: 0] > 5, "\(verdicts)")
        #expect(omitted < 20)
    }
}

import Configuration
import DaemonKit
import HeaderScrub
import Milter
import Testing

@testable import signet_scrub

/// A connection has one configuration from its negotiation to its end, whatever is reloaded meanwhile.
struct FilterTests {
    private let marked = Array("<ann@example.org>".utf8)

    private func configuration(_ text: String) -> ScrubConfiguration {
        ScrubConfiguration(
            reading: ConfigurationReader(
                schema: SignetScrub.description.schema, text: text, named: "scrub.conf"))
    }

    /// Whether a message with the macro `mark` at MAIL is scrubbed in a session of a filter.
    private func scrubs(_ filter: ScrubFilter) -> Bool {
        let session = filter.makeSession(
            protocol: NegotiatedProtocol(edits: [.addHeaders, .changeHeaders]))
        let macros = ["i": "4XyZ", "j": "mx.example.org", "{mark}": "ours"]
        _ = session.mail(marked.span, parameters: [], MilterMacros(macros))
        _ = session.header(name: Array("X-Mailer".utf8).span, value: Array(" a".utf8).span)
        return session.endOfMessage(MilterMacros(macros))
            == MilterVerdict(edits: [.deleteHeader(name: "X-Mailer", occurrence: 1)])
    }

    @Test func aReloadBetweenNegotiationAndSessionChangesNothing() {
        let settings = Snapshot(configuration("PostfixDirectory /nowhere\nMacroList mark\n"))
        let log = Log(collecting: { _, _ in })
        let services = ScrubServices(configuration: settings, log: log)
        let old = ScrubFilter(services: services)
        settings.replace(with: configuration("PostfixDirectory /nowhere\n"))
        let new = ScrubFilter(services: services)
        #expect(old.needs.macros == [.mail: ["i", "auth_type", "auth_authen", "mark"]])
        #expect(scrubs(old))
        #expect(new.needs.macros.isEmpty)
        #expect(!scrubs(new))
    }
}

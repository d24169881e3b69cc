import Explanation
import FlightRecord

/// A story as `signet explain --json` writes it.
struct StoryJSON: Encodable {
    struct Message: Encodable {
        var queue_id: String?
        var queue_ids: [String] = []
        var message_id: String?
        var from: String?
        var from_domains: [String] = []
        var client: String?
    }

    struct Event: Encodable {
        /// Seconds since 1970.
        let time: Double
        let program: String
        let what: String
        let details: [String]
    }

    /// A decision that was taken again.
    struct Decision: Encodable {
        struct Side: Encodable {
            let verdict: String?
            let answer: String
            let rule: String?
        }

        let daemon: String
        let configuration: String
        let then: Side
        let now: Side?
        let same: Bool
        let why: [String]
        let unknown: [String]
        let obstacle: String?

        init(_ decision: RepeatedDecision) {
            daemon = decision.then.daemon.shortName
            configuration = decision.configuration
            then = Self.side(decision.then)
            now = decision.now.map(Self.side)
            same = decision.isSame
            why = decision.reasons
            unknown = decision.unknown
            obstacle = decision.obstacle
        }

        private static func side(_ entry: FlightEntry) -> Side {
            Side(
                verdict: entry[.verdict], answer: EntrySentence.text(of: entry) + ".",
                rule: entry[.rule])
        }
    }

    /// What a receiver has reported about mail of the same domain and day.
    struct Reported: Encodable {
        let reporter: String
        let source: String
        let messages: Int64
        let dkim_aligned: Bool
        let spf_aligned: Bool
        let disposition: String

        init(_ mail: ReportedMail) {
            reporter = mail.reporter
            source = mail.source
            messages = mail.messages
            dkim_aligned = mail.isDKIMAligned
            spf_aligned = mail.isSPFAligned
            disposition = mail.disposition
        }
    }

    let answer: String
    var message = Message()
    var events: [Event] = []
    var verdicts: [String: String] = [:]
    var replay: [Decision]?
    var reports: [Reported] = []

    init(_ story: MessageStory, decisions: [RepeatedDecision]? = nil) {
        answer = story.answer
        message = Message(
            queue_id: story.queueIDs.first, queue_ids: story.queueIDs, message_id: story.messageID,
            from: story.sender, from_domains: story.authors, client: story.client)
        events = story.events.map { event in
            Event(
                time: Double(event.time) / 1e6, program: event.program, what: event.what,
                details: event.details)
        }
        verdicts = story.verdicts
        replay = decisions.map { $0.map(Decision.init) }
    }

    /// Nothing was found.
    init(nothing answer: String) { self.answer = answer }
}

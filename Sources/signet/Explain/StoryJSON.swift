import Explanation

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

    let answer: String
    var message = Message()
    var events: [Event] = []
    var verdicts: [String: String] = [:]

    init(_ story: MessageStory) {
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
    }

    /// Nothing was found.
    init(nothing answer: String) { self.answer = answer }
}

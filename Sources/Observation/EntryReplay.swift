internal import DaemonKit
package import FlightRecord
package import MailDNS
package import Replay
package import Threads

/// Takes decisions of a record again: entries in, the entries that a daemon would write now out.
package enum EntryReplay {
    /// What one decision is taken with.
    package struct Occasion: Sendable {
        /// What was known then.
        package let facts: RecordedFacts
        /// The DNS of then, and its clock.
        package let recalled: RecallingResolver
        /// Takes the entry.
        package let observer: Observer
        /// Whether the DNS of today is to be asked.
        package var asksAgain: Bool { facts.asksAgain }

        /// The DNS to ask, and the clock that goes with it.
        ///
        /// - Parameter today: the DNS of today.
        /// - Returns: those of today where the facts ask for them, and otherwise those of then.
        package func sources(
            today: (any DNSResolver)?
        ) -> (resolver: any DNSResolver, time: TimeSource) {
            if asksAgain, let today { return (today, .system) }
            return (recalled, recalled.time)
        }
    }

    /// Takes each decision of a stream of entries again.
    ///
    /// An entry without evidence gives one without a verdict.
    ///
    /// - Parameters:
    ///   - stream: the entries, as `FlightStream` has them.
    ///   - daemon: whose entries they are; others are passed over.
    ///   - decide: takes one decision; what of the message it lacked is given back, in words.
    /// - Returns: as many entries as were of the daemon, in order.
    package static func entries(
        of stream: [UInt8], daemon: FlightDaemon, decide: (Occasion) -> [String]
    ) -> [UInt8] {
        var output: [UInt8] = []
        for entry in FlightStream.entries(in: stream) where entry.daemon == daemon {
            FlightStream.append(again(entry, decide), to: &output)
        }
        return output
    }

    private static func again(
        _ entry: FlightEntry, _ decide: (Occasion) -> [String]
    ) -> FlightEntry {
        guard let facts = RecordedFacts(entry.all(.evidence)), facts.omission == nil else {
            return FlightEntry(entry.daemon, time: entry.time)
        }
        let captured = Locked<FlightEntry?>(nil)
        let observer = Observer(ObservationSettings(), daemon: entry.daemon, log: Log()) { taken in
            captured.withLock { $0 = taken }
        }
        let recalled = RecallingResolver(facts)
        let lacked = decide(Occasion(facts: facts, recalled: recalled, observer: observer))
        var result = FlightEntry(entry.daemon, time: entry.time)
        for item in captured.withLock({ $0 })?.items ?? [] where item.key != .evidence {
            result.add(item.key, item.text)
        }
        let unknown = facts.asksAgain ? [] : recalled.unknown
        for question in unknown {
            result.add(
                .unknown, "\(question.name) \(question.type.mnemonic) was not asked then")
        }
        for words in lacked { result.add(.unknown, words) }
        return result
    }
}

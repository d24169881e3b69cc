package import FlightRecord

/// A decision of a record beside the one that the daemon would take now.
package struct RepeatedDecision: Hashable, Sendable {
    /// What was recorded then.
    package let then: FlightEntry
    /// What would be recorded now; nil where nothing can be said.
    package let now: FlightEntry?
    /// The configuration under which it was decided now.
    package let configuration: String
    /// Why nothing can be said; nil where something can.
    package let obstacle: String?

    /// Compares two decisions.
    package init(
        then: FlightEntry, now: FlightEntry?, configuration: String, obstacle: String? = nil
    ) {
        self.then = then
        let isDecided = now?[.verdict] != nil
        self.now = isDecided ? now : nil
        self.configuration = configuration
        self.obstacle = isDecided ? nil : obstacle ?? "nothing was decided"
    }

    /// What is compared: all that was found and done.
    private static let compared: [FlightKey] = [
        .verdict, .reason, .result, .signature, .reply, .edit, .override,
    ]

    /// Whether the same would be found and done.
    package var isSame: Bool {
        guard let now else { return false }
        return Self.compared.allSatisfy { then.all($0) == now.all($0) }
    }

    /// What would have to be known for certainty.
    package var unknown: [String] { now?.all(.unknown) ?? [] }

    /// What was done then, in a sentence.
    package var sentenceThen: String { EntrySentence.text(of: then) + "." }

    /// What would be done now, in a sentence.
    package var sentenceNow: String {
        guard let now else { return "Cannot be evaluated again: \(obstacle ?? "")." }
        return isSame ? "The same." : EntrySentence.text(of: now) + "."
    }

    /// Why the two differ, a sentence each; none where they are the same.
    package var reasons: [String] {
        guard let now, !isSame else { return [] }
        var reasons: [String] = []
        for key in [FlightKey.result, .signature, .override] {
            guard let found = Self.difference(key, then, now) else { continue }
            reasons.append("Found then: \(Self.list(found.gone)); now: \(Self.list(found.come)).")
        }
        if reasons.isEmpty {
            reasons.append(
                "What was found is the same; the configuration does other things with it.")
        }
        if let edits = Self.difference(.edit, then, now) {
            reasons.append(
                "Changed then alone: \(Self.list(edits.gone)); now alone: "
                    + "\(Self.list(edits.come)).")
        }
        if let rules = Self.difference(.rule, then, now) {
            let none = ["no directive of its own"]
            reasons.append(
                "Decided then by \(Self.list(rules.gone.isEmpty ? none : rules.gone)), "
                    + "now by \(Self.list(rules.come.isEmpty ? none : rules.come)).")
        }
        return reasons
    }

    /// The facts of a kind that one of two entries alone has; nil where there are none.
    private static func difference(
        _ key: FlightKey, _ then: FlightEntry, _ now: FlightEntry
    ) -> (gone: [String], come: [String])? {
        let (old, new) = (then.all(key), now.all(key))
        let (gone, come) = (old.filter { !new.contains($0) }, new.filter { !old.contains($0) })
        return gone.isEmpty && come.isEmpty ? nil : (gone, come)
    }

    private static func list(_ texts: [String]) -> String {
        texts.isEmpty ? "nothing" : texts.joined(separator: ", ")
    }
}

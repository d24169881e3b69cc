public import MailSyntax

/// What is to be done to a header section: worked out as a whole before anything is done.
///
/// Pure: the fields, the policy, the MTA's name and the time go in. Positions are those of the header section as the milter
/// was shown it.
///
/// Trust: the fields may be anybody's; time and memory are linear in their octets.
public struct ScrubPlan: Sendable {
    /// What becomes of one field.
    public enum Change: Hashable, Sendable {
        /// It goes.
        case remove
        /// Its value is replaced: what stands after the colon, with folds of "\n".
        case rewrite([UInt8])
    }

    /// A field that a rule would have changed and a signature forbids to.
    public struct Spared: Hashable, Sendable {
        /// The field's position.
        public let position: Int
        /// The signature in words: `DKIM example.org`.
        public let signature: String
    }

    /// The changes, from the top of the header section down.
    public private(set) var changes: [(position: Int, change: Change)] = []
    /// What signatures forbid.
    public private(set) var spared: [Spared] = []
    /// The hops that the message has made, by its Received fields and what they stand for.
    public private(set) var hops = 0
    /// Whether the message has made too many hops, and we would hide some of them: it must be refused.
    public private(set) var isLoop = false
    /// The value of the field that replaces the MTA's own Received; nil where that stays.
    public private(set) var ownReceived: [UInt8]?

    /// The rules by which fields change, each once, by their places in the policy.
    public private(set) var deciding: [Int] = []

    /// Whether nothing is to be done.
    public var isEmpty: Bool { changes.isEmpty && ownReceived == nil }

    /// Works it out.
    ///
    /// - Parameters:
    ///   - header: the fields that the milter was shown.
    ///   - policy: what is wanted.
    ///   - mtaName: the MTA's name for itself.
    ///   - queueID: its name for the message.
    ///   - now: seconds since 1970.
    public init(
        _ header: HeaderSection, policy: ScrubPolicy, mtaName: String?, queueID: String?,
        now: Int64
    ) {
        var witness = RuleWitness()
        self.init(
            header, policy: policy, mtaName: mtaName, queueID: queueID, now: now,
            witness: &witness)
    }

    /// Works it out, and has noted or recalled what the rules' patterns say of values.
    ///
    /// - Parameters:
    ///   - header: the fields that the milter was shown.
    ///   - policy: what is wanted.
    ///   - mtaName: the MTA's name for itself.
    ///   - queueID: its name for the message.
    ///   - now: seconds since 1970.
    ///   - witness: is told, or tells, what patterns for values match.
    public init(
        _ header: HeaderSection, policy: ScrubPolicy, mtaName: String?, queueID: String?,
        now: Int64, witness: inout RuleWitness
    ) {
        let host = policy.host(mtaName: mtaName)
        let now = MailDate(seconds: now)
        let identifiers =
            policy.rewritesMessageIDs
            ? MessageIdentifiers(internalDomains: policy.internalDomains) : nil
        var covered: CoveredFields?
        var trace = TraceFields()
        for position in header.fields.indices {
            let rule = policy.rules.firstIndex(matching: position, of: header, &witness)
            let action = rule.map { policy.rules.rules[$0].action }
            let isReceived = header.isReceived(position)
            let stamp =
                isReceived ? ReceivedStamp(reading: header.value(of: position).span) : nil
            hops += stamp?.hops ?? 0
            guard
                let wanted = Self.wanted(
                    position, of: header, action: action, stamp: stamp,
                    rewriting: (policy.rewritesDate, identifiers), host: host, now: now)
            else { continue }
            // Only a message with something to change pays for reading its signatures.
            let signatures = covered ?? CoveredFields(of: header)
            covered = signatures
            if let signature = signatures.signature(covering: position, of: header) {
                spared.append(Spared(position: position, signature: signature))
                continue
            }
            if let stamp { trace.note(stamp, removedAt: wanted == .remove ? changes.count : nil) }
            if let rule, !deciding.contains(rule) { deciding.append(rule) }
            changes.append((position, wanted))
        }
        if policy.replacesOwnReceived {
            let own = ReceivedStamp(date: now, hops: 1 + trace.removedHops)
            ownReceived =
                [.space, .lf, .tab]
                + own.value(host: host, queueID: queueID, now: now).dropFirst()
        } else if let index = trace.firstRemoved {
            // Loops must still end: one field stays for all that go, and says how many they were.
            let stamp = ReceivedStamp(date: trace.date ?? now, hops: trace.removedHops)
            changes[index].change = .rewrite(stamp.value(host: host, now: now))
        }
        isLoop = trace.isTouched && hops > policy.hopLimit
    }

    /// Whether white space follows each line end, as RFC 5322, section 2.2.3, has it.
    private static func isFolded(_ value: [UInt8]) -> Bool {
        value.last != .lf
            && zip(value, value.dropFirst()).allSatisfy { $0 != .lf || $1 == .space || $1 == .tab }
    }

    /// The longest value that is written; Postfix itself carries no field over 60 kB.
    private static let valueLimit = 60_000

    /// Whether the MTA can be handed a value: what is longer, or has line ends that are no folds, cannot.
    static func canBeWritten(_ value: [UInt8]) -> Bool {
        value.count <= valueLimit && isFolded(value.filter { $0 != .cr })
    }

    /// What the rules and the other directives want done to a field; nil for nothing.
    private static func wanted(
        _ position: Int, of header: HeaderSection, action: ScrubRule.Action?, stamp: ReceivedStamp?,
        rewriting: (date: Bool, identifiers: MessageIdentifiers?), host: String, now: MailDate
    ) -> Change? {
        switch action {
        case .remove:
            // A name that no field may have cannot be named to the MTA either.
            return header.hasValidName(position) ? .remove : nil
        case .replace:
            if let stamp { return .rewrite(stamp.value(host: host, now: now)) }
            let name = FieldName(bytes: header.name(of: position))
            guard name == MIMEVersion.name else { return nil }
            return MIMEVersion.withoutComments(header.value(of: position)).map { .rewrite($0) }
        case .keep:
            return nil
        case nil:
            guard rewriting.date || rewriting.identifiers != nil else { return nil }
            let name = FieldName(bytes: header.name(of: position))
            let value = header.value(of: position)
            if rewriting.date, name == .date {
                guard let text = MailDate(parsing: value.span)?.text else { return nil }
                let new = [.space] + Array(text.utf8)
                return value.elementsEqual(new) ? nil : .rewrite(new)
            }
            guard MessageIdentifiers.fields.contains(name) else { return nil }
            guard let new = rewriting.identifiers?.rewritten(value, host: host) else { return nil }
            return canBeWritten(new) ? .rewrite(new.filter { $0 != .cr }) : nil
        }
    }
}

/// The Received fields that a plan touches.
private struct TraceFields {
    /// Whether any is removed or replaced.
    var isTouched = false
    /// Where in the plan's changes the topmost removal stands.
    var firstRemoved: Int?
    /// The date of the topmost one that is removed.
    var date: MailDate?
    /// The hops that the removed ones stand for together.
    var removedHops = 0

    mutating func note(_ stamp: ReceivedStamp, removedAt index: Int?) {
        isTouched = true
        guard let index else { return }
        removedHops = Swift.min(removedHops + stamp.hops, ReceivedStamp.hopsLimit)
        if firstRemoved == nil {
            firstRemoved = index
            date = stamp.date
        }
    }
}

extension HeaderSection {
    /// Whether a field is a Received field, and not one whose name only looks like it.
    public func isReceived(_ position: Int) -> Bool {
        let name = fields[position].name
        return name.count == 8
            && bytes[name].equalsIgnoringASCIICase(FieldName.received.lowercased)
    }

    /// Whether a field's name is one that RFC 5322, section 3.6.8, allows.
    func hasValidName(_ position: Int) -> Bool {
        let name = fields[position].name
        return !name.isEmpty && bytes[name].allSatisfy(FieldName.isNameOctet)
    }
}

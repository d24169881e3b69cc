/// An evaluation as octets, for the file of those that wait: each text with its length before it.
///
/// Trust: the daemon's own file, which a crash may have left in any state; what does not read is no
/// evaluation.
enum EvaluationRecord {
    /// The first octet: the form of what follows; others are of other releases.
    private static let version: UInt8 = 1

    /// Writes an evaluation.
    static func octets(of evaluation: Evaluation) -> [UInt8] {
        var writer = Writer()
        writer.add(evaluation.received)
        for text in [
            evaluation.reporter, evaluation.headerFrom, evaluation.result, evaluation.disposition,
            evaluation.arc,
        ] {
            writer.add(text)
        }
        for text in [
            evaluation.queueID, evaluation.sourceAddress, evaluation.helo, evaluation.envelopeFrom,
            evaluation.envelopeTo,
        ] {
            writer.add(text)
        }
        for flag in [
            evaluation.isDKIMAligned, evaluation.isSPFAligned, evaluation.isDecidedByChain,
            evaluation.policy != nil,
        ] {
            writer.add(flag)
        }
        if let policy = evaluation.policy {
            for text in [
                policy.domain, policy.applied, policy.p, policy.adkim, policy.aspf,
                policy.discovery,
            ] {
                writer.add(text)
            }
            for text in [policy.sp, policy.np, policy.failureOptions] { writer.add(text) }
            writer.add(policy.isTesting)
            writer.add(policy.reportAddresses) { $0.add($1) }
            writer.add(policy.failureAddresses) { $0.add($1) }
        }
        writer.add(evaluation.seals) { writer, seal in
            writer.add(Int64(seal.instance))
            writer.add(seal.domain)
            writer.add(seal.selector)
        }
        writer.add(evaluation.authentications) { writer, found in
            for text in [found.mechanism, found.domain, found.result] { writer.add(text) }
            for text in [found.selector, found.scope] { writer.add(text) }
        }
        writer.add(evaluation.overrides) { writer, override in
            writer.add(override.kind)
            writer.add(override.comment)
        }
        return [version] + writer.octets
    }

    /// Reads an evaluation; nil where the octets are none.
    static func evaluation(_ octets: [UInt8]) -> Evaluation? {
        guard octets.first == version else { return nil }
        var reader = Reader(rest: octets.dropFirst())
        guard let received = reader.integer(), let reporter = reader.text(),
            let headerFrom = reader.text(), let result = reader.text(),
            let disposition = reader.text(), let arc = reader.text()
        else { return nil }
        var evaluation = Evaluation(
            received: received, reporter: reporter, headerFrom: headerFrom, result: result,
            disposition: disposition)
        evaluation.arc = arc
        evaluation.queueID = reader.optional()
        evaluation.sourceAddress = reader.optional()
        evaluation.helo = reader.optional()
        evaluation.envelopeFrom = reader.optional()
        evaluation.envelopeTo = reader.optional()
        evaluation.isDKIMAligned = reader.flag()
        evaluation.isSPFAligned = reader.flag()
        evaluation.isDecidedByChain = reader.flag()
        if reader.flag() {
            guard let policy = policy(&reader) else { return nil }
            evaluation.policy = policy
        }
        evaluation.seals = reader.list { reader in
            guard let instance = reader.integer(), let domain = reader.text(),
                let selector = reader.text()
            else { return nil }
            return Evaluation.Seal(
                instance: Int(clamping: instance), domain: domain, selector: selector)
        }
        evaluation.authentications = reader.list { reader in
            guard let mechanism = reader.text(), let domain = reader.text(),
                let result = reader.text()
            else { return nil }
            return Evaluation.Authentication(
                mechanism: mechanism, domain: domain, selector: reader.optional(),
                scope: reader.optional(), result: result)
        }
        evaluation.overrides = reader.list { reader in
            guard let kind = reader.text(), let comment = reader.text() else { return nil }
            return Evaluation.Override(kind: kind, comment: comment)
        }
        return reader.hasFailed ? nil : evaluation
    }

    /// A number as four octets.
    static func octets(of number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
    }

    /// The number that four octets are; nil for another count.
    static func number(_ octets: [UInt8]) -> UInt32? {
        guard octets.count == 4 else { return nil }
        return octets.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func policy(_ reader: inout Reader) -> Evaluation.Policy? {
        guard let domain = reader.text(), let applied = reader.text(), let p = reader.text(),
            let adkim = reader.text(), let aspf = reader.text(), let discovery = reader.text()
        else { return nil }
        let (sp, np, failureOptions) = (reader.optional(), reader.optional(), reader.optional())
        let isTesting = reader.flag()
        return Evaluation.Policy(
            domain: domain, applied: applied, p: p, sp: sp, np: np, adkim: adkim, aspf: aspf,
            isTesting: isTesting, discovery: discovery,
            reportAddresses: reader.list { $0.text() }, failureOptions: failureOptions,
            failureAddresses: reader.list { $0.text() })
    }

    private struct Writer {
        var octets: [UInt8] = []

        mutating func add(_ text: String) {
            octets += EvaluationRecord.octets(of: UInt32(clamping: text.utf8.count))
            octets += text.utf8
        }

        mutating func add(_ text: String?) {
            add(text != nil)
            if let text { add(text) }
        }

        mutating func add(_ number: Int64) {
            octets += EvaluationRecord.octets(of: UInt32(truncatingIfNeeded: number))
            octets += EvaluationRecord.octets(of: UInt32(truncatingIfNeeded: number >> 32))
        }

        mutating func add(_ flag: Bool) { octets.append(flag ? 1 : 0) }

        mutating func add<Item>(_ items: [Item], _ each: (inout Writer, Item) -> Void) {
            octets += EvaluationRecord.octets(of: UInt32(clamping: items.count))
            for item in items { each(&self, item) }
        }
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>
        /// Whether there was less than what was to be read.
        var hasFailed = false

        private mutating func take(_ count: Int) -> [UInt8]? {
            guard !hasFailed, count <= rest.count else {
                hasFailed = true
                return nil
            }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }

        private mutating func number() -> UInt32? { take(4).flatMap(EvaluationRecord.number) }

        mutating func integer() -> Int64? {
            guard let low = number(), let high = number() else { return nil }
            return Int64(truncatingIfNeeded: UInt64(high) << 32 | UInt64(low))
        }

        mutating func text() -> String? {
            guard let count = number(), let octets = take(Int(count)) else { return nil }
            return String(decoding: octets, as: UTF8.self)
        }

        mutating func flag() -> Bool { take(1)?.first == 1 }

        mutating func optional() -> String? { flag() ? text() : nil }

        mutating func list<Item>(_ each: (inout Reader) -> Item?) -> [Item] {
            guard let count = number() else { return [] }
            var items: [Item] = []
            while items.count < Int(count), let item = each(&self) { items.append(item) }
            if items.count < Int(count) { hasFailed = true }
            return items
        }
    }
}

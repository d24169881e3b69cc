internal import MailDNS
internal import MailSyntax
internal import Threads

/// One check under way (RFC 7208, sections 4.3 to 4.7).
///
/// Trust: records, names and answers are from anyone. The recursion is bounded by the limit on
/// terms: each "include" and "redirect" counts before its target is asked for.
struct SPFEvaluation {
    let request: SPFRequest
    let receiver: String
    let records: SPFRecordCache
    let time: TimeSource
    var ledger: SPFLedger
    /// The client's validated names, once they have been asked for.
    private(set) var clientNames: ClientNames?

    init(
        request: SPFRequest, receiver: String, records: SPFRecordCache, time: TimeSource,
        ledger: SPFLedger
    ) {
        self.request = request
        self.receiver = receiver
        self.records = records
        self.time = time
        self.ledger = ledger
    }

    /// The record type of addresses of the client's family (RFC 7208, section 5).
    var addressType: RecordType {
        if case .v4 = request.client { .a } else { .aaaa }
    }

    /// check_host() for a domain that is well formed; `term` is what led there.
    mutating func checkHost(_ domain: DomainName, term: String?) -> SPFVisit {
        var visit = SPFVisit(domain: domain, term: term)
        do {
            guard let record = try record(of: domain) else { return visit }
            visit.record = record
            try evaluate(record, &visit)
        } catch {
            visit.ending = .problem(error)
            visit.result = error.result
        }
        return visit
    }

    /// Looks the record up and selects it (RFC 7208, sections 4.4 and 4.5).
    private mutating func record(of domain: DomainName) throws(SPFProblem) -> SPFRecord? {
        var selected: [UInt8]?
        for record in try ledger.ask(domain, .txt) {
            guard case .text(let strings) = record else { continue }
            let bytes = joined(strings)
            guard SPFRecord.hasVersion(bytes) else { continue }
            guard selected == nil else { throw .severalRecords(domain: domain) }
            selected = bytes
        }
        guard let selected else { return nil }
        do {
            return try records.record(for: selected).get()
        } catch {
            throw .syntax(error, domain: domain)
        }
    }

    /// Concatenates character strings without spaces (RFC 7208, section 3.3).
    private func joined(_ strings: [[UInt8]]) -> [UInt8] {
        strings.count == 1 ? strings[0] : Array(strings.joined())
    }

    /// Takes the mechanisms from left to right, then "redirect" (RFC 7208, section 4.6).
    private mutating func evaluate(
        _ record: SPFRecord, _ visit: inout SPFVisit
    ) throws(SPFProblem) {
        for (index, directive) in record.directives.enumerated() {
            if directive.mechanism.asksDNS { try ledger.countTerm() }
            let matches: Bool
            if case .include(let spec) = directive.mechanism {
                // It is passed over, and is no include of a domain without a record (section 5.2).
                if isUnmatchable(spec, record) { continue }
                let inner = try include(spec, directive, record, &visit)
                guard inner != .temperror, inner != .permerror else {
                    visit.ending = .includeFailed
                    visit.result = inner
                    return
                }
                matches = inner == .pass
            } else {
                matches = try self.matches(directive.mechanism, record, visit.domain)
            }
            if matches {
                visit.ending = .matched(index)
                visit.result = directive.qualifier.result
                return
            }
        }
        // RFC 7208, section 5.1: "Any "redirect" modifier MUST be ignored when there is an "all"".
        if let spec = record.redirect, !record.hasAll, !isUnmatchable(spec, record) {
            try redirect(spec, record, &visit)
        } else {
            // RFC 7208, section 4.7.
            visit.ending = .unmatched
            visit.result = .neutral
        }
    }

    /// Evaluates the target of an "include" (RFC 7208, section 5.2).
    private mutating func include(
        _ spec: SPFDomainSpec, _ directive: SPFDirective, _ record: SPFRecord,
        _ visit: inout SPFVisit
    ) throws(SPFProblem) -> SPFResult {
        let inner = try checkTarget(
            spec, term: record.text(of: directive), record, visit.domain)
        visit.nested.append(inner)
        return inner.result
    }

    /// Goes on with another domain's record (RFC 7208, section 6.1).
    private mutating func redirect(
        _ spec: SPFDomainSpec, _ record: SPFRecord, _ visit: inout SPFVisit
    ) throws(SPFProblem) {
        try ledger.countTerm()
        let inner = try checkTarget(
            spec, term: "redirect=" + record.text(in: spec.range), record, visit.domain)
        visit.nested.append(inner)
        visit.ending = .redirected
        visit.result = inner.result
    }

    /// check_host() for the target of a term, to which "none" is a "permerror".
    private mutating func checkTarget(
        _ spec: SPFDomainSpec, term: String, _ record: SPFRecord, _ domain: DomainName
    ) throws(SPFProblem) -> SPFVisit {
        guard let target = try targetName(spec, record, domain), target.labelCount > 1 else {
            throw .noRecord(target: record.text(in: spec.range))
        }
        let inner = checkHost(target, term: term)
        guard inner.result != .none else { throw .noRecord(target: target.ascii) }
        return inner
    }
}

// MARK: - The client's names (RFC 7208, section 5.5)

extension SPFEvaluation {
    /// What the reverse zone says of the client.
    struct ClientNames {
        /// The names whose addresses include the client's, in the order of the answer.
        var validated: [DomainName] = []
        /// Whether there was no PTR record.
        var isVoid = false
    }

    /// Looks up the client's PTR names and validates them, once in a check.
    ///
    /// An error in the PTR lookup, and one in an address lookup, mean that there is no such name.
    mutating func validatedNames() -> ClientNames {
        if let clientNames { return clientNames }
        var found = ClientNames()
        if let reverse = try? DomainName(request.client.reverseName) {
            switch ledger.answer(to: ledger.begin(reverse, .ptr)) {
            case .records(let records, _): found.validated = validated(records)
            case .noData, .nameError: found.isVoid = true
            case .failure: break
            }
        }
        clientNames = found
        return found
    }

    private mutating func validated(_ records: [DNSRecord]) -> [DomainName] {
        var names: [DomainName] = []
        // RFC 7208, section 4.6.4: "all records other than the first 10 MUST be ignored".
        for case .name(let name) in records.prefix(ledger.limits.names)
        where !names.contains(name) && name != .root {
            names.append(name)
        }
        // "If a DNS error occurs while doing an A RR lookup, then that domain name is skipped."
        return ledger.begin(Array(names.prefix(ledger.room)), addressType).filter { lookup in
            (try? ledger.settle(lookup))?.addresses.contains(request.client) ?? false
        }.map(\.question.name)
    }
}

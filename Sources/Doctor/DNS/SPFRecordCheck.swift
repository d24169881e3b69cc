internal import MailAuth
internal import MailDNS
internal import MailSyntax

/// Looks into the one SPF record of a domain.
struct SPFRecordCheck {
    /// The record's character strings.
    let strings: [[UInt8]]
    /// What is proposed in its place.
    let proposal: SPFProposal
    /// Asks the DNS.
    let dns: DNSLookup

    /// More octets may not fit into an answer of 512 beside the question (RFC 7208, section 3.4).
    private static let comfortableLength = 450

    private var domain: DomainName { proposal.domain }

    private var octets: [UInt8] { Array(strings.joined()) }

    /// What is wrong with it.
    func findings() throws(DNSTrouble) -> [Diagnosis] {
        let record: SPFRecord
        do throws(SPFSyntaxError) {
            record = try SPFRecord(parsing: octets)
        } catch {
            return [unparsable(error)]
        }
        let (findings, lookups) = try evaluation(record)
        let all = shape(record) + findings
        return all.isEmpty ? redundancy(record, lookups) : all
    }

    /// Terms that cost lookups for nothing, where nothing is wrong otherwise.
    private func redundancy(_ record: SPFRecord, _ lookups: Int) -> [Diagnosis] {
        let pairs: [SPFRedundancy.Pair]
        do throws(DNSTrouble) {
            pairs = try SPFRedundancy(domain: domain, record: record, dns: dns).pairs()
        } catch {
            // Whether a term could go is no reason to say nothing of the record.
            return []
        }
        guard let first = pairs.first else { return [] }
        let words =
            pairs.count == 1
            ? "\"\(Shown.text(first.term))\" matches nothing that \"\(Shown.text(first.other))\" does not"
            : "\(Shown.list(pairs.map { "\"\(Shown.text($0.term))\"" })) match nothing that other terms do not"
        return [
            Diagnosis(
                .spfRedundant, domain.ascii,
                "\(words); the record makes \(lookups) of \(SPFLimits().terms) lookups",
                mend: proposal.mend)
        ]
    }

    private func unparsable(_ error: SPFSyntaxError) -> Diagnosis {
        let apart = strings.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        if strings.count > 1, (try? SPFRecord(parsing: Array(apart.utf8))) != nil {
            return Diagnosis(
                .spfSplit, domain.ascii,
                "the record is in \(strings.count) strings, with no blank where they meet",
                mend: proposal.mend)
        }
        return Diagnosis(
            .spfSyntax, domain.ascii, "the record has \(error): \"\(Shown.text(octets))\"",
            mend: .words("correct the record; \"signet spf\" shows how it is evaluated"))
    }

    /// What can be seen without asking further.
    private func shape(_ record: SPFRecord) -> [Diagnosis] {
        var findings: [Diagnosis] = []
        if !record.hasAll, record.redirect == nil {
            findings.append(
                Diagnosis(
                    .spfOpenEnd, domain.ascii, "the record has neither \"all\" nor \"redirect\"",
                    mend: proposal.mend))
        }
        let all = record.directives.firstIndex { $0.mechanism == .all }
        if let all, all + 1 < record.directives.count || record.redirect != nil {
            findings.append(
                Diagnosis(
                    .spfAfterAll, domain.ascii, "there are terms after \"all\"",
                    mend: proposal.mend))
        }
        let pointers = record.directives.filter {
            if case .ptr = $0.mechanism { true } else { false }
        }
        if !pointers.isEmpty {
            let terms = pointers.map { record.text(of: $0) }
            findings.append(
                Diagnosis(
                    .spfPTR, domain.ascii, "the record uses \"\(Shown.text(terms[0]))\"",
                    mend: proposal.mend))
        }
        if octets.count > Self.comfortableLength {
            findings.append(
                Diagnosis(
                    .spfLength, domain.ascii, "the record has \(octets.count) octets",
                    mend: .words(
                        "shorten it below \(Self.comfortableLength): networks instead of addresses, "
                            + "or an include")))
        }
        return findings
    }

    /// What comes out when the whole tree is walked, as for a client that nothing matches.
    private func evaluation(
        _ record: SPFRecord
    ) throws(DNSTrouble) -> (findings: [Diagnosis], lookups: Int) {
        var findings: [Diagnosis] = []
        var lookups = 0
        for stranger in Self.strangers where findings.isEmpty {
            let outcome = dns.spf(
                .mailFrom(
                    Array("postmaster@\(domain.ascii)".utf8), helo: Array("unknown".utf8),
                    client: stranger), limits: Self.countingLimits)
            findings = try self.findings(outcome)
            lookups = max(lookups, outcome.lookups)
        }
        return (findings, lookups)
    }

    private func findings(_ outcome: SPFOutcome) throws(DNSTrouble) -> [Diagnosis] {
        let limits = SPFLimits()
        switch outcome.problem {
        case .dns(let question, let failure):
            throw DNSTrouble(question: question, failure: failure)
        case .noRecord, .severalRecords, .syntax:
            return [
                Diagnosis(
                    .spfTarget, domain.ascii, outcome.problem?.description ?? "",
                    mend: .words(
                        "take the include or redirect out of the record, or correct its name"))
            ]
        case .tooManyLookups, .tooManyQuestions, .tooManyMailExchangers, .deadline:
            return [tooMany(outcome, limits)]
        case .tooManyVoidLookups, nil: break
        }
        if outcome.lookups > limits.terms { return [tooMany(outcome, limits)] }
        if outcome.voidLookups > limits.voidLookups {
            return [
                Diagnosis(
                    .spfVoids, domain.ascii,
                    "\(outcome.voidLookups) lookups find nothing, and \(limits.voidLookups) may",
                    mend: .words("take out the terms whose names have no such records"))
            ]
        }
        guard outcome.result == .pass else { return [] }
        let term = outcome.decision?.mechanism ?? "all"
        let place = outcome.decision?.domain ?? domain
        let isOwnEnd = SPFText.isAll(term) && place == domain
        return [
            Diagnosis(
                .spfPermitsAll, domain.ascii,
                "\"\(Shown.text(term))\"\(place == domain ? "" : " in the record of \(place.ascii)") lets every "
                    + "address pass",
                mend: isOwnEnd
                    ? proposal.mend
                    : .words(
                        "take out of the record what lets them pass, and name the hosts that send"))
        ]
    }

    private func tooMany(_ outcome: SPFOutcome, _ limits: SPFLimits) -> Diagnosis {
        let tree = outcome.visit.map(Self.tree).map { ": \($0)" } ?? ""
        return Diagnosis(
            .spfLookups, domain.ascii,
            "the record needs \(outcome.lookups) lookups, and \(limits.terms) may be made\(tree)",
            mend: .words("take out includes that nobody sends through, or name networks with ip4:"))
    }

    /// The records of the tree that ask most, such as `a.example 4, b.example 3`.
    private static func tree(_ visit: SPFVisit) -> String {
        let counts = counts(visit).sorted { $0.count > $1.count }.prefix(5)
        return counts.map { "\($0.domain.ascii) \($0.count)" }.joined(separator: ", ")
    }

    private static func counts(_ visit: SPFVisit) -> [(domain: DomainName, count: Int)] {
        let own = visit.record?.directives.count { $0.mechanism.asksDNS } ?? 0
        let redirect = visit.record?.redirect == nil || visit.record?.hasAll == true ? 0 : 1
        return [(visit.domain, own + redirect)] + visit.nested.flatMap(counts)
    }

    /// Addresses that nobody sends from: the IPv4 dummy address (RFC 7600) and the discard prefix (RFC 6666).
    private static let strangers = [IPAddress("192.0.0.8"), IPAddress("100::1")].compactMap(\.self)

    /// Enough to count beyond what the standard allows; the questions stay bounded.
    private static var countingLimits: SPFLimits {
        var limits = SPFLimits()
        limits.terms = 40
        limits.voidLookups = 40
        limits.questions = 120
        return limits
    }
}

/// What the comparison with what was signed says, in sentences.
package struct ClosedLoopWords {
    private let domain: DomainInsight
    private let loop: ClosedLoop

    /// How many reporters, and how many sources or selectors of each, are named.
    private static let (reporters, names) = (10, 3)

    /// The words about a domain; nil where nothing is known of what was signed for it.
    package init?(_ domain: DomainInsight) {
        guard let loop = domain.loop else { return nil }
        (self.domain, self.loop) = (domain, loop)
    }

    /// The answer, and then what it is made of.
    package var sentences: [String] {
        var sentences = [answer]
        sentences += worst.prefix(Self.reporters).map(Self.sentence)
        if worst.count > Self.reporters {
            sentences.append("and at \(worst.count - Self.reporters) more reporters")
        }
        if loop.unsigned > 0 {
            sentences.append(
                "\(Percent.number(loop.unsigned)) that failed bear no signature of yours: they never passed here"
            )
        }
        let around = unsignedOfOurs
        if around > 0 {
            sentences.append(
                "\(Percent.number(around)) of these came from hosts of yours: mail that goes around the signer"
            )
        }
        if loop.others > 0 {
            let number = Percent.number(loop.others)
            sentences.append(
                "\(number) that failed have a signature that was not made here: \(Self.list(loop.otherSelectors, "selector"))"
            )
        }
        if !loop.unverifiable.isEmpty {
            sentences.append(
                "signatures that reporters could not verify beside one that passed, which is no failure: \(Self.list(loop.unverifiable, "selector"))"
            )
        }
        return sentences
    }

    /// How much was signed, and how much of it failed.
    private var answer: String {
        let signed =
            "signed here since \(InsightText.day(loop.begin)): \(Percent.number(loop.signed)) message\(loop.signed == 1 ? "" : "s") to"
            + (loop.recipients == 1
                ? " 1 domain" : " \(loop.recipients) domains, one to several counted for each")
        guard loop.ours > 0 else { return "\(signed); no report speaks of one" }
        return "\(signed); reports speak of \(Percent.number(loop.ours)), of which"
            + " \(loop.broken == 0 ? "none" : Percent.text(loop.broken, of: loop.ours)) failed"
    }

    /// What one reporter says.
    package struct Line {
        /// Its organizational domain.
        package let reporter: String
        /// How many messages of ours it has seen.
        package let messages: Int64
        /// How many of them failed.
        package let failed: Int64
        /// Where the failures came from, the most first.
        package let sources: [(name: String, failed: Int64)]
    }

    /// The reporters at which mail of ours failed, the most failures first.
    package var worst: [Line] {
        let names = Dictionary(
            domain.sources.map { ($0.address, $0.name) }, uniquingKeysWith: { one, _ in one })
        return loop.reporters.filter { $0.value.failed > 0 }.map { name, reporter in
            var sums: [String: Int64] = [:]
            for (address, failed) in reporter.sources {
                sums[names[address] ?? address, default: 0] += failed
            }
            return Line(
                reporter: name.isEmpty ? "an unknown reporter" : name, messages: reporter.messages,
                failed: reporter.failed,
                sources: sums.map { ($0.key, $0.value) }.sorted { ($0.1, $1.0) > ($1.1, $0.0) })
        }.sorted { ($0.failed, $1.reporter) > ($1.failed, $0.reporter) }
    }

    /// How many that failed without a signature came from hosts that are ours.
    package var unsignedOfOurs: Int64 {
        let ours = Set(domain.sources.filter { $0.kind == .own || $0.kind == .spf }.map(\.address))
        return loop.unsignedSources.reduce(0) { ours.contains($1.key) ? $0 + $1.value : $0 }
    }

    private static func sentence(_ line: Line) -> String {
        let share = Percent.text(line.failed, of: line.messages)
        let start =
            "at \(line.reporter): \(share) of \(Percent.number(line.messages)) failed"
        guard let first = line.sources.first else { return start }
        if line.sources.count == 1 { return "\(start), all through \(first.name)" }
        let named = line.sources.prefix(names).map { "\($0.name) (\(Percent.number($0.failed)))" }
        let rest = line.sources.count - names
        return "\(start), through \(named.joined(separator: ", "))"
            + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func list(_ numbers: [String: Int64], _ word: String) -> String {
        let sorted = numbers.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        let rest = sorted.count - names
        return "\(word)\(sorted.count == 1 ? "" : "s") "
            + sorted.prefix(names).map { "\($0.key), \(Percent.number($0.value)) messages" }
            .joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
    }
}

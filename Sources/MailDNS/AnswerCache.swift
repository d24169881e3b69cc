internal import MailSyntax
package import Threads

/// Answers kept in memory for as long as their TTL allows, in front of libunbound's own cache.
///
/// Asking libunbound's thread for a cached answer costs two thread switches; finding it here
/// costs a hash look-up. Senders decide what is asked, so entries and octets are bounded: each
/// shard has two generations, and when the young one is full the old one is dropped as a whole.
package struct AnswerCache: Sendable {
    private struct Entry {
        let answer: DNSAnswer
        let expiry: MonotonicTime
        let cost: Int
    }

    private struct Generations {
        var young: [DNSQuestion: Entry] = [:]
        var old: [DNSQuestion: Entry] = [:]
        var youngCost = 0

        mutating func insert(_ entry: Entry, for question: DNSQuestion) {
            if young.count >= maximumEntries || youngCost + entry.cost > maximumCost {
                old = young
                young = [:]
                youngCost = 0
            }
            if let replaced = young.updateValue(entry, forKey: question) {
                youngCost -= replaced.cost
            }
            youngCost += entry.cost
        }
    }

    private final class Shard: Sendable {
        let generations = Locked(Generations())
    }

    /// Bounds of one generation of one shard: 4096 entries and 1 MB in all.
    private static let maximumEntries = 256
    private static let maximumCost = 64 * 1024
    /// An answer is asked for again after an hour, whatever its TTL says.
    private static let maximumAge = 3600

    private let shards = (0..<8).map { _ in Shard() }

    /// An empty cache.
    package init() {}

    /// The answer to a question, if there is one that has not expired.
    package func answer(to question: DNSQuestion, at now: MonotonicTime) -> DNSAnswer? {
        entry(for: question, at: now)?.answer
    }

    /// The answer to a question as a promise that is kept, with the time for which it still holds.
    package func promise(for question: DNSQuestion, at now: MonotonicTime) -> PendingAnswer? {
        entry(for: question, at: now).map { entry in
            .ready(entry.answer, timeToLive: Int(entry.expiry.seconds(since: now).rounded(.up)))
        }
    }

    private func entry(for question: DNSQuestion, at now: MonotonicTime) -> Entry? {
        shard(for: question).generations.withLock { generations in
            if let entry = generations.young[question] {
                return entry.expiry > now ? entry : nil
            }
            guard let entry = generations.old.removeValue(forKey: question), entry.expiry > now
            else { return nil }
            generations.insert(entry, for: question)
            return entry
        }
    }

    /// Keeps an answer; failures and answers without a TTL are not kept.
    package func insert(
        _ answer: DNSAnswer, to question: DNSQuestion, ttl: Int, at now: MonotonicTime
    ) {
        guard ttl > 0, let size = answer.approximateSize else { return }
        let entry = Entry(
            answer: answer, expiry: now + Double(min(ttl, Self.maximumAge)),
            cost: size + question.name.ascii.utf8.count + 128)
        guard entry.cost <= Self.maximumCost else { return }
        shard(for: question).generations.withLock { $0.insert(entry, for: question) }
    }

    private func shard(for question: DNSQuestion) -> Shard {
        shards[question.hashValue & (shards.count - 1)]
    }
}

extension DNSAnswer {
    /// The octets that the answer takes in memory, roughly; nil for a failure.
    fileprivate var approximateSize: Int? {
        switch self {
        case .records(let records, _): records.reduce(0) { $0 + $1.approximateSize }
        case .noData, .nameError: 0
        case .failure: nil
        }
    }
}

extension DNSRecord {
    fileprivate var approximateSize: Int {
        switch self {
        case .address: 32
        case .mx(_, let name), .name(let name), .srv(_, _, _, let name): 64 + name.ascii.utf8.count
        case .text(let strings): strings.reduce(48) { $0 + $1.count + 40 }
        }
    }
}

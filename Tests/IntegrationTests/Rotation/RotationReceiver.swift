import Foundation
import MailAuth
import MailDNS
import MailSyntax
import TestKit
import Threads
import UnboundDNS

/// Receivers of the mail that a sink has, each with a caching resolver: they verify every message when it arrives, and again when a
/// queue's life has passed.
///
/// One asks the primary and the other the secondary that lags. Both are asked all the time for every selector that is in the
/// keys' folder, also before it is in the DNS: they remember that there was nothing for as long as they may.
final class RotationReceiver: Sendable {
    /// What became of the messages.
    struct Tally: Sendable {
        /// How many messages were verified on arrival, and how many later once more.
        var arrived = 0
        var later = 0
        /// With which selectors they were signed.
        var selectors: Set<String> = []
        /// What did not verify.
        var faults: [String] = []
        fileprivate var isOver = false
        fileprivate var hasEnded = false
    }

    private struct Kept {
        let message: SMTPSink.Message
        let due: MonotonicTime
    }

    private let tally = Locked(Tally())
    private let sink: SMTPSink
    private let resolvers: [(name: String, resolver: UnboundResolver)]
    private let selectors: @Sendable () -> Set<String>
    private let keys = ParsedKeyCache()
    private let later: Double

    /// Begins.
    ///
    /// - Parameters:
    ///   - sink: where messages arrive.
    ///   - servers: the authoritative servers.
    ///   - later: after how many seconds a message is verified again.
    ///   - selectors: those that are looked for all the time.
    /// - Throws: what a resolver lacks.
    init(
        _ sink: SMTPSink, _ servers: PrivateServers, later: Double,
        selectors: @escaping @Sendable () -> Set<String>
    ) throws {
        self.sink = sink
        self.later = later
        self.selectors = selectors
        resolvers = [
            ("primary", try UnboundResolver(.init(nameservers: [servers.primary]))),
            ("secondary", try UnboundResolver(.init(nameservers: [servers.secondary]))),
        ]
        BackgroundThread.start { self.run() }
    }

    /// What became of the messages so far.
    var result: Tally { tally.withLock { $0 } }

    /// Ends, once all that has arrived is verified for the second time.
    func finish(seconds: Double) throws -> Tally {
        tally.withLock { $0.isOver = true }
        return try wait(for: "all messages to be verified again", seconds: seconds) {
            let tally = result
            return tally.hasEnded ? tally : nil
        }
    }

    private func run() {
        var taken = 0
        var kept: [Kept] = []
        while true {
            let isOver = result.isOver
            probe()
            let messages = sink.messages
            for message in messages[taken...] {
                verify(message, "on arrival") { $0.arrived += 1 }
                kept.append(Kept(message: message, due: MonotonicTime.now() + later))
            }
            taken = messages.count
            let due = kept.prefix { $0.due < MonotonicTime.now() }
            for one in due { verify(one.message, "later") { $0.later += 1 } }
            kept.removeFirst(due.count)
            if isOver, kept.isEmpty, sink.messages.count == taken { break }
            usleep(20_000)
        }
        tally.withLock { $0.hasEnded = true }
    }

    private func probe() {
        for selector in selectors() {
            guard let name = try? DomainName("\(selector)._domainkey.example.org") else { continue }
            for (_, resolver) in resolvers { _ = answer(DNSQuestion(name, .txt), resolver) }
        }
    }

    private func answer(_ question: DNSQuestion, _ resolver: UnboundResolver) -> DNSAnswer {
        resolver.resolve(question, deadline: MonotonicTime.now() + 10)
    }

    private func verify(
        _ message: SMTPSink.Message, _ moment: String, _ count: (inout Tally) -> Void
    ) {
        var faults: [String] = []
        var found: Set<String> = []
        for (name, resolver) in resolvers {
            var results = self.results(message, resolver)
            // A receiver that gets no answer asks the sender to come again.
            for _ in 0..<3 where results.contains(where: { $0.status == .temperror }) {
                results = self.results(message, resolver)
            }
            found.formUnion(results.compactMap { $0.selector?.ascii })
            if results.isEmpty { faults.append("unsigned") }
            for result in results where result.status != .pass {
                let time = Date().timeIntervalSince1970
                faults.append(
                    "\(time) \(moment), by the \(name): \(result.selector?.ascii ?? "?") "
                        + "\(result.status) \(result.reason.description)")
            }
        }
        tally.withLock { tally in
            count(&tally)
            tally.selectors.formUnion(found)
            // A whole run that fails is enough told by its first faults.
            if tally.faults.count < 20 { tally.faults += faults }
        }
    }

    private func results(
        _ message: SMTPSink.Message, _ resolver: UnboundResolver
    ) -> [DKIMResult] {
        guard let split = try? HeaderSection.split(message: message.bytes, limits: .standard) else {
            return []
        }
        var verifier = DKIMVerifier(
            header: split.header, authorDomains: [], now: Int64(Date().timeIntervalSince1970),
            options: DKIMVerifierOptions())
        for question in verifier.questions {
            verifier.answer(question, answer(question, resolver))
        }
        verifier.update(message.bytes.span.extracting(split.bodyStart...))
        return verifier.finish(keys: keys).results
    }
}

internal import Foundation
internal import MailAuth
internal import MailCrypto
internal import Synchronization
internal import TestKit

/// CPU time of one 2 kB message, beside the peer, the bare operation and a filter that does nothing.
enum Costs {
    private struct Line {
        let subject: Subject
        /// The filter that does nothing with the same mail.
        let null: Int
        /// The operation at the heart of the work, if it is known.
        let bare: Int
        /// The limit for what we add, in microseconds; nil for others.
        let isOurs: Bool
        var cost: [Double] = []
        var own: [Double] = []
    }

    /// Measures in `rounds` rounds of `count` messages for each program, one after another.
    static func run(rounds: Int, count: Int) throws {
        let bench = try Bench()
        let keys = bench.keys
        let nulls = [try bench.null(), try bench.null(inbound: true)]
        let operations = [
            BareOperation.sign(keys.rsa.key),
            BareOperation.sign(keys.ed25519.key),
            BareOperation.verify(keys.rsa.key),
        ]
        var lines = [
            Line(subject: try bench.signer(keys.rsa), null: 0, bare: 0, isOurs: true),
            Line(subject: try bench.signer(keys.ed25519), null: 0, bare: 1, isOurs: true),
            Line(subject: try bench.verifier(), null: 1, bare: 2, isOurs: true),
        ]
        if FileManager.default.isExecutableFile(atPath: Bench.opendkim) {
            lines += [
                Line(subject: try bench.peerSigner(keys.rsa), null: 0, bare: 0, isOurs: false),
                Line(subject: try bench.peerSigner(keys.ed25519), null: 0, bare: 1, isOurs: false),
                Line(subject: try bench.peerVerifier(), null: 1, bare: 2, isOurs: false),
            ]
        }
        var nullCosts: [[Double]] = [[], []]
        var bareCosts: [[Double]] = operations.map { _ in [] }
        for _ in 0..<rounds {
            for index in nulls.indices {
                nullCosts[index].append(try nulls[index].cost(of: count))
            }
            for index in operations.indices {
                let busy = nulls[1]
                bareCosts[index].append(
                    try operations[index].cost { _ = try busy.cost(of: count) })
            }
            for index in lines.indices {
                let cost = try lines[index].subject.cost(of: count)
                lines[index].cost.append(cost)
                let floor =
                    (nullCosts[lines[index].null].last ?? 0)
                    + (bareCosts[lines[index].bare].last ?? 0)
                lines[index].own.append(cost - floor)
            }
        }
        Report.table(["2 kB message, 8 connections", "CPU µs", "bare", "null", "own"]) {
            for line in lines {
                Report.row(
                    line.subject.name, line.cost.median, bareCosts[line.bare].median,
                    nullCosts[line.null].median, line.own.median)
            }
        }
        for line in lines where line.isOurs {
            Report.limit("\(line.subject.name): own µs", line.own.median, atMost: 30)
        }
    }
}

/// An operation of OpenSSL alone, with everything around it prepared.
struct BareOperation: Sendable {
    private let body: @Sendable () -> Void

    /// Signing a hash.
    static func sign(_ key: PrivateKey) -> BareOperation {
        let hash = [UInt8](repeating: 7, count: SHA256.length)
        return BareOperation { _ = try? key.sign(hash.span) }
    }

    /// Verifying a signature.
    static func verify(_ key: PrivateKey) -> BareOperation {
        let hash = [UInt8](repeating: 7, count: SHA256.length)
        let signature = (try? key.sign(hash.span)) ?? []
        return BareOperation {
            _ = key.publicKey.verify(signature.span, of: hash.span)
        }
    }

    /// The CPU time of one, in microseconds, while something else goes on.
    ///
    /// Processors share caches, power and units: alone on a machine that is idle the same operation takes a tenth less, which would
    /// count against the filters that never have it so.
    func cost(beside work: () throws -> Void) rethrows -> Double {
        let meter = Meter()
        let thread = Thread {
            var count = 0
            let time = threadMicroseconds {
                repeat {
                    body()
                    count += 1
                } while !meter.isOver.load(ordering: .relaxed)
            }
            meter.result.withLock { $0 = time / Double(count) }
            meter.hasEnded.signal()
        }
        thread.start()
        defer { meter.isOver.store(true, ordering: .relaxed) }
        try work()
        meter.isOver.store(true, ordering: .relaxed)
        meter.hasEnded.wait()
        return meter.result.withLock(\.self)
    }

    private final class Meter: Sendable {
        let isOver = Atomic(false)
        let result = Mutex(0.0)
        let hasEnded = DispatchSemaphore(value: 0)
    }
}

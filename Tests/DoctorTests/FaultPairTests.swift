import Doctor
import Foundation
import Testing

/// Two faults of Postfix's configuration at once: no two findings want different values for one parameter, and doing what the
/// doctor prints ends at a host that is well.
struct FaultPairTests {
    /// Two faults, as they are broken one after the other.
    struct Pair: CustomTestStringConvertible, Sendable {
        let first: Fault
        let second: Fault

        var testDescription: String { "\(first) + \(second)" }
    }

    /// The faults that are mended by what the doctor prints.
    private static let faults = FaultTests.faults.filter { fault in
        !fault.isMendedByHand
            && fault.changes.allSatisfy { change in
                switch change {
                case .addLine(_, let file), .removeLine(_, let file), .replace(_, _, let file):
                    file.hasPrefix("/etc/postfix/")
                default: false
                }
            }
    }

    /// How many pairs are tried; SIGNET_PAIRS has another number for a long run.
    private static let count =
        ProcessInfo.processInfo.environment["SIGNET_PAIRS"].flatMap { Int($0) } ?? 40

    static let pairs: [Pair] = {
        var seed: UInt64 = 20_261_128
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }
        return (0..<count).map { _ in
            Pair(first: faults[next(faults.count)], second: faults[next(faults.count)])
        }
    }()

    /// What one mend uncovers, a further round finds.
    private static let mostRounds = 4

    @Test(arguments: pairs)
    func `two faults are mended, and no mend undoes another`(_ pair: Pair) throws {
        let patient = try Patient()
        for change in pair.first.changes { try patient.apply(change) }
        // What the first has changed may not be there for the second.
        for change in pair.second.changes { do { try patient.apply(change) } catch { continue } }
        var found = try patient.faults()
        for _ in 0..<Self.mostRounds where !found.isEmpty {
            let mends = Set(found.compactMap(\.mend))
            let parameters = mends.compactMap { mend in
                if case .parameter(let name, _) = mend { name } else { nil }
            }
            #expect(Set(parameters).count == parameters.count, "\(mends)")
            for mend in mends { do { _ = try patient.apply(mend) } catch { continue } }
            found = try patient.faults()
        }
        let isForPerson = found.contains { if case .words = $0.mend { true } else { false } }
        #expect(found.isEmpty || isForPerson, "\(found)")
    }
}

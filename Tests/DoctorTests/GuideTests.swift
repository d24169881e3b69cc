import Doctor
import Testing

/// Hosts set up as guides say: each mistake has its finding, and doing what the doctor prints ends at a host that is well.
struct GuideTests {
    static let guides: [Fault] = {
        do {
            return try Fault.table(Patient.text("Faults/guides.txt"))
        } catch { fatalError("\(error)") }
    }()

    /// What one mend uncovers, a further round finds.
    private static let mostRounds = 4

    @Test(arguments: guides)
    func `a guide's mistakes are found and mended`(_ guide: Fault) throws {
        let patient = try Patient()
        for change in guide.changes { try patient.apply(change) }
        var found = try patient.faults()
        #expect(Set(found.map(\.id)) == Set(guide.id.split(separator: " ").map(String.init)))
        for _ in 0..<Self.mostRounds where !found.isEmpty {
            // The mend of several findings is made once.
            for mend in Set(found.compactMap(\.mend)) { _ = try patient.apply(mend) }
            found = try patient.faults()
        }
        let isForPerson = found.contains { if case .words = $0.mend { true } else { false } }
        #expect(found.isEmpty || (guide.isMendedByHand && isForPerson), "\(found)")
        #expect(found.isEmpty != guide.isMendedByHand)
    }
}

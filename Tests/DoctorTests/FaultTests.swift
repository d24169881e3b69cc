import Doctor
import Testing

/// Each fault of the tables is found, alone, and is gone when what the doctor prints has been done.
struct FaultTests {
    static let faults: [Fault] = {
        do {
            return try ["dns", "local"].flatMap {
                try Fault.table(Patient.text("Faults/\($0).txt"))
            }
        } catch { fatalError("\(error)") }
    }()

    @Test func `a healthy host gives no finding`() throws {
        let patient = try Patient()
        #expect(try patient.faults() == [])
    }

    @Test(arguments: faults)
    func `a fault is found and mended`(_ fault: Fault) throws {
        let patient = try Patient()
        for change in fault.changes { try patient.apply(change) }
        let found = try patient.faults()
        #expect(Set(found.map(\.id)) == [fault.id], "\(found)")
        #expect(found.allSatisfy { !$0.what.isEmpty && !$0.why.isEmpty })
        let mends = found.compactMap(\.mend)
        #expect(mends.count == found.count, "nothing is said that mends it")
        var isMended = !mends.isEmpty
        for mend in mends { isMended = try patient.apply(mend) && isMended }
        #expect(isMended == !fault.isMendedByHand, "\(mends)")
        guard isMended else { return }
        #expect(try patient.faults() == [], "after \(mends)")
    }

    @Test func `every fault has a rank, and a row in the tables`() {
        let rows = Set(Self.faults.map(\.id))
        let ranked = DiagnosisKind.ranking.map(\.id)
        #expect(Set(ranked).count == ranked.count)
        #expect(rows.subtracting(ranked) == [])
    }
}

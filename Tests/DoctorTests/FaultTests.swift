import Doctor
import Foundation
import MailDNS
import MailSyntax
import Testing
import Threads

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

    @Test(arguments: [
        "example.org. TXT \"v=spf1 mx ptr ip4:192.0.2.99 -all a:other.example\"",
        "example.org. TXT \"v=spf1 ip4:192.0.2.10 a:other.example a:other.example -all\"",
        "example.org. TXT \"v=spf1 mx +all a:other.example\"",
        "_dmarc.example.org. TXT \"v=DMARC1; p=reject; pct=50; aspf=s; psd=y\"",
        "_dmarc.example.org. TXT \"v=DMARC1; p=maybe; rua=dmarc@example.org; ri=3600\"",
    ])
    func `what is found in one record has one mend`(_ line: String) throws {
        let patient = try Patient()
        try patient.apply(.addLine("myorigin = example.org", file: "/etc/postfix/main.cf"))
        try patient.apply(.removeLine("myorigin = /etc/mailname", file: "/etc/postfix/main.cf"))
        try patient.apply(.replaceRecords(line))
        let found = try patient.faults()
        let mends = Set(found.compactMap(\.mend))
        #expect(found.count > 1 && mends.count == 1, "\(found)")
        for mend in mends { #expect(try patient.apply(mend)) }
        #expect(try patient.faults() == [], "after \(mends)")
    }

    static let lists: [Fault] = {
        do { return try Fault.table(Patient.text("Faults/lists.txt")) } catch {
            fatalError("\(error)")
        }
    }()

    @Test(arguments: lists)
    func `what is found in one list has one mend`(_ fault: Fault) throws {
        let patient = try Patient()
        for change in fault.changes { try patient.apply(change) }
        let found = try patient.faults()
        let ids = Set(fault.id.split(separator: " ").map(String.init))
        #expect(Set(found.map(\.id)) == ids, "\(found)")
        let mends = Set(found.compactMap(\.mend))
        #expect(found.count > 1 && mends.count == 1, "\(mends)")
        for mend in mends { #expect(try patient.apply(mend)) }
        #expect(try patient.faults() == [], "after \(mends)")
    }

    @Test func `only the authserv-id of the import's options is changed`() throws {
        let patient = try Patient()
        let options = "/etc/default/signet-reports"
        try patient.apply(
            .addLine("IMPORT_OPTIONS=\"--store /srv/mx/r.db --authserv-id mx\"", file: options))
        let line = try #require(try patient.faults().first { $0.id == "signet.import.authserv-id" })
        let mend = try #require(line.mendLine)
        #expect(mend.contains("--store /srv/mx/r.db --authserv-id mail.example.org\""), "\(mend)")
    }

    @Test func `a tree is the same by a relative path`() throws {
        let patient = try Patient()
        defer { withExtendedLifetime(patient) {} }
        let here = FileManager.default.currentDirectoryPath.split(separator: "/")
        let up = here.map { _ in ".." }.joined(separator: "/")
        let host = HostView(HostFiles(root: up + patient.root))
        #expect(host.signing.domains == [try DomainName("example.org")])
        #expect(host.signing.keys(for: try DomainName("example.org")).count == 2)
    }

    @Test func `a mail exchanger that is this host by name gets its address`() throws {
        let patient = try Patient()
        try patient.apply(.host("address", "203.0.113.25"))
        let found = try patient.faults().first { $0.id == "dns.mx.elsewhere" }
        #expect(found?.mendLine == "publish mail.example.org. IN A 203.0.113.25")
    }

    @Test func `records cannot give orders to a terminal`() throws {
        let patient = try Patient()
        try patient.apply(.replaceRecords("_dmarc.example.org. TXT \"v=dmarc1\u{1B}[2J\""))
        let found = try patient.faults()
        #expect(found.map(\.id) == ["dns.dmarc.syntax"])
        let shown = found.flatMap { [$0.subject, $0.what, $0.mendLine ?? ""] }.joined()
        #expect(!shown.unicodeScalars.contains { $0.value < 0x20 })
        #expect(shown.contains("v=dmarc1?[2J"))
    }

    @Test func `what a given server does not know is not looked at`() throws {
        let patient = try Patient()
        defer { withExtendedLifetime(patient) {} }
        var host = try patient.view()
        var zone = ZoneResolver(
            records: try ZoneText.records(Patient.filled(try Patient.text("Healthy/zone.txt"))))
        for address in host.addresses {
            zone.fail(try DomainName(address.reverseName), with: .serverFailure(responseCode: 5))
        }
        host.dns = DNSLookup(zone, time: .system)
        #expect(Doctor.examine(host, .dns).filter(\.isFault).map(\.id) == ["dns.answer.failed"])
        host.authoritative = nil
        let found = Doctor.examine(host, .dns)
        #expect(found.filter(\.isFault) == [])
        #expect(found.contains { $0.id == "dns.ptr" && $0.severity == .skipped })
    }

    @Test func `servers that disagree, or say nothing, are named`() throws {
        let patient = try Patient()
        defer { withExtendedLifetime(patient) {} }
        var host = try patient.view()
        let records = try ZoneText.records(Patient.filled(try Patient.text("Healthy/zone.txt")))
        let good = ZoneResolver(records: records)
        let stale = ZoneResolver(records: records.filter { $0.type != .mx })
        host.authoritative = { $0 == IPAddress("192.0.2.54") ? stale : good }
        let found = Doctor.examine(host, .dns).filter(\.isFault)
        #expect(found.map(\.id) == ["dns.authoritative.disagree"])
        #expect(found[0].subject == "example.org" && found[0].what.contains("MX"))
        var silent = good
        for question in ["example.org", "_dmarc.example.org"] {
            silent.fail(try DomainName(question), with: .timeout)
        }
        let mute = silent
        host.authoritative = { $0 == IPAddress("192.0.2.54") ? mute : good }
        let unheard = Doctor.examine(host, .dns).filter(\.isFault)
        #expect(Set(unheard.map(\.id)) == ["dns.authoritative.silent"])
        #expect(unheard.count == 1)
    }

    @Test func `a relay's addresses are not this host's to judge`() throws {
        let patient = try Patient()
        try patient.apply(
            .replace(
                "relayhost =", with: "relayhost = [smtp.relay.example]:587",
                file: "/etc/postfix/main.cf"))
        try patient.apply(.replaceRecords("example.org. TXT \"v=spf1 ip4:192.0.2.99 -all\""))
        let found = Doctor.examine(try patient.view(), [.dns, .local])
        #expect(found.filter(\.isFault) == [])
        #expect(found.contains { $0.id == "dns.spf.own-address" && $0.severity == .skipped })
    }

    @Test func `a host that only sends is not asked how it receives`() throws {
        let patient = try Patient()
        try patient.apply(.replaceRecords("example.org. MX 10 other.example."))
        #expect(try patient.faults().map(\.id) == ["dns.mx.elsewhere"])
        #expect(try patient.faults([.dns, .local, .outboundOnly]) == [])
    }

    @Test func `every fault has a rank, and a row in the tables`() {
        let rows = Set(Self.faults.map(\.id))
        let ranked = DiagnosisKind.ranking.map(\.id)
        #expect(Set(ranked).count == ranked.count)
        #expect(rows.subtracting(ranked) == [])
    }
}

import Foundation
import TestKit
import Testing

@testable import FailureReports

/// Reports between the daemon that makes them and the command that hands them over.
@Suite struct SpoolTests {
    private func report(_ id: String) -> WaitingReport {
        WaitingReport(
            id: id, created: 1_795_000_000, policyDomain: "example.com",
            sender: "dmarc@receiver.example",
            addresses: ["mailto:a@example.com", "mailto:b@x.example"],
            copies: ["postmaster@receiver.example"],
            mail: Array("Subject: x\n\nto nobody\n\n\u{0}\n".utf8) + [0xFF])
    }

    @Test func `a report is read as it was written`() throws {
        let folder = try TemporaryDirectory("signet-failures")
        let spool = FailureSpool(path: folder.file("spool"))
        try spool.make()
        try spool.make()
        #expect(try spool.keep(report("2-b")))
        #expect(try spool.keep(report("1-a")))
        #expect(try spool.waiting() == ["1-a", "2-b"])
        #expect(spool.report("1-a") == report("1-a"))
        var rest = report("1-a")
        rest.addresses = []
        #expect(try spool.keep(rest))
        #expect(spool.report("1-a") == rest)
        try spool.remove("1-a")
        try spool.remove("1-a")
        #expect(try spool.waiting() == ["2-b"])
        let attributes = try FileManager.default.attributesOfItem(
            atPath: folder.file("spool/2-b.report"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `the key is made once, and stays`() throws {
        let folder = try TemporaryDirectory("signet-failures")
        let key = try FailureSpool(path: folder.path).key()
        #expect(key.count == 32 && Set(key).count > 1)
        #expect(try FailureSpool(path: folder.path).key() == key)
    }

    @Test func `it is bounded`() throws {
        let folder = try TemporaryDirectory("signet-failures")
        let spool = FailureSpool(path: folder.path)
        for number in 0..<FailureSpool.mostReports {
            try folder.write([], to: "\(number).report")
        }
        #expect(try !spool.keep(report("x")))
        try spool.remove("0")
        #expect(try spool.keep(report("x")))
        // One that is there may be written anew.
        #expect(try spool.keep(report("x")))
    }

    @Test func `what is no report is none`() throws {
        let good = report("x").octets
        #expect(WaitingReport(parsing: good) == report("x"))
        for cut in 0..<good.count where cut < 60 { _ = WaitingReport(parsing: Array(good[..<cut])) }
        for text in ["", "\n", "signet-failure-report 1\n\n", "signet-failure-report 2\nid x\n\nx"]
        {
            #expect(WaitingReport(parsing: Array(text.utf8)) == nil)
        }
    }

    @Test func `one process hands over at a time`() throws {
        let folder = try TemporaryDirectory("signet-failures")
        let spool = FailureSpool(path: folder.path)
        var claim = try spool.claim()
        #expect(claim != nil)
        #expect(try spool.claim() == nil)
        claim = nil
        #expect(try spool.claim() != nil)
        #expect(throws: FailureSpoolError.self) { try FailureSpool(path: "/nowhere").waiting() }
    }
}

import Configuration
import FailureReports
import SessionTestKit
import TestKit
import Testing

@testable import signet_dmarc

extension Behaviours {
    /// The reports that a message causes, with a domain that asks for them.
    private static func reported(
        _ configuration: String, policy: String = "reject",
        ruf: String = "; ruf=mailto:f@victim.example"
    ) throws -> [WaitingReport] {
        try FailureCase(
            policy: "v=DMARC1; p=\(policy)\(ruf)",
            configuration: "FailureReportsSentBy dmarc@example.org\n\(configuration)"
        ).reports()
    }

    private static func settings(_ text: String) -> FailureReportSettings {
        read(text).configuration.failures
    }

    /// Reports about single messages.
    static let failures: Checks = [
        "FailureReports": { () throws in
            #expect(try reported("FailureReports yes").count == 1)
            #expect(try reported("").isEmpty)
            // Nothing says whom they come from: that is told, and none are sent.
            let (configuration, problems) = read("FailureReports yes")
            #expect(problems.map(\.severity) == [.warning])
            #expect(!configuration.failures.isOn)
            #expect(settings("FailureReports yes\nReportEmail a@example.org").isOn)
        },
        "FailureReportsSentBy": { () throws in
            let report = try #require(try reported("FailureReports yes").first)
            #expect(report.sender == "dmarc@example.org")
            #expect(
                String(decoding: report.mail, as: UTF8.self).hasPrefix(
                    "From: <dmarc@example.org>\n"))
            #expect(
                settings("FailureReportsSentBy \"DMARC \"reports\" <a@example.org>").from
                    == "\"DMARC reports\" <a@example.org>")
            for wrong in ["nobody", "a@", "a b@example.org", "x <>", "ä@example.org"] {
                #expect(read("FailureReportsSentBy \(wrong)").problems.hasErrors, "\(wrong)")
            }
        },
        "FailureReportsBcc": { () throws in
            let bcc = "FailureReports yes\nFailureReportsBcc a@example.org, b@example.org"
            let asked = try #require(reported(bcc).first)
            #expect(asked.copies == ["a@example.org", "b@example.org"])
            #expect(asked.addresses == ["mailto:f@victim.example"])
            let unasked = try #require(try reported(bcc, ruf: "").first)
            #expect(unasked.copies.count == 2 && unasked.addresses.isEmpty)
            #expect(unasked.policyDomain == nil)
            #expect(read("FailureReportsBcc a@example.org,, b").problems.hasErrors)
        },
        "FailureReportsOnNone": { () throws in
            #expect(try reported("FailureReports yes", policy: "none").isEmpty)
            let onNone = "FailureReports yes\nFailureReportsOnNone yes"
            #expect(try reported(onNone, policy: "none").count == 1)
        },
        "FailureReportsRedact": { () throws in
            func text(_ configuration: String) throws -> String {
                let found = try reported("FailureReports yes\n" + configuration)
                return String(decoding: found.first?.mail ?? [], as: UTF8.self)
            }
            #expect(try !text("").contains("Subject: Hello\n"))
            #expect(try !text("").contains("bob@example.org"))
            #expect(try text("FailureReportsRedact no").contains("\nSubject: Hello\n"))
            #expect(try text("FailureReportsRedact no").contains("bob@example.org"))
        },
        "FailureReportsBody": {
            #expect(!settings("FailureReportsRedact no").includesBody)
            #expect(settings("FailureReportsRedact no\nFailureReportsBody yes").includesBody)
            #expect(!settings("FailureReportsBody yes").includesBody)
            #expect(read("FailureReportsBody yes").problems.count == 1)
            // What reports have then is shown in FailureReportTests.
        },
        "FailureReportsPerHour": {
            #expect(settings("").perHour == 100)
            #expect(settings("FailureReportsPerHour 5").perHour == 5)
            #expect(read("FailureReportsPerHour 0").problems.hasErrors)
            // That it is kept is shown in LimiterTests.
        },
        "FailureReportsDirectory": {
            #expect(settings("").directory == "/var/lib/signet-dmarc/failures")
            #expect(settings("FailureReportsDirectory /srv/f").directory == "/srv/f")
        },
    ]
}

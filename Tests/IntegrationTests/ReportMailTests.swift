import Foundation
import ReportStore
import TestKit
import Testing

/// Aggregate reports on a real way: out of the store, through sendmail(1) of a real Postfix whose
/// mail signet-dkim signs, to the receiver, for whom DMARC passes and the numbers are right.
@Suite(.serialized)
struct ReportMailTests {
    @Test func `a report arrives, passes DMARC, and says what the store has`() throws {
        let host = try SigningHost()
        let daemon = try host.startDaemon()
        let folder = try TemporaryDirectory("signet-reports")
        var evaluation = Evaluation(
            received: 20_775 * 86_400, reporter: "mx.example.org", headerFrom: "example.com",
            result: "fail", disposition: "none")
        evaluation.sourceAddress = "2001:db8::1"
        evaluation.policy = Evaluation.Policy(
            domain: "example.com", applied: "none", p: "none",
            reportAddresses: ["mailto:d@example.com"])
        try SQLiteReportStore(path: folder.file("reports.db")).write(
            Array(repeating: evaluation, count: 7))
        let program = folder.file("sendmail")
        let script = """
            #!/bin/sh
            exec /usr/sbin/sendmail -C \(host.postfix.configurationDirectory) "$@"

            """
        try folder.write(script, to: "sendmail", mode: 0o755)
        let zone =
            "\(host.keys.zone)_dmarc.example.org. IN TXT \"v=DMARC1; p=reject; adkim=s\"\n"
        try folder.write(zone, to: "zone")
        let signet = try DaemonProcess.path(of: "signet")
        let sent = try Command.require(
            signet,
            [
                "report", "send", "--store", folder.file("reports.db"), "--day", "2026-11-18",
                "--organization", "Example", "--email", "dmarc@example.org", "--sendmail", program,
                "--zone", folder.file("zone"),
            ])
        #expect(sent.hasSuffix("sent 1, waiting 0, failed 0, refused 0, suppressed 0\n"))
        let message = try host.sink.waitForMessage(containing: "Report Domain: example.com")
        #expect(message.sender == "dmarc@example.org")
        #expect(message.recipients == ["d@example.com"])
        try host.expectTwoGoodSignatures(message)
        let path = try folder.write(message.bytes, to: "report.eml")
        let check = try Command.require(signet, ["check", "--zone", folder.file("zone"), path])
        #expect(check.contains("DMARC pass: example.org"), "\(check)")
        let script2 = """
            import email, email.policy, gzip, sys
            import xml.etree.ElementTree as ET
            mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
            part = next(mail.iter_attachments())
            root = ET.fromstring(gzip.decompress(part.get_content()))
            space = "{urn:ietf:params:xml:ns:dmarc-2.0}"
            find = lambda path: root.find("/".join(space + name for name in path.split("/"))).text
            print(find("record/row/source_ip"), find("record/row/count"), find("report_metadata/report_id") in mail["subject"])
            """
        #expect(try Command.require("python3", ["-c", script2, path]) == "2001:db8::1 7 True\n")
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }
}

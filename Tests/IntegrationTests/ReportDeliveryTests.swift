import Foundation
import TestKit
import Testing

/// Reports that arrive by mail: Postfix hands them to `signet report import`, as an alias and as a service of pipe(8).
@Suite(.serialized)
struct ReportDeliveryTests {
    private let folder: TemporaryDirectory
    private let postfix: PostfixInstance
    private let sink: SMTPSink
    private var store: String { folder.file("state/r.db") }

    init() throws {
        folder = try TemporaryDirectory("signet-delivery")
        sink = try SMTPSink()
        // Where a user without rights may run it.
        let program = folder.file("signet")
        try FileManager.default.copyItem(
            atPath: try DaemonProcess.path(of: "signet"), toPath: program)
        try folder.makeDirectory("state", owner: "nobody", group: "nogroup")
        let command =
            "\(program) report import --domains example.org --store \(folder.file("state/r.db"))"
        try folder.write("reports \"|\(command)\"\n", to: "aliases")
        let (aliases, sinkPort) = (folder.file("aliases"), sink.port)
        postfix = try PostfixInstance { configuration in
            configuration.relayPort = sinkPort
            configuration.settings = [
                "mydestination": "alias.example", "alias_maps": "texthash:\(aliases)",
                "relay_domains": "pipe.example",
                "transport_maps": "inline:{ {pipe.example=reports:} }",
                "default_privs": "nobody",
            ]
            configuration.services = [
                "reports unix - n n - 1 pipe",
                "  flags=q user=nobody argv=\(command) --delivery",
            ]
        }
    }

    private func deliver(_ id: String, to recipient: String, _ body: String) throws {
        let client = try postfix.connect()
        try client.ehlo()
        let text =
            "From: d@reports.example\r\nSubject: \(id)\r\nMessage-ID: <\(id)@reports.example>\r\n"
            + "Content-Type: text/xml\r\n\r\n\(body)\r\n"
        let reply = try client.deliver(
            from: "d@reports.example", to: [recipient], Array(text.utf8))
        #expect(reply.isPositive, "\(reply)")
        try client.quit()
    }

    private func report(_ id: String) -> String {
        "<feedback><report_metadata><org_name>R</org_name><email>d@reports.example</email>"
            + "<report_id>\(id)</report_id>\r\n<date_range><begin>1700006400</begin><end>1700092799</end>"
            + "</date_range></report_metadata><policy_published><domain>example.org</domain>"
            + "<p>none</p></policy_published>\r\n<record><row><source_ip>192.0.2.1</source_ip>"
            + "<count>2</count></row></record></feedback>"
    }

    @Test(arguments: ["reports@alias.example", "dmarc@pipe.example"])
    func `a report is stored, and what is none is kept and not sent back`(
        _ recipient: String
    ) throws {
        try deliver("one", to: recipient, report("one"))
        _ = try postfix.waitForLogLine("to=<\(recipient)>", "status=sent")
        try deliver("two", to: recipient, "no report")
        let folder = "\(store).aside/refused"
        let kept = try wait(for: "the mail that is kept aside", seconds: 30) {
            (try? FileManager.default.contentsOfDirectory(atPath: folder))?.first {
                $0.hasSuffix(".eml")
            }
        }
        let mail = try String(contentsOfFile: "\(folder)/\(kept)", encoding: .utf8)
        #expect(mail.contains("Subject: two"))
        let shown = try Command.require(
            try DaemonProcess.path(of: "signet"), ["report", "show", "--store", store])
        #expect(shown.hasPrefix("example.org: 0 % of 2 messages passed"))
        _ = try wait(for: "the queue to be empty", seconds: 30) {
            try postfix.queue().isEmpty ? true : nil
        }
        #expect(!postfix.log.contains("status=bounced"))
        #expect(sink.messages.isEmpty)
    }

    /// As long as the store cannot be written the mail waits in the queue: nothing is lost, and nothing goes back.
    @Test(arguments: ["reports@alias.example", "dmarc@pipe.example"])
    func `a store that cannot be written puts the mail off`(_ recipient: String) throws {
        let state = folder.file("state")
        _ = try Command.require("/bin/chmod", ["555", state])
        try deliver("later", to: recipient, report("later"))
        _ = try postfix.waitForLogLine("to=<\(recipient)>", "status=deferred")
        #expect(try !postfix.queue().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: state).isEmpty)

        _ = try Command.require("/bin/chmod", ["755", state])
        try postfix.flush()
        _ = try postfix.waitForLogLine("to=<\(recipient)>", "status=sent")
        let shown = try Command.require(
            try DaemonProcess.path(of: "signet"), ["report", "show", "--store", store])
        #expect(shown.hasPrefix("example.org: 0 % of 2 messages passed"))
        _ = try wait(for: "the queue to be empty", seconds: 30) {
            try postfix.queue().isEmpty ? true : nil
        }
        #expect(!postfix.log.contains("status=bounced"))
        #expect(sink.messages.isEmpty)
    }
}

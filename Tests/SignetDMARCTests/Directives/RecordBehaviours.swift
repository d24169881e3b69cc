import FlightRecord
import Foundation
import MailAuth
import Metrics
import Milter
import Observation
import ReportStore
import SessionTestKit
import TestKit
import Testing

@testable import Configuration
@testable import DaemonKit
@testable import signet_dmarc

extension Behaviours {
    /// The authors of the messages in a history file, in order.
    private static func recorded(
        _ configuration: String, _ messages: MailMessage...,
        recipients: [String] = ["<b@example.org>"]
    ) throws -> [String] {
        let folder = try TemporaryDirectory("signet-history")
        let path = folder.file("history")
        for message in messages {
            _ = try pass("HistoryFile \(path)\n" + configuration, message) {
                $0.recipients = recipients
            }
        }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { $0.hasPrefix("from ") }.map {
            String($0.dropFirst(5))
        }
    }

    /// What is kept.
    static let records: Checks = [
        "HistoryFile": { () throws in
            #expect(
                try recorded("", forged, .from("x@evil.example"))
                    == ["victim.example", "evil.example"])
            // What is deferred comes again; what is rejected does not.
            #expect(try recorded("RejectFailures yes", forged) == ["victim.example"])
            #expect(try recorded("IgnoreMailFrom victim.example", forged).isEmpty)
        },
        "Shadow": {
            func compared(_ text: String, _ results: String?) throws -> [String] {
                var message = forged
                if let results {
                    message.fields.insert(
                        MailMessage.Field("Authentication-Results", results), at: 0)
                }
                let passage = try pass("Shadow yes\n" + text, message) { $0.edits = [] }
                #expect(passage.verdict == .continue)
                return passage.log.compactMap { line in
                    line.split(separator: "shadow: differs: ").dropFirst().first.map(String.init)
                }
            }
            let same =
                " mx.example.org; dmarc=fail (p=reject dis=none) header.from=victim.example; "
                + "spf=pass smtp.mailfrom=x@evil.example"
            #expect(try compared("", same) == [])
            let other = same.replacing("dmarc=fail", with: "dmarc=pass")
            let differing = try compared("", other)
            #expect(differing.count == 1)
            #expect(
                differing.first?.hasPrefix("dmarc=pass there, fail here (") == true
                    && differing.first?.hasSuffix("; victim.example") == true, "\(differing)")
            // A field of another service is not the filter's in use.
            #expect(
                try compared("", other.replacing("mx.", with: "mx2.")).contains {
                    $0.hasPrefix("dmarc=fail here, nothing there")
                })
            #expect(
                try compared("RejectFailures yes\n", same).contains {
                    $0.hasPrefix("accepted there, 550 5.7.26 here")
                })
            #expect(try recorded("Shadow yes\n", forged).isEmpty)
        },
        "ReportStore": {
            #expect(read("ReportStore none").configuration.records.store == nil)
            #expect(read("ReportStore reports.db").problems.hasErrors)
            let address = "postgresql://signet@db.example.com/signet?passfile=/etc/signet/pgpass"
            #expect(
                read("ReportStore \(address)").configuration.records.store == .postgreSQL(address))
            #expect(read("ReportStore postgresql://u:secret@db/x").problems.hasErrors)
            #expect(
                !read("ReportStore postgresql://u:secret@db/x").problems.contains {
                    "\($0)".contains("secret")
                })
            let folder = try TemporaryDirectory("signet-store")
            let path = folder.file("reports.db")
            _ = try pass("ReportStore \(path)")
            let row = try Command.require(
                "sqlite3",
                [
                    path,
                    """
                    SELECT source_address, envelope_from, envelope_to, header_from, policy_domain, policy_applied, p, sp, np, adkim, aspf,
                        testing, discovery_method, fo, rua, evaluation.result, disposition, dkim_aligned, spf_aligned, arc,
                        substr(reasons, 1, 13), scope, messages
                    FROM evaluation JOIN result ON results = list
                    """,
                ])
            #expect(
                row
                    == "203.0.113.66|evil.example|example.org|victim.example|victim.example|reject|reject||reject|r|r|0"
                    + "|treewalk|0|mailto:d@victim.example|fail|quarantine|0|0|none|local_policy:|mfrom|1\n"
            )
        },
        "ReportRetention": {
            #expect(read("").configuration.records.retention == 30)
            #expect(read("ReportRetention 0").configuration.records.retention == nil)
            #expect(read("ReportRetention -1").problems.hasErrors)
            // That they go is shown in StoreTests.
        },
        "ReportStoreLimit": {
            #expect(read("").configuration.records.limit == 1 << 30)
            #expect(read("ReportStoreLimit 20m").configuration.records.limit == 20 << 20)
            #expect(read("ReportStoreLimit 2000000").configuration.records.limit == 2_000_000)
            for wrong in ["0", "1023K", "-1G", "1025G", "1 G", "G", "1T", "99999999999999999999"] {
                #expect(read("ReportStoreLimit \(wrong)").problems.hasErrors, "\(wrong)")
            }
            // That it is kept is shown in StoreTests.
        },
        "OrganizationName": {
            #expect(read("OrganizationName Example, Inc.").problems.isEmpty)
            let long = String(repeating: "a", count: 201)
            #expect(read("OrganizationName \(long)").problems.hasErrors)
            // That reports have it is shown in ReportCommandTests.
        },
        "ReportEmail": { () throws in
            for wrong in ["dmarc", "dmarc@", "@example.org", "a b@example.org", "ä@example.org"] {
                #expect(read("ReportEmail \(wrong)").problems.hasErrors, "\(wrong)")
            }
            // Reports about reports would have no end.
            let reporting = "ReportEmail dmarc@example.org"
            #expect(try recorded(reporting, forged) == ["victim.example"])
            #expect(
                try recorded(reporting, forged, recipients: ["<DMARC@example.org>"]).isEmpty)
        },
        "ReportBounceAddress": { () throws in
            let long = String(repeating: "a", count: 39)
            for wrong in ["dmarc", "a b@example.org", "\(long)@example.org"] {
                #expect(read("ReportBounceAddress \(wrong)").problems.hasErrors, "\(wrong)")
            }
            let bouncing = "ReportEmail r@example.org\nReportBounceAddress dmarc@example.org"
            #expect(try recorded(bouncing, forged) == ["victim.example"])
            #expect(
                try recorded(bouncing, forged, recipients: ["<DMARC+a.0.b@example.org>"]).isEmpty)
            // What becomes of them is shown in BounceTests.
        },
        "NoReports": {
            #expect(read("NoReports example.com, a@example.net").problems.isEmpty)
            #expect(read("NoReportsList example.com").problems.isEmpty)
            #expect(read("NoReports /nowhere/list").problems.hasErrors)
            // That they get none is shown in SendingTests.
        },
        "RecordAllMessages": { () throws in
            let plain = MailMessage.from("x@nowhere.example")
            #expect(try recorded("", plain, forged) == ["victim.example"])
            #expect(
                try recorded("RecordAllMessages yes", plain, forged)
                    == ["nowhere.example", "victim.example"])
            // The page speaks of the history file; the database has every evaluation.
            let folder = try TemporaryDirectory("signet-store")
            let path = folder.file("reports.db")
            for message in [plain, forged] { _ = try pass("ReportStore \(path)", message) }
            let query = "SELECT header_from, result, p FROM evaluation ORDER BY 1"
            #expect(
                try Command.require("sqlite3", [path, query])
                    == "nowhere.example|none|\nvictim.example|fail|reject\n")
        },
        "IgnoreMailTo": { () throws in
            let ignoring = "IgnoreMailTo dmarc@example.org, postmaster@example.org"
            #expect(try recorded(ignoring, forged) == ["victim.example"])
            for recipients in [
                ["<dmarc@example.org>"], ["<DMARC@EXAMPLE.org>"],
                ["<b@example.org>", "<postmaster@example.org>"],
            ] {
                #expect(
                    try recorded(ignoring, forged, recipients: recipients).isEmpty, "\(recipients)")
            }
            // It is evaluated all the same, and the log says why it is not recorded.
            let ignored = try pass(ignoring, forged) { $0.recipients = ["<dmarc@example.org>"] }
            #expect(try ignored.methods()["dmarc"]?.result == "fail")
            #expect(ignored.logs("not recorded: IgnoreMailTo or ReportEmail names a recipient"))
        },
    ]

    /// What the configuration says of the process; the daemon itself shows it in `ServiceTests`.
    static let service: Checks = [
        "Socket": {
            #expect(settings("").socket == .unix(path: "/var/spool/postfix/signet/dmarc.sock"))
            #expect(settings("Socket local:/run/x.sock").socket == .unix(path: "/run/x.sock"))
            #expect(
                settings("Socket inet:8893@localhost").socket
                    == .inet(port: 8893, host: "localhost"))
            #expect(problems("Socket local:x.sock").hasErrors)
        },
        "SocketGroup": {
            #expect(settings("").socketGroup == "postfix")
            #expect(settings("SocketGroup mail").socketGroup == "mail")
        },
        "PostfixDirectory": {
            let folder = try TemporaryDirectory("signet-postfix")
            func warnings(_ list: String, dkim: String? = nil) throws -> Int {
                try folder.write("smtpd_milters = \(list)\n", to: "main.cf")
                if let dkim { try folder.write(dkim, to: "dkim.conf") }
                let reader = ConfigurationReader(
                    schema: SignetDMARC.description.schema,
                    text: "PostfixDirectory \(folder.path)\n", named: folder.file("dmarc.conf"))
                _ = DMARCConfiguration(reading: reader)
                return reader.problems.count {
                    $0.severity == .warning && $0.message.contains("comes after signet-dmarc")
                }
            }
            let wrong = "unix:signet/dmarc.sock, unix:signet/dkim.sock"
            #expect(try warnings(wrong) == 1)
            #expect(try warnings("unix:signet/dkim.sock, unix:signet/dmarc.sock") == 0)
            #expect(try warnings(wrong, dkim: "# nothing\n") == 1)
            #expect(try warnings(wrong, dkim: "Mode sv\n") == 1)
            #expect(try warnings(wrong, dkim: "mode s\n") == 0)
            #expect(try warnings(wrong, dkim: "AuthservID other.example.org\n") == 0)
        },
        "Transport": {
            func transport(_ text: String) -> MilterTransport {
                MilterTransport(
                    ConfigurationReader(
                        schema: SignetDMARC.description.schema, text: text, named: "x"))
            }
            #expect(transport("") == .native && transport("Transport native") == .native)
            #expect(transport("Transport libmilter") == .libmilter)
            #expect(problems("Transport other").hasErrors)
            #expect(SignetDMARC.description.schema["Transport"]?.needsRestart == true)
        },
        "UMask": {
            #expect(settings("").mask == 0o007 && settings("UMask 0002").mask == 0o002)
            #expect(problems("UMask 9").hasErrors)
        },
        "UserID": {
            #expect(settings("UserID opendmarc:mail").user == UserSpec("opendmarc:mail"))
        },
        "FlightRecord": {
            #expect(observation("").record.directory == "/var/lib/signet-dmarc/flight")
            #expect(observation("FlightRecord none").record.directory == nil)
            #expect(observation("FlightRecord /srv/x").record.directory == "/srv/x")
            // What is in it is shown in ExplainTests.
        },
        "FlightRecordLimit": {
            #expect(observation("").record.limit == 64 << 20)
            #expect(observation("FlightRecordLimit 2M").record.limit == 2 << 20)
            // That it is kept is shown in FlightStoreTests.
        },
        "FlightRecordPrivacy": {
            #expect(observation("FlightRecordPrivacy strict").record.privacy == .strict)
            // What is left out is shown in FlightEntryTests and ExplainTests.
        },
        "Metrics": {
            #expect(observation("").metrics.socket == "/run/signet-dmarc/metrics.sock")
            #expect(observation("Metrics none").metrics.socket == nil)
            // What is given on it is shown in ExplainTests.
        },
        "PidFile": { #expect(settings("PidFile /run/x.pid").pidFile == "/run/x.pid") },
        "Syslog": {
            #expect(settings("Syslog true").usesSyslog && !settings("").usesSyslog)
        },
        "SyslogFacility": {
            #expect(settings("").syslogFacility == "mail")
            #expect(settings("SyslogFacility local3").syslogFacility == "local3")
            #expect(problems("SyslogFacility post").hasErrors)
        },
        "SyslogName": {
            #expect(settings("").syslogName == "signet-dmarc")
            #expect(settings("SyslogName dmarc-in").syslogName == "dmarc-in")
        },
    ]

    private static func settings(_ text: String) -> ServiceSettings {
        ServiceSettings(reader(text))
    }

    private static func problems(_ text: String) -> [ConfigurationProblem] {
        let reader = reader(text)
        _ = ServiceSettings(reader)
        return reader.problems
    }

    private static func reader(_ text: String) -> ConfigurationReader {
        ConfigurationReader(
            schema: SignetDMARC.description.schema, text: text, named: "dmarc.conf")
    }
}

/// What a configuration says of the record and the metrics.
private func observation(_ text: String) -> ObservationSettings {
    let reader = ConfigurationReader(
        schema: SignetDMARC.description.schema, text: text, named: "x.conf")
    return ObservationSettings(reader)
}

import Foundation
import ReportStore
import TestKit
import Testing

@testable import ReportReading

/// Reports made for tests.
enum Sample {
    /// A record with what a test changes.
    static func record(
        source: String = "<source_ip>192.0.2.1</source_ip>", count: String = "<count>2</count>",
        evaluated: String = "<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>",
        from: String = "<header_from>example.org</header_from>",
        results: String =
            "<dkim><domain>example.org</domain><selector>s</selector><result>pass</result></dkim>"
    ) -> String {
        "<record><row>\(source)\(count)<policy_evaluated>\(evaluated)</policy_evaluated></row>"
            + "<identifiers>\(from)</identifiers><auth_results>\(results)</auth_results></record>"
    }

    /// An aggregate report.
    static func xml(
        _ records: String = record(), id: String = "r1", domain: String = "example.org",
        range: String = "<begin>1700006400</begin><end>1700092799</end>", head: String = ""
    ) -> String {
        "<?xml version=\"1.0\"?>\n\(head)<feedback><report_metadata><org_name>R</org_name>"
            + "<email>d@reports.example</email><report_id>\(id)</report_id>"
            + "<date_range>\(range)</date_range></report_metadata><policy_published>"
            + "<domain>\(domain)</domain><p>none</p></policy_published>\(records)</feedback>"
    }

    /// Octets as one gzip member.
    static func gzip(_ octets: [UInt8]) throws -> [UInt8] {
        try piped("gzip", ["-c"], octets)
    }

    /// The output of a program that is given octets.
    static func piped(_ program: String, _ arguments: [String], _ octets: [UInt8]) throws -> [UInt8]
    {
        try Command.run(program, arguments, input: octets).octets
    }

    /// A zip archive of files, made by Python as no test machine lacks it.
    static func zip(_ files: [(String, [UInt8])]) throws -> [UInt8] {
        let script = """
            import sys, io, zipfile, base64
            out = io.BytesIO(); z = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
            for line in sys.stdin:
                name, text = line.split(); z.writestr(name, base64.b64decode(text))
            z.close(); sys.stdout.buffer.write(out.getvalue())
            """
        let input = files.map { "\($0.0) \(Data($0.1).base64EncodedString())\n" }.joined()
        return try piped("python3", ["-c", script], Array(input.utf8))
    }

    /// A mail with one attachment.
    static func mail(
        _ octets: [UInt8], type: String = "Content-Type: application/gzip; name=\"r.xml.gz\"",
        subject: String = "Report Domain: example.org"
    ) -> [UInt8] {
        let text = Data(octets).base64EncodedString(options: [.lineLength76Characters])
        return Array(
            "From: d@reports.example\nSubject: \(subject)\nMIME-Version: 1.0\n\(type)\nContent-Transfer-Encoding: base64\n\n\(text)\n"
                .utf8)
    }

    /// The reports among what was found.
    static func reports(_ found: [FoundReport]) -> [ReceivedReport] {
        found.compactMap { if case .report(let report) = $0 { report } else { nil } }
    }

    /// The reasons among what was found.
    static func reasons(_ found: [FoundReport]) -> [String] {
        found.compactMap { if case .refused(let refusal) = $0 { refusal.reason } else { nil } }
    }

    /// Reads a document.
    static func read(_ text: String) -> [FoundReport] { ReportReader.read(Array(text.utf8)) }
}

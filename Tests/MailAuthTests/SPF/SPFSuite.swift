import Foundation
import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads
import Yams

/// The test suite of RFC 7208, `rfc7208-tests.yml`, as its authors publish it.
struct SPFSuite {
    /// One case, with the zone that it runs in.
    struct Case: CustomTestStringConvertible, Sendable {
        let scenario: String
        let name: String
        let helo: String
        let host: String
        let mailFrom: String
        /// Any of these will do.
        let results: [String]
        /// What a "fail" is explained with; "DEFAULT" for no explanation of the domain's.
        let explanation: String?
        let zone: SuiteZone

        var testDescription: String { "\(scenario): \(name)" }
    }

    let cases: [Case]

    /// The suite, where it is found: not a part of this project.
    ///
    /// Searched in this order: the directory named by SIGNET_VECTORS, Debian's python3-spf, and a directory
    /// of shared vectors beside the sources.
    static let shared: SPFSuite? = {
        let environment = ProcessInfo.processInfo.environment["SIGNET_VECTORS"]
        let sources = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../../shared/vectors").standardizedFileURL.path
        let places =
            (environment.map { ["\($0)/spf", $0] } ?? []) + ["/usr/share/doc/python3-spf"]
            + ["\(sources)/spf"]
        for place in places {
            let plain = "\(place)/rfc7208-tests.yml"
            if let text = try? String(contentsOfFile: plain, encoding: .utf8) {
                return SPFSuite(yaml: text)
            }
            if let text = gunzip("\(plain).gz") { return SPFSuite(yaml: text) }
        }
        return nil
    }()

    private static func gunzip(_ path: String) -> String? {
        guard FileManager.default.isReadableFile(atPath: path) else { return nil }
        return try? Command.require("gzip", ["-dc", path])
    }

    /// Reads the suite; nil if it is not in the form that is known.
    init?(yaml: String) {
        guard let documents = try? Array(Yams.compose_all(yaml: yaml)) else { return nil }
        var cases: [Case] = []
        for document in documents {
            guard let scenario = document["description"]?.string,
                let tests = document["tests"]?.mapping,
                let zonedata = document["zonedata"]?.mapping
            else { return nil }
            let zone = SuiteZone(zonedata)
            for (name, test) in tests {
                guard let name = name.string, let helo = test["helo"]?.string,
                    let host = test["host"]?.string, let mailFrom = test["mailfrom"]?.string,
                    let result = test["result"]
                else { return nil }
                cases.append(
                    Case(
                        scenario: scenario, name: name, helo: helo, host: host, mailFrom: mailFrom,
                        results: result.sequence?.compactMap(\.string) ?? [result.string ?? ""],
                        explanation: test["explanation"]?.string, zone: zone))
            }
        }
        self.cases = cases
    }
}

/// The zone data of one scenario, which is a resolver too.
///
/// As the suite's own driver has it: SPF records stand for TXT records where a name has no TXT, "TXT: NONE"
/// keeps them from it, and TIMEOUT answers what no record of the name does.
struct SuiteZone: DNSResolver {
    struct Node: Sendable {
        var records: [RecordType: [DNSRecord]] = [:]
        var alias: DomainName?
        var timesOut = false
    }

    private(set) var nodes: [DomainName: Node] = [:]

    init(_ zonedata: Node.YAML) {
        for (name, entries) in zonedata {
            guard let owner = SuiteZone.name(name.string ?? "") else { continue }
            var node = Node()
            var spf: [DNSRecord] = []
            var hasTXT = false
            for entry in entries.sequence ?? [] {
                if entry.string == "TIMEOUT" { node.timesOut = true }
                for (type, value) in entry.mapping ?? [:] {
                    switch type.string {
                    case "SPF": spf.append(.text(SuiteZone.strings(value)))
                    case "TXT":
                        hasTXT = true
                        if value.string != "NONE" {
                            node.records[.txt, default: []].append(.text(SuiteZone.strings(value)))
                        }
                    case "CNAME": node.alias = SuiteZone.name(value.string ?? "")
                    default: SuiteZone.add(type.string ?? "", value, to: &node)
                    }
                }
            }
            if !hasTXT, !spf.isEmpty { node.records[.txt] = spf }
            nodes[owner] = node
        }
    }

    private static func add(_ type: String, _ value: Yams.Node, to node: inout Node) {
        switch type {
        case "A", "AAAA":
            guard let address = IPAddress(value.string ?? "") else { return }
            node.records[type == "A" ? .a : .aaaa, default: []].append(.address(address))
        case "MX":
            guard let pair = value.sequence, pair.count == 2,
                let preference = UInt16(pair[0].string ?? ""),
                let exchange = name(pair[1].string ?? "")
            else { return }
            node.records[.mx, default: []].append(
                .mx(preference: preference, exchange: exchange))
        case "PTR":
            guard let target = name(value.string ?? "") else { return }
            node.records[.ptr, default: []].append(.name(target))
        default: break
        }
    }

    /// A name; octets as Latin-1 has them, as in all of the suite.
    private static func name(_ text: String) -> DomainName? {
        var octets = bytes(text)
        if octets.last == 0x2E { octets.removeLast() }
        return octets.isEmpty ? .root : try? DomainName(queryOctets: octets.span)
    }

    private static func strings(_ value: Yams.Node) -> [[UInt8]] {
        (value.sequence.map { $0.compactMap(\.string) } ?? [value.string ?? ""]).map(bytes)
    }

    private static func bytes(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        .ready(answer(to: question))
    }

    private func answer(to question: DNSQuestion) -> DNSAnswer {
        var name = question.name
        for _ in 0..<10 {
            guard let node = nodes[name] else { return .nameError(.insecure) }
            if let records = node.records[question.type], !records.isEmpty {
                return .records(records, .insecure)
            }
            guard let alias = node.alias else {
                return node.timesOut ? .failure(.timeout) : .noData(.insecure)
            }
            name = alias
        }
        return .failure(.serverFailure(responseCode: 2))
    }
}

extension SuiteZone.Node {
    typealias YAML = Yams.Node.Mapping
}

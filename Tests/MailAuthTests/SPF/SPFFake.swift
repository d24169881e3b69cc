import MailAuth
import MailDNS
import MailSyntax
import Synchronization
import Testing
import Threads

/// A resolver of a few lines, which remembers what it was asked.
///
/// Each line is a name, a type and data: `example.com TXT v=spf1 -all`. The data of `FAIL` is a type: that
/// question is never answered. A name without lines does not exist.
final class SPFFake: DNSResolver {
    private let answers: [DNSQuestion: DNSAnswer]
    private let names: Set<DomainName>
    private let log = Mutex<[String]>([])

    /// What was asked, as "name TYPE", in order.
    var asked: [String] { log.withLock { $0 } }

    init(_ lines: [String]) {
        var records: [DNSQuestion: [DNSRecord]] = [:]
        var failures: [DNSQuestion: DNSAnswer] = [:]
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3, let name = try? DomainName(words[0]) else { continue }
            switch words[1] {
            case "TXT":
                records[DNSQuestion(name, .txt), default: []].append(.text([Array(words[2].utf8)]))
            case "A", "AAAA":
                guard let address = IPAddress(words[2]) else { continue }
                records[DNSQuestion(name, words[1] == "A" ? .a : .aaaa), default: []]
                    .append(.address(address))
            case "MX":
                guard let target = try? DomainName(words[2]) else { continue }
                records[DNSQuestion(name, .mx), default: []]
                    .append(.mx(preference: 10, exchange: target))
            case "PTR":
                guard let target = try? DomainName(words[2]) else { continue }
                records[DNSQuestion(name, .ptr), default: []].append(.name(target))
            default:
                let type = RecordType.allCases.first {
                    String(describing: $0).uppercased() == words[2]
                }
                failures[DNSQuestion(name, type ?? .txt)] = .failure(
                    .serverFailure(responseCode: 2))
            }
        }
        answers = records.mapValues { .records($0, .insecure) }.merging(failures) { $1 }
        names = Set(answers.keys.map(\.name))
    }

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        let type = String(describing: question.type).uppercased()
        log.withLock { $0.append("\(question.name) \(type)") }
        return .ready(
            answers[question]
                ?? (names.contains(question.name) ? .noData(.insecure) : .nameError(.insecure)))
    }

    /// Evaluates MAIL FROM.
    func check(
        _ sender: String = "user@example.com", _ client: String = "192.0.2.1",
        helo: String = "helo.example.com", _ limits: SPFLimits = SPFLimits()
    ) throws -> SPFOutcome {
        let time = TimeSource(now: { .now() }, seconds: { 1_234 })
        return SPFEvaluator(
            resolver: self, time: time, limits: limits, receiver: "mx.example.net"
        ).check(
            .mailFrom(
                Array(sender.utf8), helo: Array(helo.utf8),
                client: try #require(IPAddress(client))))
    }
}

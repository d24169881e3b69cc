package import MailDNS
internal import MailSyntax
package import Threads

/// A resolver whose answers are counted.
package struct ObservedResolver: DNSResolver {
    private let base: any DNSResolver
    private let observer: Observer

    /// Counts the answers of a resolver.
    package init(_ base: any DNSResolver, _ observer: Observer) {
        self.base = base
        self.observer = observer
    }

    /// The resolver itself where nobody looks at the counts.
    package static func counting(
        _ base: any DNSResolver, _ observer: Observer
    ) -> any DNSResolver {
        observer.countsAnswers ? ObservedResolver(base, observer) : base
    }

    package func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        let start = MonotonicTime.now()
        let pending = base.begin(question, deadline: deadline)
        if let answer = pending.settled {
            tell(answer, since: start)
        } else {
            pending.observe { tell($0, since: start) }
        }
        return pending
    }

    private func tell(_ answer: DNSAnswer, since start: MonotonicTime) {
        observer.answered(answer.outcome, seconds: MonotonicTime.now().seconds(since: start))
    }
}

extension DNSAnswer {
    /// What became of the question, in a word.
    fileprivate var outcome: String {
        switch self {
        case .records: "records"
        case .noData: "nodata"
        case .nameError: "nxdomain"
        case .failure(.timeout), .failure(.noServer): "timeout"
        case .failure(.bogus): "bogus"
        case .failure: "failure"
        }
    }
}

extension RecordingResolver.Entry {
    /// The question and its answer in a line: `mail._domainkey.example.org TXT: v=DKIM1; p=… (secure, 12 ms)`.
    package var line: String {
        let name = "\(question.name.ascii) \(question.type.mnemonic)"
        guard let answer else { return "\(name): no answer yet" }
        let parts = [timeToLive.map { "TTL \($0)" }, seconds.map { "\(Int($0 * 1_000)) ms" }]
        let time = parts.compactMap(\.self).joined(separator: ", ")
        return "\(name): \(Self.words(answer)) (\(Self.notes(answer, time)))"
    }

    /// About how much memory the question and its answer take.
    package var octets: Int {
        guard case .records(let records, _) = answer else { return 256 }
        return records.reduce(256) { octets, record in
            switch record {
            case .text(let strings): strings.reduce(octets) { $0 + 32 + $1.count }
            case .address, .mx, .name, .srv: octets + 64
            }
        }
    }

    private static func notes(_ answer: DNSAnswer, _ time: String) -> String {
        switch answer {
        case .records(_, .secure), .noData(.secure), .nameError(.secure): "secure, \(time)"
        case .records, .noData, .nameError: "insecure, \(time)"
        case .failure: time
        }
    }

    private static func words(_ answer: DNSAnswer) -> String {
        switch answer {
        case .records(let records, _):
            records.prefix(8).map(Self.text).joined(separator: " | ")
                + (records.count > 8 ? " | \(records.count - 8) more" : "")
        case .noData: "no such record"
        case .nameError: "no such name"
        case .failure(let failure): "\(failure)"
        }
    }

    private static func text(_ record: DNSRecord) -> String {
        switch record {
        case .address(let address): "\(address)"
        case .mx(let preference, let exchange): "\(preference) \(exchange)"
        case .srv(let priority, let weight, let port, let target):
            "\(priority) \(weight) \(port) \(target)"
        case .name(let name): "\(name)"
        case .text(let strings): shortened(strings)
        }
    }

    /// A record's strings as one, of bounded length, in characters that do no harm in a line.
    private static func shortened(_ strings: [[UInt8]]) -> String {
        var octets: [UInt8] = []
        for string in strings where octets.count < 600 { octets += string.prefix(600) }
        let text = octets.prefix(600).map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }
        return String(decoding: text, as: UTF8.self) + (octets.count > 600 ? "..." : "")
    }
}

internal import MailDNS
internal import MailSyntax

/// A question to the DNS with its answer, in full, as one fact of a record.
enum RecordedQuestion {
    /// Adds the fact.
    static func add(_ entry: RecordingResolver.Entry, to lines: inout EvidenceLines) {
        lines.add("dns") {
            $0.field(word: EvidenceText.microseconds(entry.begun))
            $0.field(word: EvidenceText.microseconds(entry.seconds ?? 0))
            $0.field(word: "\(entry.question.type.rawValue)")
            $0.field(entry.question.name.ascii)
            $0.field(word: entry.timeToLive.map { "\($0)" } ?? "-")
            add(entry.answer, to: &$0)
        }
    }

    /// The question that a fact tells of; nil where it tells of none.
    static func entry(_ fields: [Substring]) -> RecordingResolver.Entry? {
        guard fields.count >= 7, let begun = Int64(fields[1]), let seconds = Int64(fields[2]),
            let type = UInt16(fields[3]).flatMap(RecordType.init),
            let name = name(fields[4])
        else { return nil }
        return RecordingResolver.Entry(
            question: DNSQuestion(name, type), begun: Double(begun) / 1e6,
            answer: answer(fields[6...]), seconds: Double(seconds) / 1e6,
            timeToLive: Int(fields[5]))
    }

    // MARK: Answers

    private static func add(_ answer: DNSAnswer?, to lines: inout EvidenceLines) {
        switch answer {
        case nil: lines.field(word: "open")
        case .records(let records, let status):
            lines.field(word: "records")
            lines.field(word: word(status))
            for record in records { add(record, to: &lines) }
        case .noData(let status):
            lines.field(word: "nodata")
            lines.field(word: word(status))
        case .nameError(let status):
            lines.field(word: "nxdomain")
            lines.field(word: word(status))
        case .failure(let failure):
            lines.field(word: "failure")
            add(failure, to: &lines)
        }
    }

    private static func word(_ status: DNSSECStatus) -> String {
        status == .secure ? "secure" : "insecure"
    }

    private static func add(_ failure: DNSFailure, to lines: inout EvidenceLines) {
        switch failure {
        case .timeout: lines.field(word: "timeout")
        case .noServer: lines.field(word: "noserver")
        case .serverFailure(let code):
            lines.field(word: "code")
            lines.field(word: "\(code)")
        case .malformed: lines.field(word: "malformed")
        case .bogus(let reason):
            lines.field(word: "bogus")
            lines.field(reason)
        case .resolver(let text):
            lines.field(word: "resolver")
            lines.field(text)
        }
    }

    private static func add(_ record: DNSRecord, to lines: inout EvidenceLines) {
        switch record {
        case .address(let address): lines.field(word: "a\(address)")
        case .mx(let preference, let exchange):
            lines.field(word: "m\(preference) ")
            lines.append(escaping: exchange.ascii)
        case .srv(let priority, let weight, let port, let target):
            lines.field(word: "s\(priority) \(weight) \(port) ")
            lines.append(escaping: target.ascii)
        case .name(let name):
            lines.field(word: "n")
            lines.append(escaping: name.ascii)
        case .text(let strings):
            lines.field(word: "t")
            lines.append(word: strings.map { "\($0.count)" }.joined(separator: ","))
            lines.append(word: ":")
            for string in strings { lines.append(escaping: string) }
        }
    }

    private static func answer(_ words: ArraySlice<Substring>) -> DNSAnswer? {
        guard let kind = words.first else { return nil }
        let rest = words.dropFirst()
        let status: DNSSECStatus = rest.first == "secure" ? .secure : .insecure
        switch kind {
        case "records":
            let records = rest.dropFirst().map(record)
            // Half an answer would be another one.
            return records.contains(nil) ? nil : .records(records.compactMap(\.self), status)
        case "nodata": return .noData(status)
        case "nxdomain": return .nameError(status)
        case "failure": return failure(rest).map { .failure($0) }
        default: return nil
        }
    }

    private static func failure(_ words: ArraySlice<Substring>) -> DNSFailure? {
        let text = words.dropFirst().first.flatMap(EvidenceText.octets).map {
            String(decoding: $0, as: UTF8.self)
        }
        switch words.first {
        case "timeout": return .timeout
        case "noserver": return .noServer
        case "code": return text.flatMap(Int.init).map { .serverFailure(responseCode: $0) }
        case "malformed": return .malformed
        case "bogus": return .bogus(reason: text ?? "")
        case "resolver": return .resolver(text ?? "")
        default: return nil
        }
    }

    private static func record(_ word: Substring) -> DNSRecord? {
        let rest = word.dropFirst()
        switch word.first {
        case "a": return IPAddress(String(rest)).map { .address($0) }
        case "m":
            let parts = rest.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let preference = UInt16(parts[0]), let name = name(parts[1])
            else { return nil }
            return .mx(preference: preference, exchange: name)
        case "s":
            let parts = rest.split(separator: " ", maxSplits: 3)
            let numbers = parts.prefix(3).compactMap { UInt16($0) }
            guard parts.count == 4, numbers.count == 3, let target = name(parts[3]) else {
                return nil
            }
            return .srv(
                priority: numbers[0], weight: numbers[1], port: numbers[2], target: target)
        case "n": return name(rest).map { .name($0) }
        case "t": return strings(rest).map { .text($0) }
        default: return nil
        }
    }

    private static func strings(_ word: Substring) -> [[UInt8]]? {
        guard let colon = word.firstIndex(of: ":"),
            let octets = EvidenceText.octets(word[word.index(after: colon)...])
        else { return nil }
        var strings: [[UInt8]] = []
        var rest = octets[...]
        for digits in word[..<colon].split(separator: ",") {
            guard let length = Int(digits), (0...rest.count).contains(length) else { return nil }
            strings.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty ? strings : nil
    }

    private static func name(_ text: Substring) -> DomainName? {
        guard let octets = EvidenceText.octets(text) else { return nil }
        return octets.isEmpty || octets == [0x2E] ? .root : try? DomainName(bytes: octets)
    }
}

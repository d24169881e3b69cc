internal import MailDNS
internal import MailSyntax

/// A question to the DNS with its answer, in full, as one fact of a record.
enum RecordedQuestion {
    /// The fact.
    static func fact(_ entry: RecordingResolver.Entry) -> String {
        let times = [entry.begun, entry.seconds ?? 0].map(EvidenceText.microseconds)
        let head = [
            "\(entry.question.type.rawValue)", EvidenceText.escaped(entry.question.name.ascii.utf8),
            entry.timeToLive.map { "\($0)" } ?? "-",
        ]
        return EvidenceText.fact("dns", times + head + words(entry.answer))
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

    private static func words(_ answer: DNSAnswer?) -> [String] {
        switch answer {
        case nil: ["open"]
        case .records(let records, let status): ["records", word(status)] + records.map(word)
        case .noData(let status): ["nodata", word(status)]
        case .nameError(let status): ["nxdomain", word(status)]
        case .failure(let failure): ["failure"] + words(failure)
        }
    }

    private static func word(_ status: DNSSECStatus) -> String {
        status == .secure ? "secure" : "insecure"
    }

    private static func words(_ failure: DNSFailure) -> [String] {
        switch failure {
        case .timeout: ["timeout"]
        case .noServer: ["noserver"]
        case .serverFailure(let code): ["code", "\(code)"]
        case .malformed: ["malformed"]
        case .bogus(let reason): ["bogus", EvidenceText.escaped(reason.utf8)]
        case .resolver(let text): ["resolver", EvidenceText.escaped(text.utf8)]
        }
    }

    private static func word(_ record: DNSRecord) -> String {
        switch record {
        case .address(let address): "a\(address)"
        case .mx(let preference, let exchange):
            "m\(preference) \(EvidenceText.escaped(exchange.ascii.utf8))"
        case .srv(let priority, let weight, let port, let target):
            "s\(priority) \(weight) \(port) \(EvidenceText.escaped(target.ascii.utf8))"
        case .name(let name): "n\(EvidenceText.escaped(name.ascii.utf8))"
        case .text(let strings):
            "t" + strings.map { "\($0.count)" }.joined(separator: ",") + ":"
                + EvidenceText.escaped(strings.joined())
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

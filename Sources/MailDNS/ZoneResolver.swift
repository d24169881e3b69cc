public import MailSyntax
public import Threads

/// A resolver that knows the records of a zone file, and nothing else: a name absent from the file
/// does not exist.
///
/// It never waits. Tests, replays and the command's `--zone` option use it. Questions can be
/// scripted to fail.
public struct ZoneResolver: DNSResolver {
    private var tree: ZoneTree
    private let status: DNSSECStatus
    private var failures: [DNSQuestion: DNSFailure] = [:]

    /// Reads an RFC 1035 master file.
    ///
    /// - Parameters:
    ///   - text: the file's content. `$INCLUDE` is not supported.
    ///   - origin: the domain to which relative names belong until `$ORIGIN` names another.
    ///   - status: what the answers say of DNSSEC.
    /// - Throws: the first mistake, with its line.
    public init(
        parsing text: String, origin: DomainName = .root, status: DNSSECStatus = .insecure
    ) throws(ZoneError) {
        var parser = ZoneParser(origin: origin)
        try parser.parse(text)
        tree = parser.zone
        self.status = status
    }

    /// Creates a resolver that knows the records given.
    ///
    /// A record that is not allowed beside those before it (a CNAME with other data) is left out.
    public init(records: [ZoneRecord] = [], status: DNSSECStatus = .insecure) {
        tree = ZoneTree()
        for record in records { tree.insert(record) }
        self.status = status
    }

    /// Adds one record.
    public mutating func add(_ record: ZoneRecord) {
        tree.insert(record)
    }

    /// Scripts questions for a name to fail: those for one type, or for every type.
    public mutating func fail(
        _ name: DomainName, _ type: RecordType? = nil, with failure: DNSFailure
    ) {
        for type in type.map({ [$0] }) ?? RecordType.allCases {
            failures[DNSQuestion(name, type)] = failure
        }
    }

    /// Answers a question at once.
    public func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        .ready(answer(to: question))
    }

    /// The answer to a question.
    public func answer(to question: DNSQuestion) -> DNSAnswer {
        if let failure = failures[question] { return .failure(failure) }
        return switch tree.look(up: question) {
        case .records(let records): .records(records, status)
        case .noData: .noData(status)
        case .nameError: .nameError(status)
        // What recursive servers say of a loop: SERVFAIL.
        case .aliasLoop: .failure(.serverFailure(responseCode: 2))
        }
    }
}

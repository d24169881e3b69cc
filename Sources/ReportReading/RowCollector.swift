internal import MailSyntax
internal import ReportStore

/// The rows of a report: those that do not differ are counted together.
///
/// Bounded in memory: a row takes some forty octets, and a verdict is kept once.
struct RowCollector {
    private struct Key: Hashable {
        let source: IPAddress
        let verdict: Int32
    }

    private let limits: ReadingLimits
    private var places: [ReceivedVerdict: Int32] = [:]
    private var sums: [Key: Int64] = [:]
    private var text = 0
    private(set) var verdicts: [ReceivedVerdict] = []
    private(set) var messages: Int64 = 0

    init(_ limits: ReadingLimits) { self.limits = limits }

    /// Adds a row; nil, or why there is no more room.
    mutating func add(_ verdict: ReceivedVerdict, from source: IPAddress, _ count: Int64) -> String?
    {
        let place: Int32
        if let known = places[verdict] {
            place = known
        } else {
            text += 200 + Self.size(verdict)
            guard text <= limits.verdictText else {
                return "its rows have too many different names and results"
            }
            place = Int32(clamping: verdicts.count)
            places[verdict] = place
            verdicts.append(verdict)
        }
        let key = Key(source: source, verdict: place)
        guard count <= ReadingLimits.greatestCount - messages else {
            return "its rows count more messages than there are"
        }
        guard sums.count < limits.rows || sums[key] != nil else {
            return "it has more than \(limits.rows) different rows"
        }
        sums[key, default: 0] += count
        messages += count
        return nil
    }

    /// The rows, in an order that is the same each time.
    func counts() -> [ReceivedCount] {
        sums.map { ReceivedCount(source: $0.source, verdict: Int($0.verdict), messages: $1) }
            .sorted { ($0.source, $0.verdict) < ($1.source, $1.verdict) }
    }

    private static func size(_ verdict: ReceivedVerdict) -> Int {
        verdict.headerFrom.utf8.count + verdict.envelopeFrom.utf8.count
            + verdict.envelopeTo.utf8.count + verdict.reasons.utf8.count
            + verdict.spfDomain.utf8.count
            + verdict.signatures.reduce(0) {
                $0 + 64 + $1.domain.utf8.count + $1.selector.utf8.count
            }
    }
}

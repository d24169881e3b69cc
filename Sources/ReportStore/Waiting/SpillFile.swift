internal import Glibc

/// Evaluations that the store could not take, in a file of bounded size, until it can.
///
/// The file begins with the place of the first evaluation that is still to be stored. A crash may
/// leave a record that is cut short, with which the file then ends; one between storing and moving
/// that place forward counts up to a batch twice.
final class SpillFile {
    private let path: String
    private let limit: Int64
    /// Where the first evaluation is that has still to be stored, and where the last one ends.
    private var begin: Int64 = 0
    private var end: Int64 = 0

    /// Eight octets for the place, in the order of the machine.
    private static let headLength: Int64 = 8
    /// The longest evaluation that is read back, in octets.
    private static let longestRecord = 1 << 20

    /// A file that may be there already.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - limit: how large it may become, in octets.
    init(path: String, limit: Int64) {
        self.path = path
        self.limit = limit
        look()
    }

    /// Whether there is nothing to be stored.
    var isEmpty: Bool { begin >= end }

    /// Appends evaluations, as many as there is room for.
    ///
    /// - Returns: how many.
    /// - Throws: why the file cannot be written; then it has none of them.
    func append(_ evaluations: [Evaluation]) throws(SinkError) -> Int {
        var octets: [UInt8] = []
        var count = 0
        let start = max(end, Self.headLength)
        for evaluation in evaluations {
            let record = EvaluationRecord.octets(of: evaluation)
            guard start + Int64(octets.count + record.count + 4) <= limit else { break }
            octets += EvaluationRecord.octets(of: UInt32(record.count)) + record
            count += 1
        }
        guard count > 0 else { return 0 }
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw failure }
        defer { close(file) }
        if end == 0 {
            begin = Self.headLength
            guard ftruncate(file, 0) == 0, Self.write(Self.head(begin), to: file, at: 0) else {
                throw failure
            }
        }
        guard Self.write(octets, to: file, at: start) else {
            let reason = failure
            ftruncate(file, off_t(start))
            throw reason
        }
        end = start + Int64(octets.count)
        return count
    }

    /// The next evaluations to be stored, and the place behind them.
    func next(atMost count: Int) throws(SinkError) -> (evaluations: [Evaluation], place: Int64) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        // Somebody may have taken it away.
        if file < 0, errno == ENOENT { return ([], end) }
        guard file >= 0 else { throw failure }
        defer { close(file) }
        var found: [Evaluation] = []
        var place = begin
        while found.count < count, place < end {
            guard let length = Self.read(4, from: file, at: place).flatMap(EvaluationRecord.number),
                length <= Self.longestRecord,
                let record = Self.read(Int(length), from: file, at: place + 4)
            else {
                // What follows cannot be told apart.
                place = end
                break
            }
            if let evaluation = EvaluationRecord.evaluation(record) { found.append(evaluation) }
            place += 4 + Int64(length)
        }
        return (found, place)
    }

    /// Forgets what is before a place; the file goes with the last.
    func advance(to place: Int64) {
        begin = place
        if isEmpty {
            unsafe unlink(path)
            (begin, end) = (0, 0)
            return
        }
        let file = unsafe open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = Self.write(Self.head(place), to: file, at: 0)
        close(file)
    }

    private func look() {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        guard let head = Self.read(Int(Self.headLength), from: file, at: 0) else { return }
        let place = head.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        end = max(0, Int64(lseek(file, 0, SEEK_END)))
        begin = max(Self.headLength, Int64(clamping: place))
    }

    private static func head(_ place: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: place >> (8 * Int64($0))) }
    }

    private static func write(_ octets: [UInt8], to file: Int32, at place: Int64) -> Bool {
        var written = 0
        while written < octets.count {
            let count = unsafe octets[written...].withUnsafeBytes {
                unsafe pwrite(file, $0.baseAddress, $0.count, off_t(place) + off_t(written))
            }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    private static func read(_ count: Int, from file: Int32, at place: Int64) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe octets[done...].withUnsafeMutableBytes {
                unsafe pread(file, $0.baseAddress, $0.count, off_t(place) + off_t(done))
            }
            guard got > 0 else { return nil }
            done += got
        }
        return octets
    }

    private var failure: SinkError {
        unsafe SinkError("\(path): \(String(cString: strerror(errno)))")
    }
}

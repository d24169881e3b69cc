internal import CArchive

/// How much may still be unpacked of one mail or file.
final class UnpackingBudget {
    private let limits: ReadingLimits
    private var unpacked = 0
    private var files = 0

    init(_ limits: ReadingLimits) { self.limits = limits }

    /// Takes octets that came of an archive.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - total: how many have come of this archive by now.
    ///   - packed: the archive's own size.
    /// - Throws: that it is too much.
    func take(_ count: Int, total: Int, packed: Int) throws(ReportRefusal) {
        try limits.requireTime()
        unpacked += count
        guard unpacked <= limits.unpacked else {
            throw ReportRefusal(
                nil, "it unpacks to more than \(limits.unpacked >> 20) MB, which is not read")
        }
        guard total <= limits.ratioFloor || total / max(packed, 1) <= limits.ratio else {
            throw ReportRefusal(
                nil, "it unpacks to more than \(limits.ratio) times its size: not a report")
        }
    }

    /// Takes a file of an archive.
    func takeFile() throws(ReportRefusal) {
        files += 1
        guard files <= limits.parts else {
            throw ReportRefusal(nil, "the archive has more than \(limits.parts) files")
        }
    }
}

/// The files of a gzip member or of a zip archive, unpacked bit by bit by libarchive.
///
/// Trust: hostile octets. libarchive is given the two formats alone, and memory that it only reads; nothing touches the file system.
@safe
final class Archive {
    private let handle: OpaquePointer
    private let packed: Int
    private let isZip: Bool
    private let budget: UnpackingBudget
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var total = 0

    /// Unpacks the files of an archive, one after the other.
    ///
    /// - Parameters:
    ///   - octets: the archive.
    ///   - isZip: whether it is a zip archive; otherwise it is gzip, once or several times.
    ///   - budget: how much may come of it.
    ///   - body: is given each file's name and the archive to read it from.
    /// - Throws: what is wrong with the archive.
    static func each(
        in octets: [UInt8], isZip: Bool, _ budget: UnpackingBudget,
        _ body: (String, Archive) throws(ReportRefusal) -> Void
    ) throws(ReportRefusal) {
        try unsafe octets.span.withUnsafeBytes { memory throws(ReportRefusal) in
            let archive = try unsafe Archive(memory, isZip: isZip, budget)
            while let name = try archive.next() { try body(name, archive) }
        }
    }

    private init(
        _ memory: UnsafeRawBufferPointer, isZip: Bool, _ budget: UnpackingBudget
    ) throws(ReportRefusal) {
        guard let handle = unsafe archive_read_new() else {
            throw ReportRefusal(nil, "there is no memory to unpack it")
        }
        unsafe self.handle = unsafe handle
        self.budget = budget
        self.isZip = isZip
        packed = memory.count
        if isZip {
            unsafe archive_read_support_format_zip(handle)
        } else {
            unsafe archive_read_support_filter_gzip(handle)
            unsafe archive_read_support_format_raw(handle)
            unsafe archive_read_support_format_empty(handle)
        }
        let status = unsafe archive_read_open_memory(handle, memory.baseAddress, memory.count)
        guard status == ARCHIVE_OK else { throw failure }
    }

    deinit { unsafe archive_read_free(handle) }

    /// The name of the next file; nil after the last.
    private func next() throws(ReportRefusal) -> String? {
        while true {
            var entry: OpaquePointer?
            let status = unsafe archive_read_next_header(handle, &entry)
            if status == ARCHIVE_EOF { return nil }
            guard status >= ARCHIVE_WARN, let entry = unsafe entry else { throw failure }
            // Octets that no filter knows would come out as they went in, and look packed again.
            let filter = unsafe archive_filter_code(handle, 0)
            guard isZip || filter == ARCHIVE_FILTER_GZIP else {
                throw ReportRefusal(nil, "it begins like gzip, and is not")
            }
            try budget.takeFile()
            let type = unsafe archive_entry_filetype(entry)
            guard type == 0o100_000 || type == 0 else { continue }
            guard let name = unsafe archive_entry_pathname(entry) else { return "" }
            return PlainText.line(unsafe String(cString: name), atMost: 255)
        }
    }

    /// Some octets of the file; none at its end.
    func read() throws(ReportRefusal) -> ArraySlice<UInt8> {
        let count = unsafe buffer.withUnsafeMutableBytes { memory in
            unsafe archive_read_data(handle, memory.baseAddress, memory.count)
        }
        guard count >= 0 else { throw failure }
        total += count
        try budget.take(count, total: total, packed: packed)
        return buffer[..<count]
    }

    /// What libarchive says.
    private var failure: ReportRefusal {
        let text = unsafe archive_error_string(handle).map { unsafe String(cString: $0) }
        let words = PlainText.line(text ?? "unknown", atMost: 120)
        return ReportRefusal(nil, "it cannot be unpacked: \(words)")
    }
}

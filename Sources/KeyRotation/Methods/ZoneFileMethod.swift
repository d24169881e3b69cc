internal import Configuration
internal import Glibc
internal import MailSyntax

/// Records in a file that a zone file includes, `DIR/DOMAIN.signet`, and the serial of `DIR/DOMAIN.zone` raised.
package struct ZoneFileMethod: RecordMethod {
    private let directory: String
    private let reload: String?
    private let seconds: Double

    /// The longest zone file whose serial is raised, in octets.
    private static let sizeLimit = 64 << 20

    /// Names the directory of the zone files, and a program that is called with the zone's name when its file has changed.
    package init(directory: String, reload: String?, seconds: Double = 60) {
        self.directory = directory
        self.reload = reload
        self.seconds = seconds
    }

    package func present(_ record: KeyPublicationRecord) throws(MethodFailure) {
        let name = record.name.ascii
        try change(record) { "\(name). \(record.ttl) IN TXT \(record.quotedStrings)" }
    }

    package func cleanup(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try change(record) { nil }
    }

    private func change(
        _ record: KeyPublicationRecord, _ line: () -> String?
    ) throws(MethodFailure) {
        let zone = record.domain.ascii
        let include = "\(directory)/\(zone).signet"
        let old = try read(include) ?? ""
        var lines = old.split(separator: "\n").map(String.init)
        lines.removeAll { $0.hasPrefix(";") || $0.hasPrefix("\(record.name.ascii). ") }
        if let line = line() { lines.append(line) }
        let new =
            "; Written by signet key rotate.\n" + lines.sorted().map { "\($0)\n" }.joined()
        if new != old {
            // The serial first: a kill in between costs a serial, and the file is written by the next run.
            try raiseSerial("\(directory)/\(zone).zone", zone)
            try write(include, new)
        }
        // Also where nothing has changed: a run before may have ended here.
        guard let reload else { return }
        _ = try ProgramRun(path: reload, arguments: [zone], seconds: seconds).run()
    }

    private func raiseSerial(_ path: String, _ zone: String) throws(MethodFailure) {
        guard let text = try read(path) else {
            throw MethodFailure("there is no \(path), whose serial is to be raised")
        }
        guard let raised = ZoneSerial.raised(in: text, today: Self.today) else {
            throw MethodFailure("\(path) has no SOA record whose serial could be raised")
        }
        try write(path, raised)
    }

    private func read(_ path: String) throws(MethodFailure) -> String? {
        let octets: [UInt8]
        do throws(FileReadError) {
            octets = try FileContents.read(path, limit: Self.sizeLimit)
        } catch {
            if case .system(let reason) = error, reason.code == ENOENT { return nil }
            throw MethodFailure("\(path) \(error)")
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw MethodFailure("\(path) is not text")
        }
        return text
    }

    /// Writes a file whole or not at all, with the mode and the owner of what was there.
    private func write(_ path: String, _ text: String) throws(MethodFailure) {
        func failure() -> MethodFailure {
            MethodFailure("\(path): \(unsafe String(cString: strerror(errno)))")
        }
        var status = stat()
        let exists = unsafe stat(path, &status) == 0
        let draft = "\(path).new"
        unsafe unlink(draft)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = unsafe open(draft, flags, 0o644)
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        if exists {
            _ = fchown(file, status.st_uid, status.st_gid)
            _ = fchmod(file, status.st_mode & 0o777)
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            guard count > 0 else { throw failure() }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0, unsafe rename(draft, path) == 0 else { throw failure() }
    }

    /// The UTC day as 20261127.
    private static var today: UInt32 {
        var seconds = time(nil)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return 0 }
        let (year, month, day) = unsafe (parts.tm_year, parts.tm_mon, parts.tm_mday)
        return UInt32(clamping: (Int(year) + 1900) * 10_000 + (Int(month) + 1) * 100 + Int(day))
    }
}

/// The serial number in a zone file.
enum ZoneSerial {
    /// A zone file with its serial raised; nil where there is no SOA record with one.
    ///
    /// Only the number changes. A serial by date goes on as one: the first of today, if that is more.
    static func raised(in text: String, today: UInt32) -> String? {
        guard let range = range(in: text), let old = UInt32(text[range]) else { return nil }
        let first = today.multipliedReportingOverflow(by: 100)
        let isDate = (1_970_010_100..<4_000_000_000).contains(old)
        // RFC 1982: one more, past the end to the beginning; 0 means "unset" to some servers.
        let next = old == .max ? 1 : old + 1
        let new = isDate && !first.overflow ? max(next, first.partialValue) : next
        return text.replacingCharacters(in: range, with: String(new))
    }

    /// Where the serial is: the third word after SOA (RFC 1035, section 3.3.13), parentheses and comments aside.
    private static func range(in text: String) -> Range<String.Index>? {
        let octets = text.utf8
        var position = octets.startIndex
        var isAfterSOA = false
        var words = 0
        while position < octets.endIndex {
            let octet = octets[position]
            if octet == UInt8(ascii: ";") {
                position = octets[position...].firstIndex(of: 0x0A) ?? octets.endIndex
                continue
            }
            if octet == UInt8(ascii: "\"") {
                let rest = octets[octets.index(after: position)...]
                guard let end = rest.firstIndex(of: octet) else { return nil }
                position = octets.index(after: end)
                continue
            }
            guard !isSeparator(octet) else {
                position = octets.index(after: position)
                continue
            }
            let end =
                octets[position...].firstIndex { isSeparator($0) || $0 == UInt8(ascii: ";") }
                ?? octets.endIndex
            let word = text[position..<end]
            if isAfterSOA {
                words += 1
                if words == 3 { return position..<end }
            } else if word.uppercased() == "SOA" {
                isAfterSOA = true
            }
            position = end
        }
        return nil
    }

    private static func isSeparator(_ octet: UInt8) -> Bool {
        octet <= 0x20 || octet == UInt8(ascii: "(") || octet == UInt8(ascii: ")")
    }
}

extension String {
    /// The text with other characters in a range.
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

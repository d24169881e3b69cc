internal import MailSyntax
package import ReportStore

/// What was found: a report, or why something that should be one is not read.
package enum FoundReport: Sendable {
    /// A report.
    case report(ReceivedReport)
    /// Something that is refused.
    case refused(ReportRefusal)
}

/// Finds and reads the reports in a mail or a file, whatever its names and types say.
package struct ReportReader {
    private let limits: ReadingLimits
    private let budget: UnpackingBudget
    private var hints = ReportHints()
    private var found: [FoundReport] = []

    /// Reads a mail or a file.
    ///
    /// - Parameters:
    ///   - octets: all of it.
    ///   - name: the name of the file; empty for a mail.
    ///   - limits: how much is read.
    /// - Returns: what was found in it; a refusal where it has no report.
    package static func read(
        _ octets: [UInt8], name: String = "", limits: ReadingLimits = ReadingLimits()
    ) -> [FoundReport] {
        guard octets.count <= limits.message else {
            let reason = "it has more than \(limits.message >> 20) MB, which is not read"
            return [.refused(ReportRefusal(nil, reason))]
        }
        var reader = ReportReader(limits)
        reader.readWhole(octets, name: name)
        return reader.found
    }

    private init(_ limits: ReadingLimits) {
        self.limits = limits
        budget = UnpackingBudget(limits)
    }

    private mutating func readWhole(_ octets: [UInt8], name: String) {
        hints.take(fileName: name)
        switch ContentKind(octets) {
        case .empty: refuse(nil, "it is empty")
        case .other:
            guard let walk = MIMEWalk(octets[...], limits), walk.isMail else {
                refuse(nil, "it is neither a mail nor a report")
                return
            }
            readMail(walk)
        case let kind: examine(octets, kind, name: name, depth: 0)
        }
    }

    private mutating func readMail(_ walk: MIMEWalk) {
        let leaves = walk.leaves
        for message in walk.messages.indices {
            let parts = leaves.filter { $0.message == message }
            hints = ReportHints()
            hints.take(walk.messages[message])
            let (before, header) = (found.count, hints)
            if readFeedback(parts, header, fromText: false) { continue }
            for part in parts { readPart(part, header) }
            // The text beside an attachment may speak of failure reports, too.
            if found.count == before { _ = readFeedback(parts, header, fromText: true) }
            note(parts, since: before)
        }
        guard found.isEmpty else { return }
        let reason = walk.notes.first.map { ": \($0)" } ?? ""
        refuse(nil, "the mail has no report in it\(reason)")
    }

    /// Reads a failure report, and tells whether the parts are one.
    private mutating func readFeedback(
        _ parts: [MIMELeaf], _ hints: ReportHints, fromText isText: Bool
    ) -> Bool {
        do {
            guard let report = try FeedbackReader.report(parts, hints, fromText: isText) else {
                return false
            }
            found.append(.report(report))
        } catch {
            found.append(.refused(error))
        }
        return true
    }

    /// Adds what is wrong with the transfer encoding of a message's only report.
    private mutating func note(_ parts: [MIMELeaf], since place: Int) {
        guard found.count == place + 1, case .report(var report) = found[place],
            let note = parts.lazy.compactMap(\.note).first
        else { return }
        report.notes.append(note)
        found[place] = .report(report)
    }

    private mutating func readPart(_ part: MIMELeaf, _ hints: ReportHints) {
        self.hints = hints
        self.hints.take(fileName: part.name)
        let name = part.name.lowercased()
        let kind = ContentKind(part.octets)
        switch kind {
        case .gzip, .zip: examine(part.octets, kind, name: part.name, depth: 0)
        case .xml:
            if ContentKind.mentionsFeedback(part.octets) || name.hasSuffix(".xml") {
                examine(part.octets, kind, name: part.name, depth: 0)
            }
        case .json:
            if part.type.contains("tlsrpt") || part.type.contains("json") || name.hasSuffix(".json")
            {
                examine(part.octets, kind, name: part.name, depth: 0)
            }
        case .other, .empty:
            let ends = [".xml", ".gz", ".zip", ".json"]
            if part.type.contains("zip") || part.type.contains("tlsrpt")
                || ends.contains(where: name.hasSuffix)
            {
                refuse(nil, Self.unreadable(part.octets, "the attachment \"\(part.name)\""))
            }
        }
    }

    private mutating func examine(
        _ octets: [UInt8], _ kind: ContentKind, name: String, depth: Int
    ) {
        do throws(ReportRefusal) {
            switch kind {
            case .gzip, .zip:
                guard depth < limits.depth else {
                    throw ReportRefusal(nil, "archives are nested deeper than \(limits.depth)")
                }
                try unpack(octets, kind, name: name, depth: depth)
            case .xml:
                var reader = try AggregateReader(limits)
                var rest = octets[...]
                while !rest.isEmpty, reader.read(rest.prefix(64 << 10)) {
                    try limits.requireTime()
                    rest = rest.dropFirst(64 << 10)
                }
                found.append(.report(try reader.finish(hints)))
            case .json:
                guard octets.count <= limits.json else {
                    throw ReportRefusal(.tls, "the JSON has more than \(limits.json >> 20) MB")
                }
                found.append(.report(try TLSReader.report(octets[...], hints)))
            case .other, .empty:
                throw ReportRefusal(nil, Self.unreadable(octets, "the file \"\(name)\""))
            }
        } catch {
            found.append(.refused(error))
        }
    }

    private mutating func unpack(
        _ octets: [UInt8], _ kind: ContentKind, name: String, depth: Int
    ) throws(ReportRefusal) {
        let before = found.count
        let outer = hints
        var unreadable: String?
        try Archive.each(in: octets, isZip: kind == .zip, budget) {
            file, archive throws(ReportRefusal) in
            hints = outer
            hints.take(fileName: file)
            let base = file.split(separator: "/").last ?? ""
            // What another system puts beside the files that it packs.
            if file.hasPrefix("__MACOSX/") || base.hasPrefix("._") || base == ".DS_Store" {
                return
            }
            var start: [UInt8] = []
            while start.count < 4096 {
                let piece = try archive.read()
                if piece.isEmpty { break }
                start += piece
            }
            let kind = ContentKind(start)
            switch kind {
            case .xml: try readXML(start, archive)
            case .json:
                examine(
                    try Self.collect(start, archive, atMost: limits.json), kind, name: file,
                    depth: depth + 1)
            case .gzip, .zip:
                let inner = try Self.collect(start, archive, atMost: limits.nested)
                examine(inner, kind, name: file, depth: depth + 1)
            case .other, .empty:
                let what = file.isEmpty || file == "data" ? "the archive" : "the file \"\(file)\""
                unreadable = unreadable ?? Self.unreadable(start, what)
            }
        }
        guard found.count == before else { return }
        throw ReportRefusal(nil, unreadable ?? "the archive has no files")
    }

    /// Reads a report while it is unpacked: a file that is no report does not end the archive, and a bad archive does.
    private mutating func readXML(
        _ start: [UInt8], _ archive: Archive
    ) throws(ReportRefusal) {
        var reader = try AggregateReader(limits)
        var isOfUse = reader.read(start[...])
        while isOfUse {
            let piece = try archive.read()
            if piece.isEmpty { break }
            isOfUse = reader.read(piece)
        }
        do {
            found.append(.report(try reader.finish(hints)))
        } catch {
            found.append(.refused(error))
        }
    }

    private static func collect(
        _ start: [UInt8], _ archive: Archive, atMost limit: Int
    ) throws(ReportRefusal) -> [UInt8] {
        var octets = start
        while true {
            let piece = try archive.read()
            if piece.isEmpty { return octets }
            octets += piece
            guard octets.count <= limit else {
                throw ReportRefusal(nil, "a file in it has more than \(limit >> 20) MB")
            }
        }
    }

    /// Why something that should be a report is none.
    private static func unreadable(_ octets: [UInt8], _ what: String) -> String {
        if octets.isEmpty { return "\(what) is empty" }
        let text = PlainText.line(String(decoding: octets.prefix(64), as: UTF8.self), atMost: 40)
        // Two large receivers sent this word in place of reports.
        if text == "unused" { return "\(what) has only the word \"unused\" in it, and no report" }
        return "\(what) is neither XML nor JSON: it begins with \"\(text)\""
    }

    private mutating func refuse(_ kind: ReportKind?, _ reason: String) {
        found.append(.refused(ReportRefusal(kind, reason)))
    }
}

extension MIMEWalk {
    /// Whether the octets were a mail: the field names are those of mails.
    var isMail: Bool {
        let names: Set<String> = [
            "from", "to", "subject", "date", "received", "message-id", "mime-version",
            "content-type", "contenttype", "return-path", "delivered-to", "feedback-type",
        ]
        return messages.first?.fields.contains { names.contains($0.name) } == true
    }
}

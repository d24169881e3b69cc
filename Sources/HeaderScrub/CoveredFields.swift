internal import MailSyntax

/// Which fields the signatures that already stand on a message cover: to change one would break its signature.
///
/// A signature covers the fields that its `h=` names, of several with one name the lowest (RFC 6376, section 5.4.2; RFC 8617,
/// section 4.1.2). What `h=` names beyond the fields that are there covers nothing that could be touched. A field that no
/// verifier could read as a signature covers nothing.
///
/// Trust: hostile bytes; time is linear in the signatures' length.
struct CoveredFields {
    /// For each name, in lower case, how many of its fields are covered, from the lowest up, and by whose signature.
    private var covered: [[UInt8]: (count: Int, signature: String)] = [:]

    /// Reads the DKIM and ARC signatures of a header section.
    init(of header: HeaderSection) {
        for kind in [FieldName.dkimSignature, .arcMessageSignature] {
            for position in header.indices(named: kind) {
                guard let tags = try? TagList(parsing: header.value(of: position)),
                    let names = tags.list("h")
                else { continue }
                let domain = tags.text("d") ?? "nobody"
                add(names, signature: "\(kind == .dkimSignature ? "DKIM" : "ARC") \(domain)")
            }
        }
    }

    private mutating func add(_ names: [ArraySlice<UInt8>], signature: String) {
        var counts: [[UInt8]: Int] = [:]
        for name in names { counts[name.asciiLowercased, default: 0] += 1 }
        for (name, count) in counts where count > covered[name]?.count ?? 0 {
            covered[name] = (count, signature)
        }
    }

    /// The signature that covers a field, in words for the log; nil where none does.
    func signature(covering position: Int, of header: HeaderSection) -> String? {
        guard !covered.isEmpty,
            let found = covered[header.name(of: position).asciiLowercased],
            let lowest = header.lastIndex(named: header.name(of: position).span)
        else { return nil }
        let above = header.occurrence(of: lowest) - header.occurrence(of: position)
        return above < found.count ? found.signature : nil
    }
}

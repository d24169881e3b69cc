import DaemonKit
import MailAuth
import MailSyntax

/// A list of field names as opendkim.conf(5) writes it: a list of its own, or with `*` the default with `+NAME` and `-NAME`.
struct FieldNameList: Equatable, Sendable {
    /// Whether the default list is the start.
    let changesDefault: Bool
    /// Names that are in the list.
    let added: [FieldPattern]
    /// Names that are taken out.
    let removed: Set<FieldPattern>

    /// Reads the entries of a data set; entries that are no field name, nor, where that is wanted, the beginning of one with `*`
    /// after it, are handed to `report`.
    init(_ set: DataSet, withPatterns: Bool, report: (DataSet.Entry) -> Void) {
        var changesDefault = false
        var added: [FieldPattern] = []
        var removed: Set<FieldPattern> = []
        for entry in set.entries {
            let text = entry.key
            // "." is the peer's way to write an empty list.
            if text == "." { continue }
            if text == "*" {
                changesDefault = true
                continue
            }
            let name = FieldPattern(text.drop { $0 == "+" || $0 == "-" })
            guard name.name.isValid, withPatterns || !name.isPrefix else {
                report(entry)
                continue
            }
            if text.hasPrefix("-") { removed.insert(name) } else { added.append(name) }
        }
        self.changesDefault = changesDefault
        self.added = added
        self.removed = removed
    }

    /// The list itself, given the default.
    func applied(to standard: [FieldPattern]) -> [FieldPattern] {
        let start = changesDefault ? standard.filter { !removed.contains($0) } : []
        return start + added.filter { !start.contains($0) && !removed.contains($0) }
    }
}

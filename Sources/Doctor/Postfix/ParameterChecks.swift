internal import Configuration
internal import PostfixConfiguration

/// Whether main.cf and master.cf say what they seem to.
enum ParameterChecks {
    /// Whether there is a Postfix at all.
    static let presence = Check.ofFiles("postfix", "Postfix", fine: "its configuration is there") {
        _, tree in
        guard tree.exists(PostfixView.mainPath) else {
            return [.skipped("postfix", "Postfix", "\(PostfixView.mainPath) is not there")]
        }
        return [PostfixView.mainPath, PostfixView.masterPath].compactMap { path in
            do throws(FileReadError) {
                _ = try tree.octets(path)
                return nil
            } catch {
                return Diagnosis(
                    .postfixUnreadable, path, "it \(error)",
                    mend: .words(
                        "put the file back, owned by root and readable by all: ls -l \(path)"))
            }
        }
    }

    /// What Postfix complains of.
    static let syntax = Check.ofPostfix(
        "postfix.syntax", fine: "main.cf and master.cf are readable"
    ) {
        _, postfix in
        let files = [
            (PostfixView.mainPath, postfix.main.faults),
            (PostfixView.masterPath, postfix.master?.faults ?? []),
        ]
        return files.flatMap { path, faults in
            faults.map { fault in
                Diagnosis(
                    .postfixSyntax, "\(path):\(fault.line)", fault.message,
                    mend: .words("correct line \(fault.line); \"postfix check\" names what is left")
                )
            }
        }
    }

    /// Parameters that are set more than once.
    static let repeats = Check.ofPostfix("postfix.parameter", fine: "no parameter is set twice") {
        host, postfix in
        postfix.main.namesSetTwice.compactMap { name in
            guard let last = postfix.main.setting(name) else { return nil }
            let lines = postfix.main.replaced(name).map(\.line) + [last.line]
            let what = "it is set on lines \(Shown.list(lines.map(String.init))) of main.cf"
            guard name.hasSuffix("_restrictions") || name.hasSuffix("_milters") else {
                return Diagnosis(
                    .parameterTwice, name, what, mend: .parameter(name, last.value))
            }
            return Diagnosis(
                .restrictionsTwice, name, what,
                mend: name == "smtpd_milters"
                    ? MilterProposal(ofMain: host, postfix).mend
                    : .parameter(name, allItems(of: name, postfix).joined(separator: ", ")))
        }
    }

    /// The items of all settings of a parameter, each once, those that end a list of restrictions at its end.
    static func allItems(of name: String, _ postfix: PostfixView) -> [String] {
        let settings = postfix.main.replaced(name) + [postfix.main.setting(name)].compactMap(\.self)
        var parts: [String] = []
        for setting in settings {
            var items = PostfixList.items(setting.value)[...]
            while let item = items.popFirst() {
                var part = item
                if item.hasPrefix("check_") || item.hasPrefix("reject_rbl_"), let next = items.first
                {
                    part += " \(next)"
                    items.removeFirst()
                }
                if !parts.contains(part) { parts.append(part) }
            }
        }
        let last = parts.filter { ["permit", "reject", "defer"].contains($0) }
        return parts.filter { !last.contains($0) } + last.prefix(1)
    }
}

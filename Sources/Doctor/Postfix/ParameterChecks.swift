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
                .restrictionsTwice, name, what, mend: proposal(name, host, postfix))
        }
    }

    /// The list that both settings are meant to be.
    private static func proposal(
        _ name: String, _ host: HostView, _ postfix: PostfixView
    ) -> Mend {
        switch name {
        case "smtpd_milters": return MilterProposal(ofMain: host, postfix).mend
        case "non_smtpd_milters":
            let chain = MilterChain.all(postfix, host.suite).first { $0.listener == nil }
            return
                (chain.map { MilterProposal($0, host, postfix) }
                ?? MilterProposal(ofMain: host, postfix)).mend
        default:
            let list = RestrictionList.ofMain(name, postfix)
            return RestrictionProposal(list, host, postfix).mend
        }
    }

    /// The items of all settings of a parameter, each once.
    static func allItems(of name: String, _ postfix: PostfixView) -> [String] {
        let settings = postfix.main.replaced(name) + [postfix.main.setting(name)].compactMap(\.self)
        var seen: Set<String> = []
        return settings.flatMap { PostfixList.items($0.value) }.filter { seen.insert($0).inserted }
    }
}

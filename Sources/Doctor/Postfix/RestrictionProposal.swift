internal import PostfixConfiguration

/// The list of restrictions that a service should have: the one that it has, with everything mended that the list itself can mend.
///
/// It is made once for a list, so that all findings about it propose the same.
struct RestrictionProposal {
    private let list: RestrictionList
    /// The restrictions, each with its argument.
    private var parts: [String]
    private let host: HostView
    private let postfix: PostfixView

    /// Mends a list.
    init(_ list: RestrictionList, _ host: HostView, _ postfix: PostfixView) {
        (self.list, self.host, self.postfix) = (list, host, postfix)
        // Of two settings both are meant.
        let isReplaced = list.isOfMain && !postfix.main.replaced(list.parameter).isEmpty
        parts =
            isReplaced
            ? Self.allParts(of: list.parameter, postfix) : RestrictionText.parts(list.items)
        correctAddresses()
        replaceIncumbents()
        var seen: Set<String> = []
        parts = parts.filter { seen.insert($0).inserted }
        if list.isOfMain, PolicyChecks.lacksService(list.parameter, host, postfix) { addService() }
        letUsersPass()
        if list.parameter == PolicyChecks.relayParameter, PolicyChecks.isOpen(list, postfix) {
            refuseStrangers()
        }
    }

    /// What gives the services this list: a parameter of main.cf, or words for master.cf.
    var mend: Mend {
        if let first = Incumbents.migration(for: list, host, postfix) { return first }
        let text = parts.joined(separator: ", ")
        return list.owner.map {
            .words("in master.cf, for \($0), write -o { \(list.parameter) = \(text) }")
        } ?? .parameter(list.parameter, text)
    }

    // MARK: The steps

    /// The restrictions of all settings of a parameter, each once, those that end a list at its end.
    private static func allParts(of name: String, _ postfix: PostfixView) -> [String] {
        let settings = postfix.main.replaced(name) + [postfix.main.setting(name)].compactMap(\.self)
        let parts = settings.flatMap { RestrictionText.parts(PostfixList.items($0.value)) }
        let last = parts.filter(RestrictionText.ends.contains)
        // The later of the two ways to refuse relaying is the one that is meant.
        let refusal = parts.last { $0.hasSuffix("_unauth_destination") }
        return parts.filter {
            !last.contains($0) && (!$0.hasSuffix("_unauth_destination") || $0 == refusal)
        } + last.prefix(1)
    }

    /// The policy service that a restriction asks; nil where it asks none.
    private func service(_ part: String) -> PolicyUse? {
        let items = PostfixList.items(part)
        guard items.count >= 2, items[items.count - 2] == "check_policy_service" else { return nil }
        return PolicyUse(list, place: items.count - 1, of: items, postfix, host.suite)
    }

    /// A restriction that asks another service.
    private func asking(_ address: String, insteadOf part: String) -> String {
        (PostfixList.items(part).dropLast() + [address]).joined(separator: " ")
    }

    private mutating func correctAddresses() {
        for index in parts.indices {
            guard let use = service(parts[index]), use.spawned == nil,
                let better = Reach(use.endpoint, isChrooted: use.isChrooted, host, postfix)
                    .betterAddress
            else { continue }
            parts[index] = asking(better, insteadOf: parts[index])
        }
    }

    /// Where signet-spf is ready it takes the place of another program that does the same.
    private mutating func replaceIncumbents() {
        guard Incumbents.isReady("spf", host) else { return }
        var hasOurs = parts.contains { service($0)?.endpoint.isOurs("spf") == true }
        var kept: [String] = []
        for part in parts {
            guard let use = service(part), use.checksSPF, !use.endpoint.isOurs("spf") else {
                kept.append(part)
                continue
            }
            if !hasOurs { kept.append(asking(Self.ours, insteadOf: part)) }
            hasOurs = true
        }
        parts = kept
    }

    private static let ours = "unix:signet/spf.sock"

    private mutating func addService() {
        if parts.isEmpty {
            parts = ["permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_destination"]
        }
        let end = parts.firstIndex(where: RestrictionText.ends.contains) ?? parts.endIndex
        parts.insert("check_policy_service \(Self.ours)", at: end)
    }

    /// Puts what lets users pass before what they would be refused by.
    private mutating func letUsersPass() {
        guard let place = parts.firstIndex(where: { service($0)?.checksSPF == true }) else {
            return
        }
        let missing = list.permits.filter { !parts[..<place].contains($0) }
        guard !missing.isEmpty else { return }
        let first = parts[...place].firstIndex { $0.hasSuffix("_unauth_destination") } ?? place
        let before = parts[..<first]
        parts = before + missing + parts[first...].filter { !missing.contains($0) }
    }

    private mutating func refuseStrangers() {
        if parts.isEmpty { parts = ["permit_mynetworks", "permit_sasl_authenticated"] }
        parts.removeAll { $0 == "permit" }
        if !PolicyChecks.refuses(parts) { parts.append("defer_unauth_destination") }
    }
}

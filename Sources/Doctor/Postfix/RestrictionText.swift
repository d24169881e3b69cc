internal import PostfixConfiguration

/// The items of lists of restrictions, each with what belongs to it (smtpd_recipient_restrictions in postconf(5)).
enum RestrictionText {
    /// Those after which nothing in a list counts.
    static let ends: Set<String> = ["permit", "reject", "defer"]

    /// Restrictions, each with its argument and with what qualifies it: `check_policy_service unix:…`.
    static func parts(_ items: [String]) -> [String] {
        var parts: [String] = []
        var isOpen = false
        for item in items {
            if isOpen, let last = parts.popLast() {
                parts.append("\(last) \(item)")
            } else {
                parts.append(item)
            }
            isOpen = item == "warn_if_reject" || takesArgument(item)
        }
        return parts
    }

    /// Restrictions as main.cf has them: their arguments behind a blank, a comma between any two.
    static func joined(_ items: [String]) -> String { parts(items).joined(separator: ", ") }

    private static func takesArgument(_ item: String) -> Bool {
        guard !item.contains(":"), item != "check_relay_domains" else { return false }
        return item == "sleep"
            || ["check_", "reject_rbl_", "reject_rhsbl_", "permit_dnswl_", "permit_rhswl_"]
                .contains { item.hasPrefix($0) }
    }
}

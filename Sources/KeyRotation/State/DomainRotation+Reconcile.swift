package import MailSyntax

extension DomainRotation {
    /// A key that lies in the domain's folder.
    package struct Lying: Hashable, Sendable {
        /// Its selector.
        package let selector: DomainName
        /// What it is.
        package let kind: KeyKind
        /// When its file was written, in seconds since 1970.
        package let made: Int64

        /// Describes a key.
        package init(_ selector: DomainName, _ kind: KeyKind, made: Int64) {
            self.selector = selector
            self.kind = kind
            self.made = made
        }
    }

    /// Brings the state and the list of signing selectors together, after a kill between two writes or an edit by hand.
    ///
    /// A key that is on its way never signs, whatever the list says: the switch is then done again from its start, with the
    /// questions to the DNS that belong to it. All other changes of the list are the administrator's and hold.
    ///
    /// - Parameters:
    ///   - list: the selectors in `signing`; nil where there is no such file, and every key of the folder signs.
    ///   - folder: the keys in the folder.
    ///   - now: seconds since 1970.
    /// - Returns: the list to write; nil where it is as it should be.
    package mutating func reconcile(
        list: [DomainName]?, folder: [Lying], at now: Int64
    ) -> [DomainName]? {
        guard let list else {
            guard keys.isEmpty else { return signing }
            adopt(folder, at: now)
            return nil
        }
        guard !list.contains(where: { self[$0]?.stage.isComing == true }) else { return signing }
        adopt(folder.filter { list.contains($0.selector) && self[$0.selector] == nil }, at: now)
        for key in keys {
            let isListed = list.contains(key.selector)
            if isListed, key.stage == .retiring {
                change(key.selector) { $0.enter(.signing, at: now) }
            } else if !isListed, key.stage == .signing {
                change(key.selector) { $0.enter(.retiring, at: now) }
            }
        }
        let wanted = list.filter { self[$0]?.stage == .signing }
        let gone = list.contains { self[$0] != nil && self[$0]?.stage != .signing }
        return gone ? wanted : nil
    }

    private mutating func adopt(_ lying: [Lying], at now: Int64) {
        for key in lying where keys.count < Self.maximumKeys {
            keys.append(
                ManagedKey(
                    key.selector, key.kind, .signing, made: key.made, since: key.made, group: 0))
        }
    }
}

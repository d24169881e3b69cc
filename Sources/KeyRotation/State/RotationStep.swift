package import MailSyntax

/// What is to be done next for a key.
package enum RotationStep: Hashable, Sendable {
    /// Make the key file, unless it is there.
    case make(DomainName)
    /// Hand its record to the DNS.
    case publish(DomainName)
    /// Ask every authoritative server whether it shows the record.
    case observe(DomainName)
    /// Ask once more, and let these keys sign in the place of those.
    case begin([DomainName], ending: [DomainName])
    /// Tell every host that these keys sign no more.
    case announce([DomainName])
    /// Hand the record without a key to the DNS.
    case empty(DomainName)
    /// Take the record out of the DNS, and destroy or publish the private key.
    case withdraw(DomainName)

    /// The keys that it is about.
    package var selectors: [DomainName] {
        switch self {
        case .make(let key), .publish(let key), .observe(let key), .empty(let key),
            .withdraw(let key):
            [key]
        case .begin(let keys, _), .announce(let keys): keys
        }
    }
}

extension DomainRotation {
    /// The steps that can be taken now.
    ///
    /// Pure: the same state at the same time gives the same steps.
    package func steps(at now: Int64, _ policy: RotationPolicy) -> [RotationStep] {
        var steps = keys.compactMap { step(for: $0, at: now, policy) }
        for group in Set(keys.filter(\.stage.isComing).map(\.group)).sorted() {
            let coming = keys.filter { $0.group == group && $0.stage.isComing }
            let isReady = coming.allSatisfy { $0.stage == .seen && ($0.until ?? 0) <= now }
            guard isReady else { continue }
            let kinds = Set(coming.map(\.kind))
            let ending = keys.filter { $0.stage == .signing && kinds.contains($0.kind) }
            steps.append(.begin(coming.map(\.selector), ending: ending.map(\.selector)))
        }
        let ended = keys.filter { $0.stage == .retiring && $0.until == nil }
        if !ended.isEmpty { steps.append(.announce(ended.map(\.selector))) }
        return steps
    }

    private func step(
        for key: ManagedKey, at now: Int64, _ policy: RotationPolicy
    ) -> RotationStep? {
        let isDue = (key.until ?? 0) <= now
        switch key.stage {
        case .planned: return .make(key.selector)
        case .made: return .publish(key.selector)
        case .published: return .observe(key.selector)
        case .retiring where isDue && key.until != nil:
            return policy.emptiesFirst ? .empty(key.selector) : .withdraw(key.selector)
        case .revoking: return .empty(key.selector)
        case .emptied where isDue: return .withdraw(key.selector)
        case .seen, .signing, .retiring, .emptied, .withdrawn: return nil
        }
    }

    /// The next moment at which something can be done by waiting alone; nil where there is none.
    package func nextMoment(after now: Int64) -> Int64? {
        keys.compactMap(\.until).filter { $0 > now }.min()
    }
}

internal import MailCrypto
internal import MailSyntax

extension KeyRotator {
    /// Takes one step; the caller writes the state.
    func take(
        _ step: RotationStep, _ state: inout DomainRotation, _ domain: DomainName
    ) throws(StepFailure) {
        let moment = now()
        switch step {
        case .make(let selector):
            guard let key = state[selector] else { return }
            try onDisk { () throws(DiskFailure) in
                try disk.makeKey(selector, key.kind, bits: policy.bits, of: domain)
            }
            state.change(selector) { $0.enter(.made, at: moment) }
        case .publish(let selector):
            let key = try publicKey(selector, domain)
            // What is in the DNS every host knows, so that each can go on and take it away again.
            try changeDNS { () throws(MethodFailure) in
                try distributor?.distributeKeys(of: [domain])
                try method.present(try record(selector, domain, key.keyRecord))
            }
            state.change(selector) { $0.enter(.published, at: moment) }
        case .observe(let selector):
            let wait = try shownFor(selector, domain)
            let end = now() + wait + RotationPolicy.slack
            state.change(selector) { $0.enter(.seen, at: moment, until: end) }
        case .begin(let selectors, let ending):
            try begin(selectors, ending: ending, &state, domain)
        case .announce(let selectors):
            try changeDNS { () throws(MethodFailure) in
                try distributor?.distributeLists(of: [domain])
            }
            // From here on no host signs with them: the time of the queue begins.
            let end = now() + policy.retirement + RotationPolicy.slack
            for selector in selectors {
                state.change(selector) {
                    $0.until = end
                    $0.fault = nil
                }
            }
        case .empty(let selector):
            try empty(selector, &state, domain)
        case .withdraw(let selector):
            try checkSuccessor(of: selector, state)
            // Hooks may want to know which record it is.
            let key = state[selector]?.stage == .emptied ? nil : try? publicKey(selector, domain)
            let shown = key?.keyRecord ?? Self.emptyRecord
            try changeDNS { () throws(MethodFailure) in
                try method.cleanup(try record(selector, domain, shown))
            }
            try onDisk { () throws(DiskFailure) in
                if policy.reveals {
                    try disk.revealKey(selector, of: domain)
                } else {
                    try disk.destroyKey(selector, of: domain)
                }
            }
            state.change(selector) { $0.enter(.withdrawn, at: moment) }
        }
    }

    /// A key record without a key (RFC 6376, section 3.6.1, p=).
    private static let emptyRecord = "v=DKIM1; p="

    /// Lets keys sign in the place of others: only what every server shows at this moment.
    private func begin(
        _ selectors: [DomainName], ending: [DomainName], _ state: inout DomainRotation,
        _ domain: DomainName
    ) throws(StepFailure) {
        for selector in selectors {
            do throws(StepFailure) {
                _ = try shownFor(selector, domain)
            } catch {
                // It was there and is not: it must be seen anew, and the wait begins again.
                state.change(selector) { $0.enter(.published, at: now()) }
                throw error
            }
        }
        try changeDNS { () throws(MethodFailure) in
            try distributor?.distributeKeys(of: [domain])
        }
        let staying = state.signing.filter { !ending.contains($0) }
        try onDisk { () throws(DiskFailure) in
            try disk.writeSigning(staying + selectors, of: domain)
        }
        let moment = now()
        for selector in selectors { state.change(selector) { $0.enter(.signing, at: moment) } }
        for selector in ending { state.change(selector) { $0.enter(.retiring, at: moment) } }
    }

    private func empty(
        _ selector: DomainName, _ state: inout DomainRotation, _ domain: DomainName
    ) throws(StepFailure) {
        let isRevoked = state[selector]?.stage == .revoking
        if !isRevoked { try checkSuccessor(of: selector, state) }
        try changeDNS { () throws(MethodFailure) in
            try method.present(try record(selector, domain, Self.emptyRecord))
        }
        // Nobody publishes what somebody else may have: a compromised key is destroyed at once.
        if isRevoked {
            try onDisk { () throws(DiskFailure) in try disk.destroyKey(selector, of: domain) }
        }
        let moment = now()
        let end = moment + policy.margin + policy.recordTTL + RotationPolicy.slack
        state.change(selector) {
            $0.enter(.emptied, at: moment, until: end)
        }
    }

    /// Refuses to end a key as long as one that signs in its place may be missing from the DNS.
    private func checkSuccessor(
        of selector: DomainName, _ state: DomainRotation
    ) throws(StepFailure) {
        guard let fault = state.keys.first(where: { $0.stage == .signing && $0.fault != nil })
        else {
            return
        }
        throw StepFailure("it stays until the DNS shows \(fault.selector), which signs")
    }

    // MARK: What the DNS shows

    /// Looks whether the DNS still shows the keys that sign.
    ///
    /// Where a server shows something else, and still shows the key before, that one signs again: its record stays in the DNS
    /// for exactly such days.
    func checkSigningKeys(
        _ state: inout DomainRotation, _ domain: DomainName
    ) throws(RotationFailure) {
        guard state.keys.contains(where: { $0.stage == .signing && $0.group > 0 }) else { return }
        for key in state.keys where key.stage == .signing {
            guard let sighting = sighting(key.selector, domain) else { continue }
            switch sighting {
            case .shown: state.change(key.selector) { $0.fault = nil }
            case .unknown(let reason):
                state.change(key.selector) { $0.fault = DomainRotation.oneLine(reason) }
            case .notShown(let reason):
                state.change(key.selector) { $0.fault = DomainRotation.oneLine(reason) }
                let before = state.keys.last { other in
                    guard other.stage == .retiring, other.kind == key.kind,
                        case .shown? = self.sighting(other.selector, domain)
                    else { return false }
                    return true
                }
                if let before {
                    try goBack(from: key.selector, to: before.selector, &state, domain)
                }
            }
        }
        try save(state, domain)
    }

    private func goBack(
        from selector: DomainName, to before: DomainName, _ state: inout DomainRotation,
        _ domain: DomainName
    ) throws(RotationFailure) {
        let list = state.signing.map { $0 == selector ? before : $0 }
        try disked { () throws(DiskFailure) in try disk.writeSigning(list, of: domain) }
        let moment = now()
        state.change(before) { $0.enter(.signing, at: moment) }
        // It must be seen anew; what the servers show instead is said with that step.
        state.change(selector) { $0.enter(.published, at: moment) }
    }

    private func sighting(_ selector: DomainName, _ domain: DomainName) -> KeySighting? {
        guard let key = try? disk.publicKey(selector, of: domain),
            let name = try? Self.name(selector, domain)
        else { return nil }
        return KeySighting(dns.sight(name), of: key)
    }

    /// How long to wait, in seconds, until a key that every server shows may sign.
    private func shownFor(
        _ selector: DomainName, _ domain: DomainName
    ) throws(StepFailure) -> Int64 {
        let key = try publicKey(selector, domain)
        let name = try Self.name(selector, domain)
        switch KeySighting(dns.sight(name), of: key) {
        case .shown(let negativeTTL):
            // A selector that is used in turn had another record before.
            return max(negativeTTL, policy.fixedSelectors == nil ? 0 : policy.recordTTL)
        case .notShown(let reason), .unknown(let reason): throw StepFailure(reason)
        }
    }

    // MARK: Pieces

    private func record(
        _ selector: DomainName, _ domain: DomainName, _ value: String
    ) throws(MethodFailure) -> KeyPublicationRecord {
        do throws(StepFailure) {
            return KeyPublicationRecord(
                name: try Self.name(selector, domain), domain: domain, value: value,
                ttl: policy.recordTTL)
        } catch {
            throw MethodFailure(error.description)
        }
    }

    private static func name(
        _ selector: DomainName, _ domain: DomainName
    ) throws(StepFailure) -> DomainName {
        guard let below = try? DomainName.domainKey.below(domain),
            let name = try? selector.below(below)
        else { throw StepFailure("\(selector)._domainkey.\(domain) is too long for a name") }
        return name
    }

    private func publicKey(
        _ selector: DomainName, _ domain: DomainName
    ) throws(StepFailure) -> PublicKey {
        do throws(DiskFailure) {
            return try disk.publicKey(selector, of: domain)
        } catch {
            throw StepFailure(error)
        }
    }

    private func onDisk(_ body: () throws(DiskFailure) -> Void) throws(StepFailure) {
        do throws(DiskFailure) { try body() } catch { throw StepFailure(error) }
    }

    private func changeDNS(_ body: () throws(MethodFailure) -> Void) throws(StepFailure) {
        do throws(MethodFailure) { try body() } catch { throw StepFailure(error) }
    }
}

extension PublicKey {
    /// The value of the record that publishes the key (RFC 6376, section 3.6.1), on one line.
    package var keyRecord: String { keyRecord(restrictions: "") }

    /// The same with tags that restrict the key, each with its semicolon and a space: `s=email; t=y; `.
    package func keyRecord(restrictions: String) -> String {
        let kind =
            switch algorithm {
            case .rsa: "k=rsa; h=sha256"
            case .ed25519: "k=ed25519"
            }
        return "v=DKIM1; \(kind); \(restrictions)p=\(Base64.encode(recordOctets))"
    }
}

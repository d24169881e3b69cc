package import MailSyntax

/// Takes the steps of a domain's rotation over a disk, the DNS and a way to change it.
///
/// After each step the state is written before the next one begins, and each step may be done again: whatever kills the
/// command, the next run goes on. A step that fails leaves its key where it is, with the reason, and the keys that sign go
/// on signing.
package struct KeyRotator {
    /// The keys and the state.
    let disk: any KeyDisk
    /// The authoritative servers.
    let dns: any AuthorityDNS
    /// How records are changed.
    let method: any RecordMethod
    /// Brings keys to the other hosts; nil where there are none.
    let distributor: (any KeyDistributor)?
    /// Says whether this host is the one that rotates; nil where no other does.
    let leader: (any RotationLeader)?
    /// What the administrator wants.
    let policy: RotationPolicy
    /// Seconds since 1970.
    let now: @Sendable () -> Int64

    /// Puts a rotator together.
    package init(
        disk: any KeyDisk, dns: any AuthorityDNS, method: any RecordMethod,
        distributor: (any KeyDistributor)? = nil, leader: (any RotationLeader)? = nil,
        policy: RotationPolicy, now: @escaping @Sendable () -> Int64
    ) {
        self.disk = disk
        self.dns = dns
        self.method = method
        self.distributor = distributor
        self.leader = leader
        self.policy = policy
        self.now = now
    }

    /// The most steps of one run.
    private static let stepLimit = 256

    // MARK: What is asked for

    /// Takes every step that can be taken now, or those of a pass.
    package func advance(
        _ domain: DomainName, _ pass: RotationPass = .all
    ) throws(RotationFailure) -> DomainRotation {
        try leader?.confirm()
        var state = try load(domain)
        if pass.isFirst { try checkSigningKeys(&state, domain) }
        try takeSteps(&state, domain, pass)
        return state
    }

    /// Plans new keys and takes the first steps; nil kinds for those of the keys that sign.
    package func rotate(
        _ domain: DomainName, _ kinds: [KeyKind]? = nil, _ pass: RotationPass = .all
    ) throws(RotationFailure) -> DomainRotation {
        try leader?.confirm()
        var state = try load(domain)
        let current = Set(state.keys.filter { $0.stage == .signing }.map(\.kind))
        let wanted = kinds ?? KeyKind.allCases.filter(current.contains)
        try plan(wanted.isEmpty ? [.rsa] : wanted, &state, domain)
        try checkSigningKeys(&state, domain)
        try takeSteps(&state, domain, pass)
        return state
    }

    /// Ends the use of a key in order: another one must sign already.
    package func retire(
        _ selector: DomainName, of domain: DomainName
    ) throws(RotationFailure) -> DomainRotation {
        try leader?.confirm()
        var state = try load(domain)
        guard let key = state[selector], key.stage == .signing else {
            throw RotationFailure("\(selector) of \(domain) does not sign")
        }
        guard state.signing.count > 1 else {
            throw RotationFailure(
                "\(selector) is the only key that signs for \(domain): signet key rotate \(domain)")
        }
        let moment = now()
        try disked {
            () throws(DiskFailure) in
            try disk.writeSigning(state.signing.filter { $0 != selector }, of: domain)
        }
        state.change(selector) { $0.enter(.retiring, at: moment) }
        try save(state, domain)
        try takeSteps(&state, domain)
        return state
    }

    /// Ends the use of a compromised key at once, empties its record and plans another where none of its kind signs.
    package func revoke(
        _ selector: DomainName, of domain: DomainName
    ) throws(RotationFailure) -> DomainRotation {
        try leader?.confirm()
        var state = try load(domain)
        guard let key = state[selector], key.stage != .withdrawn else {
            throw RotationFailure("there is no key \(selector) of \(domain)")
        }
        // The state first: a kill in between leaves a key that signs and is to be revoked, which the next run mends.
        state.change(selector) { $0.enter(.revoking, at: now()) }
        try save(state, domain)
        try disked { () throws(DiskFailure) in try disk.writeSigning(state.signing, of: domain) }
        if !state.keys.contains(where: { $0.kind == key.kind && $0.stage == .signing }) {
            try plan([key.kind], &state, domain)
        }
        try takeSteps(&state, domain)
        return state
    }

    // MARK: State

    /// Reads the state, brought together with what is in the folder.
    package func load(_ domain: DomainName) throws(RotationFailure) -> DomainRotation {
        var state = DomainRotation()
        do throws(DiskFailure) {
            if let octets = try disk.state(of: domain) {
                do throws(DomainRotation.Fault) {
                    state = try DomainRotation(parsing: octets)
                } catch {
                    throw DiskFailure("\(domain)/\(DomainRotation.fileName): \(error)")
                }
            }
            let list = state.reconcile(
                list: try disk.signing(domain), folder: try disk.keys(of: domain), at: now())
            if let list { try disk.writeSigning(list, of: domain) }
            return state
        } catch {
            throw RotationFailure(error.description)
        }
    }

    func save(_ state: DomainRotation, _ domain: DomainName) throws(RotationFailure) {
        try disked { () throws(DiskFailure) in try disk.writeState(state.text, of: domain) }
    }

    func disked(_ body: () throws(DiskFailure) -> Void) throws(RotationFailure) {
        do throws(DiskFailure) { try body() } catch { throw RotationFailure(error.description) }
    }

    private func plan(
        _ kinds: [KeyKind], _ state: inout DomainRotation, _ domain: DomainName
    ) throws(RotationFailure) {
        let lying: [DomainRotation.Lying]
        do throws(DiskFailure) {
            lying = try disk.keys(of: domain)
            // Before there is another key in the folder: without a list it would sign.
            try disk.writeSigning(state.signing, of: domain)
        } catch {
            throw RotationFailure(error.description)
        }
        do throws(DomainRotation.Refusal) {
            let taken = Set(lying.map(\.selector))
            try state.plan(kinds, at: now(), taken: taken, policy)
        } catch {
            throw RotationFailure("\(domain): \(error)")
        }
        try save(state, domain)
    }

    // MARK: Steps

    private func takeSteps(
        _ state: inout DomainRotation, _ domain: DomainName, _ pass: RotationPass = .all
    ) throws(RotationFailure) {
        var failed: Set<RotationStep> = []
        // What the servers show of these was asked in the first pass.
        let asked = Set(state.keys.filter { $0.stage == .published }.map(\.selector))
        for _ in 0..<Self.stepLimit {
            let steps = state.steps(at: now(), policy)
            guard
                let step = steps.first(where: {
                    !failed.contains($0) && pass.takes($0, asked)
                })
            else { break }
            // Before each step: another host may have taken over while the one before took its time.
            try leader?.confirm()
            do throws(StepFailure) {
                try take(step, &state, domain)
            } catch {
                failed.insert(step)
                for selector in step.selectors {
                    state.change(selector) { $0.fault = DomainRotation.oneLine(error.description) }
                }
            }
            state.trimHistory()
            try save(state, domain)
        }
    }
}

/// Says which of several hosts rotates.
package protocol RotationLeader {
    /// Makes sure that it is this one, and for as long as a step may take.
    func confirm() throws(RotationFailure)
}

/// Why a domain's rotation cannot go on.
package struct RotationFailure: Error, Hashable, CustomStringConvertible {
    /// The reason.
    package let description: String

    /// Gives a reason.
    package init(_ description: String) {
        self.description = description
    }
}

/// Why a step could not be taken now.
struct StepFailure: Error, CustomStringConvertible {
    let description: String

    init(_ error: some CustomStringConvertible) {
        description = error.description
    }
}

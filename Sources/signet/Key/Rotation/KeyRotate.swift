import ArgumentParser
import Configuration
import DomainKeys
import Glibc
import KeyRotation
import MailSyntax
import Threads

/// `signet key rotate`: begins rotations, and takes every step that can be taken now.
struct KeyRotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replaces keys of KeyDirectory by new ones without a gap.",
        discussion: """
            With domains, new keys are made for them and the first steps taken. Without, and from the timer, each rotation that \
            is under way goes on, and keys that are older than RotateEvery or KeyMaximumAge begin to be replaced. A new key signs \
            when every authoritative server has shown it for as long as resolvers may remember that there was none. Whatever \
            fails, the keys that sign go on signing, and the next run tries again. Exit status 0; 1 if a step has failed that \
            does not pass by waiting; 75 if a domain could not be worked on.
            """)

    @OptionGroup var options: RotationOptions

    @Option(help: "rsa, ed25519 or both; by default what signs now.")
    var type: KeyNew.Kind?

    @Flag(help: "Wait until the new keys sign.")
    var wait = false

    @Argument(help: "Domains whose keys are replaced.")
    var domains: [String] = []

    private var kinds: [KeyKind]? {
        type.map { kind in
            switch kind {
            case .rsa: [.rsa]
            case .ed25519: [.ed25519]
            case .both: KeyKind.allCases
            }
        }
    }

    func run() throws {
        let named = try domains.map { try DomainArgument.parse($0) }
        let session = try options.session()
        // The timers of all hosts run, and one of them has something to do.
        if named.isEmpty, let other = try session.lease?.other() {
            print(other)
            return
        }
        try session.lease?.require()
        var outcome = RotationOutcome(session.tree)
        if named.isEmpty {
            try runTimer(session, &outcome)
        } else {
            session.work(on: named, &outcome) {
                (rotator, domain, pass) throws(RotationFailure) in
                try rotator.rotate(domain, kinds, pass)
            }
        }
        while wait, outcome.isComing, !outcome.isStuck {
            let pause = min(max(outcome.nextMoment - TimeSource.system.seconds(), 1), 15)
            sleep(UInt32(pause))
            let waiting = outcome.coming
            outcome = RotationOutcome(session.tree)
            session.work(on: waiting, isQuiet: true, &outcome) {
                (rotator, domain, pass) throws(RotationFailure) in
                try rotator.advance(domain, pass)
            }
        }
        try session.synchronize()
        try outcome.finish()
    }

    private func runTimer(_ session: RotationSession, _ outcome: inout RotationOutcome) throws {
        let maximum = try options.keys.reader().duration("KeyMaximumAge")?.components.seconds ?? 0
        let interval = session.configuration.policy.interval ?? (maximum > 0 ? maximum : nil)
        let work = try session.domainsAtWork(olderThan: interval)
        let old = Set(work.old)
        let all = work.moving.filter { !old.contains($0) } + work.old
        session.work(on: all, isQuiet: true, &outcome) {
            (rotator, domain, pass) throws(RotationFailure) in
            old.contains(domain)
                ? try rotator.rotate(domain, kinds, pass) : try rotator.advance(domain, pass)
        }
    }
}

/// What became of the domains of one run.
struct RotationOutcome {
    private let tree: KeyTree
    private(set) var coming: [DomainName] = []
    private(set) var nextMoment = Int64.max
    private var hasFailed = false
    /// Whether a step has failed that does not pass by waiting.
    private(set) var isStuck = false

    /// Nothing was done yet.
    init(_ tree: KeyTree) { self.tree = tree }

    /// Whether a new key is on its way.
    var isComing: Bool { !coming.isEmpty }

    /// Works on one domain and says what came of it; quietly, only what is wrong.
    mutating func take(
        _ domain: DomainName, isQuiet: Bool = false,
        _ work: () throws(RotationFailure) -> DomainRotation
    ) {
        let state: DomainRotation
        do throws(RotationFailure) {
            state = try work()
        } catch {
            complain("\(domain): \(error)")
            hasFailed = true
            return
        }
        let now = TimeSource.system.seconds()
        let report = RotationReport(domain, state, in: tree, now: now)
        isStuck = isStuck || report.stuck
        if state.keys.contains(where: \.stage.isComing) {
            coming.append(domain)
            nextMoment = min(nextMoment, state.nextMoment(after: now) ?? now + 15)
        }
        guard !isQuiet || state.keys.contains(where: { $0.fault != nil }) else { return }
        for line in report.lines(now: now, .standardOutput) { print(line) }
    }

    /// Ends the command by what became of all.
    func finish() throws {
        if hasFailed { throw ExitCode(EX_TEMPFAIL) }
        if isStuck { throw ExitCode(1) }
    }
}

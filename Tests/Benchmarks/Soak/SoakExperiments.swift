/// Very many messages, while connections are cut and the daemon is killed and drained.
enum SoakExperiments {
    static let all: Experiments = [
        "scrub": { try Soak(ScrubSoak()).run(messages: 100_000, connections: 500) },
        "dkim": { try Soak(SigningSoak()).run(messages: 100_000, connections: 500) },
    ]
}

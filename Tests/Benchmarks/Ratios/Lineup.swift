internal import TestKit

/// One of our programs, the floor that it is compared with, and the most that it may take as a
/// multiple of it.
struct RatioPair {
    let name: String
    let ours: Subject
    let floor: Subject
    /// The limit on kept connections; nil where none was set.
    let kept: Double?
    /// The limit with a new connection for each message; nil where none was set.
    let new: Double?
}

/// The programs with their floors; they stay ready while others are measured.
struct Lineup {
    /// What is compared.
    let pairs: [RatioPair]
    private let floors: FloorBench
    private let bench: Bench
    private let evaluation: DMARCBench

    /// Starts all of them.
    init() throws {
        floors = try FloorBench()
        bench = try Bench()
        evaluation = try DMARCBench()
        let keys = bench.keys
        let key = keys.directory.file("rsa.private")
        let rsa = try bench.signer(keys.rsa)
        let ed25519 = try bench.signer(keys.ed25519)
        let verifier = try bench.verifier()
        let scrub = try ScrubExperiments.scrub()
        let evaluator = try evaluation.ours()
        let removed = ScrubExperiments.removed
        pairs = [
            RatioPair(
                name: "transport alone", ours: try floors.signetNull(mail: rsa.mail),
                floor: try floors.floor("null", mail: rsa.mail), kept: nil, new: 1.5),
            RatioPair(
                name: "signs, rsa-sha256", ours: rsa,
                floor: try floors.floor("sign", [key], mail: rsa.mail, proof: "a=rsa-sha256;"),
                kept: 1.08, new: 1.5),
            RatioPair(
                name: "signs, ed25519-sha256", ours: ed25519,
                floor: try floors.floor(
                    "sign", [keys.directory.file("ed25519.private")], mail: ed25519.mail,
                    proof: "a=ed25519-sha256;"),
                kept: 1.2, new: 1.5),
            RatioPair(
                name: "verifies, rsa-sha256", ours: verifier,
                floor: try floors.floor("verify", [key], mail: verifier.mail, proof: "dkim=pass"),
                kept: 1.4, new: 1.5),
            RatioPair(
                name: "scrubs ten fields, beside parsing alone", ours: scrub,
                floor: try floors.floor("null-header", mail: scrub.mail), kept: 2.5, new: nil),
            RatioPair(
                name: "scrubs ten fields, beside the ten edits", ours: scrub,
                floor: try floors.floor("scrub", removed, mail: scrub.mail, proof: removed[9]),
                kept: nil, new: 1.5),
            RatioPair(
                name: "SPF, DKIM, DMARC and the store, beside verifying", ours: evaluator,
                floor: try floors.floor(
                    "verify", [key], mail: evaluator.mail, proof: "header.s=floor"),
                kept: 2.5, new: 1.5),
        ]
    }
}

internal import MailCrypto
internal import TestKit

/// CPU time of a message of 10 MB, beside its hash and a filter that does nothing.
enum LargeMessage {
    static func run() throws {
        let bench = try Bench()
        let null = try bench.null().with(Mail.large)
        let signer = try bench.signer(bench.keys.rsa).with(Mail.large)
        let body = Mail.large.body
        var costs: [Double] = []
        var floors: [Double] = []
        var ratios: [Double] = []
        for _ in 0..<9 {
            let hash = threadMicroseconds { _ = SHA256.hash(body.span) }
            let floor = try hash + null.cost(of: 8, connections: 1)
            let cost = try signer.cost(of: 8, connections: 1)
            costs.append(cost)
            floors.append(floor)
            ratios.append(cost / floor)
        }
        Report.table(["10 MB message", "CPU ms"]) {
            Report.row("SHA-256 of the body + null filter", floors.median / 1000)
            Report.row(signer.name, costs.median / 1000)
        }
        Report.limit("10 MB signed: times hash and null filter", ratios.median, atMost: 1.2)
    }
}

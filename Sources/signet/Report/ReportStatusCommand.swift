import ArgumentParser
import DaemonKit
import Foundation
import ReportStore
import Reports

/// `signet report status`: what has become of the reports that were made.
struct ReportStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Prints what has become of the reports that were made.",
        discussion: "Exit status 0; 66 if the store cannot be read.")

    @OptionGroup var options: ReportOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    private struct Status: Encodable {
        var sent = 0
        var waiting = 0
        var failed = 0
        var refused = 0
        var suppressed = 0
        var reports: [Item] = []
        var bounced: [Bounced] = []
    }

    private struct Bounced: Encodable {
        let address: String
        let permanent: Bool
        let bounces: Int
        let last: Int64
        let until: Int64
        let reason: String

        init(_ destination: BouncedDestination) {
            address = destination.address
            permanent = destination.isPermanent
            bounces = destination.bounces
            last = destination.last
            until = destination.until
            reason = destination.reason
        }
    }

    private struct Item: Encodable {
        let id: String
        let day: String
        let domain: String
        let destination: String
        let state: String
        let reason: String
        let attempts: Int
        let next: Int64?
    }

    func run() throws {
        let location = try ReportOptions.location(try options.settings().reports)
        var tally: ReportSender.Tally = [:]
        var items: [Item] = []
        var bounced: [BouncedDestination] = []
        do {
            let outbox = try location.outbox(isReadOnly: true)
            bounced = try outbox.bouncedDestinations()
            try outbox.deliveries { delivery in
                tally[delivery.state, default: 0] += 1
                guard json || delivery.state != .sent else { return }
                items.append(
                    Item(
                        id: delivery.report, day: "\(CalendarDay(number: delivery.day))",
                        domain: delivery.domain, destination: delivery.address,
                        state: delivery.state.rawValue, reason: delivery.reason,
                        attempts: delivery.attempts,
                        next: delivery.state == .waiting ? delivery.next : nil))
            }
        } catch {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        }
        if json {
            let status = Status(
                sent: tally[.sent] ?? 0, waiting: tally[.waiting] ?? 0,
                failed: tally[.failed] ?? 0, refused: tally[.refused] ?? 0,
                suppressed: tally[.suppressed] ?? 0, reports: items,
                bounced: bounced.map(Bounced.init))
            print(try JSONOutput.text(of: status))
            return
        }
        print(Self.summary(tally))
        for item in items {
            let reason = item.reason.isEmpty ? "" : ": \(item.reason)"
            print(
                LogText.safe(
                    "\(item.state): \(item.domain) \(item.day) to \(item.destination)\(reason)"))
        }
        for destination in bounced {
            let day = CalendarDay(number: destination.until / 86_400)
            print(
                LogText.safe(
                    "nothing to \(destination.address) until \(day): \(destination.reason)"
                        + (destination.bounces > 1 ? " (\(destination.bounces) times)" : "")))
        }
    }

    /// A line with the number of deliveries in each state.
    static func summary(_ tally: ReportSender.Tally) -> String {
        DeliveryState.allCases.map { "\($0.rawValue) \(tally[$0] ?? 0)" }.joined(separator: ", ")
    }
}

import ArgumentParser
import Configuration
import DaemonKit
import Foundation
import ReportStore
import Reports

/// Where received reports are stored, for all commands about them.
struct ReceivedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The store of received reports; /var/lib/signet-reports/received.db, or the database that ReportStore names, without it.",
            valueName: "path|address"))
    var store: String?

    @Option(
        help: ArgumentHelp(
            "Where is kept what import does not take; beside the store without it.",
            valueName: "folder"))
    var aside: String?

    /// The home of the user that imports.
    static let folder = "/var/lib/signet-reports"

    /// Where the store is.
    func location() throws -> StoreLocation {
        if let store { return StoreLocation(store) ?? .file(store) }
        let file = "/etc/signet/dmarc.conf"
        if FileManager.default.isReadableFile(atPath: file) {
            let reader = ConfigurationReader(
                schema: ConfigurationSchema(ReportSettings.directives), file: file,
                passingOverOthers: true)
            if let location = ReportSettings(reader).store, case .postgreSQL = location {
                return location
            }
        }
        return .file("\(Self.folder)/received.db")
    }

    /// What is kept aside beside a store.
    func keptAside(_ location: StoreLocation) -> KeptAside {
        if let aside { return KeptAside(folder: aside) }
        if case .file(let path) = location { return KeptAside(folder: "\(path).aside") }
        return KeptAside(folder: Self.folder + "/aside")
    }

    /// Leaves out what somebody has taken out of the folder since; all stay where it cannot be looked into.
    func stillThere(_ refusals: [ReceivedRefusal]) throws -> [ReceivedRefusal] {
        guard !refusals.isEmpty, let names = keptAside(try location()).names else {
            return refusals
        }
        return refusals.filter { names.contains($0.kept) }
    }

    /// Opens a store that is there, to read it.
    func opened() throws -> ReceivedReportStore {
        do {
            return try ReceivedReportStore(try location(), isReadOnly: true)
        } catch let error as SinkError {
            throw CommandFailure(.noInput, "the store cannot be read: \(error)")
        }
    }
}

extension CalendarDay {
    /// The first day of a time such as 30d, 8w or 2026-11-01; nil where the text is none.
    static func since(_ text: String) -> CalendarDay? {
        if let day = CalendarDay(text) { return day }
        let days: Int64 =
            switch text.last {
            case "d": 1
            case "w": 7
            case "m": 30
            case "y": 365
            default: 0
            }
        guard days > 0, let count = Int64(text.dropLast()), 1...100_000 ~= count else {
            return nil
        }
        return CalendarDay(number: max(0, today.number - count * days))
    }
}

/// A size on the command line.
enum SizeArgument {
    /// A number of octets from 1M to 1024G; nil where the text is none.
    static func octets(_ text: String) -> Int64? { OctetCount.parse(text, in: 1 << 20...1 << 40) }
}

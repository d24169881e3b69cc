import ArgumentParser
import DaemonKit
import Foundation
import MailSyntax
import ReportStore
import Reports

/// `signet report bounce`: takes bounces of aggregate reports, so that dead addresses get no more.
struct ReportBounceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounce",
        abstract:
            "Takes a bounce of an aggregate report from standard input, or bounces from a Maildir.",
        discussion: """
            Needs ReportBounceAddress. Which report has bounced is known by the address that the bounce came to: that of \
            --recipient, of $ORIGINAL_RECIPIENT, or of the fields X-Original-To, Delivered-To and To. What is no bounce of a \
            report is left alone. Exit status 0; 66 if the Maildir cannot be read, 75 if the store cannot be used, so that \
            Postfix tries again, 78 if the configuration is wrong.
            """)

    @OptionGroup var options: ReportOptions

    @Option(help: ArgumentHelp("The address that the bounce came to.", valueName: "address"))
    var recipient: String?

    @Option(
        help: ArgumentHelp(
            "Take what is new in this Maildir; it is then marked as seen.", valueName: "path"))
    var maildir: String?

    @Option(
        help: ArgumentHelp("Send to this address again; nothing is read.", valueName: "address"))
    var forget: String?

    /// How much of a mail is read, in octets.
    private static let limit = 1 << 20

    func run() throws {
        let settings = try options.settings().reports
        let location = try ReportOptions.location(settings)
        do {
            let outbox = try location.outbox()
            if let forget {
                let isKnown = try outbox.forgetBounces(of: forget)
                print(isKnown ? "\(forget) gets reports again" : "\(forget) had not bounced")
                return
            }
            guard let address = settings.bounceAddress else {
                throw CommandFailure(.configuration, "ReportBounceAddress is not set")
            }
            guard let bounces = BounceAddress(address, key: try outbox.bounceKey()) else {
                throw CommandFailure(.tempFail, "the store has no key for bounces")
            }
            if let maildir {
                try take(maildir, bounces, outbox)
            } else {
                let mail = FileHandle.standardInput.readData(ofLength: Self.limit)
                print(LogText.safe(try take(Array(mail), bounces, outbox)))
                // A pipe that is closed early would look like a failure to the MTA.
                while !FileHandle.standardInput.readData(ofLength: Self.limit).isEmpty {}
            }
        } catch let error as SinkError {
            throw CommandFailure(.tempFail, "the store cannot be used: \(error)")
        }
    }

    private func take(
        _ maildir: String, _ bounces: BounceAddress, _ outbox: any ReportOutbox
    ) throws {
        let files = FileManager.default
        guard let names = try? files.contentsOfDirectory(atPath: "\(maildir)/new") else {
            throw CommandFailure(.noInput, "\(maildir)/new cannot be read")
        }
        for name in names.sorted() where !name.hasPrefix(".") {
            guard let file = FileHandle(forReadingAtPath: "\(maildir)/new/\(name)") else {
                continue
            }
            let mail = file.readData(ofLength: Self.limit)
            try? file.close()
            print(LogText.safe("\(name): \(try take(Array(mail), bounces, outbox))"))
            // Only now, when it is in the store.
            try? files.moveItem(
                atPath: "\(maildir)/new/\(name)", toPath: "\(maildir)/cur/\(name):2,S")
        }
    }

    /// Takes one mail; the words for what was done with it.
    private func take(
        _ mail: [UInt8], _ bounces: BounceAddress, _ outbox: any ReportOutbox
    ) throws -> String {
        guard let notice = BounceNotice(parsing: mail) else {
            return "left alone: no delivery status notification"
        }
        for address in addresses(mail) {
            guard let delivery = try bounces.delivery(of: address, in: outbox) else { continue }
            let known = try BounceBook(outbox).record(
                notice, of: delivery, at: Int64(Date().timeIntervalSince1970))
            guard let known else { return "left alone: \(notice.reason)" }
            let day = CalendarDay(number: known.until / 86_400)
            return "nothing to \(known.address) until \(day): \(known.reason)"
        }
        return "left alone: no report was sent from the address that it came to"
    }

    /// The addresses that a mail may have come to.
    private func addresses(_ mail: [UInt8]) -> [String] {
        if let recipient { return [recipient] }
        var found: [String] = []
        let environment = ProcessInfo.processInfo.environment["ORIGINAL_RECIPIENT"]
        if let environment { found.append(environment) }
        guard let file = try? MessageFile(contents: mail) else { return found }
        for name: FieldName in ["X-Original-To", "Delivered-To", "To"] {
            for position in file.header.indices(named: name).prefix(10) {
                let value = String(decoding: file.header.value(of: position), as: UTF8.self)
                found += value.split { " \t\r\n<>,;".contains($0) }.filter { $0.contains("@") }
                    .prefix(10).map(String.init)
            }
        }
        return found
    }
}

import ArgumentParser
import DaemonKit
import Foundation
import MailSyntax
import ReportInsight
import ReportStore
import Reports

/// `signet report mail`: what the received reports say, as a mail.
struct ReportMailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail",
        abstract: "Mails a summary of what received reports say.",
        discussion: """
            It is sent also when no report came: its arrival shows that everything runs. Without --since it is about the last 7 days. \
            Exit status 0; 66 if the store cannot be read, 69 if the mail cannot be handed over, 75 if it can be later.
            """)

    @OptionGroup var options: InsightOptions

    @Option(help: ArgumentHelp("Who gets the summary.", valueName: "address"))
    var to = "postmaster"

    @Option(
        help: ArgumentHelp(
            "Whom it comes from; the recipient without it.", valueName: "address"))
    var from: String?

    @Option(help: ArgumentHelp("The program that takes the mail.", valueName: "path"))
    var sendmail = "/usr/sbin/sendmail"

    func validate() throws {
        for address in [to, from ?? to]
        where ReportSettings.address(address) == nil && !Self.isLocalPart(address) {
            throw ValidationError("\"\(address)\" is not a mail address")
        }
    }

    /// Whether it is a name that the MTA completes, such as postmaster.
    private static func isLocalPart(_ text: String) -> Bool {
        text.utf8.count <= 64 && text.utf8.first?.isASCIIAlphanumeric == true
            && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "._+-".utf8.contains($0) }
    }

    func run() throws {
        let insight = try options.insight(since: "7d")
        let subject = "Mail reports: \(insight.headline)"
        let text = InsightText(insight, width: 76).lines().joined(separator: "\n") + "\n"
        let mail = Self.mail(
            from: from ?? to, to: to, subject: subject, text: LogText.safeLines(text),
            html: InsightPage(insight, isMail: true).html())
        do {
            switch try SendmailProgram(path: sendmail).send(mail, from: from ?? to, to: to) {
            case .taken: return
            case .later(let words): throw CommandFailure(.tempFail, words)
            case .never(let words): throw CommandFailure(.unavailable, words)
            }
        } catch let error as ReportError {
            throw CommandFailure(.unavailable, "the mail cannot be handed over: \(error)")
        }
    }

    private static func mail(
        from: String, to: String, subject: String, text: String, html: String
    ) -> String {
        let boundary = "signet-\(UUID().uuidString)"
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        let domain = from.contains("@") ? from.split(separator: "@").last ?? "" : "localhost"
        func part(_ type: String, _ content: String) -> String {
            let encoded = Data(content.utf8).base64EncodedString(
                options: [.lineLength76Characters, .endLineWithLineFeed])
            return """
                --\(boundary)
                Content-Type: \(type); charset=utf-8
                Content-Transfer-Encoding: base64

                \(encoded)

                """
        }
        return """
            From: \(from)
            To: \(to)
            Subject: \(subject)
            Date: \(formatter.string(from: Date()))
            Message-ID: <\(UUID().uuidString)@\(domain)>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: multipart/alternative; boundary="\(boundary)"


            """ + part("text/plain", text) + part("text/html", html) + "--\(boundary)--\n"
    }
}

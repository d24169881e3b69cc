import DaemonKit
import MailAuth
import MailEvaluation
import MailSyntax
import Traffic

/// Evaluates messages from files, for `-t`: prints what the results field would say, and changes
/// nothing.
///
/// A file has no envelope, so SPF is `none`.
struct FileEvaluation {
    private let services: DMARCServices
    private let configuration: DMARCConfiguration

    /// Prepares to evaluate.
    init(services: DMARCServices) {
        self.services = services
        configuration = services.configuration.current
    }

    /// Evaluates one file, and writes its results.
    ///
    /// - Parameter path: the file, or `-` for standard input.
    /// - Returns: `ok`, `noInput` where the file cannot be read, `tempFail` where the DNS gave no
    ///   answer.
    func evaluate(_ path: String) -> ExitCode {
        let message: MessageFile
        do {
            message = try read(path)
        } catch {
            services.log.error("\(path) \(error)")
            return .noInput
        }
        var task = DMARCTask(
            header: message.header, author: AuthorField(of: message.header), envelope: Envelope(),
            early: nil, configuration: configuration, services: services,
            tools: services.tools)
        task.update(message.body.span)
        guard let findings = task.finish() else { return .software }
        let facts = Disposition.Facts(
            client: Client(), header: message.header, findings: findings,
            trusting: configuration.trustedSealers)
        let disposition = Disposition(findings.dmarc, facts, configuration.dispositions)
        let methods = findings.methods(client: nil, disposition: disposition.policy)
        let value = AuthenticationResults(AuthservID("localhost"), methods).fieldValue()
        MessageInput.say(
            "\(path): Authentication-Results:\(String(decoding: value, as: UTF8.self))")
        return findings.dmarc.result == .temperror ? .tempFail : .ok
    }

    private func read(_ path: String) throws -> MessageFile {
        try MessageFile(
            contents: MessageInput.read(path),
            limits: HeaderSection.Limits(bytes: configuration.maximumHeaderOctets))
    }
}

import DaemonKit
import MailAuth
import MailEvaluation
import MailSyntax
import Threads

/// Verifies messages from files, for `-t`: prints what the results field would say, and changes nothing.
struct FileVerification {
    private let services: DKIMServices
    private let configuration: DKIMConfiguration

    /// Prepares to evaluate.
    init(services: DKIMServices) {
        self.services = services
        configuration = services.configuration.current
    }

    /// Evaluates one file, and writes a line for each result.
    ///
    /// - Parameter path: the file, or `-` for standard input.
    /// - Returns: `ok`, `noInput` where the file cannot be read, `tempFail` where the DNS gave no answer.
    func evaluate(_ path: String) -> ExitCode {
        let message: MessageFile
        do {
            message = try read(path)
        } catch {
            services.log.error("\(path) \(error)")
            return .noInput
        }
        let author = AuthorField(of: message.header)
        var evaluation = MessageEvaluation(
            header: message.header, author: author, options: configuration.verification,
            tools: services.tools)
        evaluation.update(message.body.span)
        let results = evaluation.finish(by: .distantFuture).dkim?.results ?? []
        let policy = configuration.signaturePolicy
        let verdicts = results.map { policy.judge($0, authors: author.domains) }
        if verdicts.isEmpty { MessageInput.say("\(path): dkim=none (no signature)") }
        for verdict in verdicts {
            let method = verdict.methodResult(withoutHeaderB: false)
            let value = AuthenticationResults(AuthservID("localhost"), [method]).fieldValue()
            let line = value.filter { $0 != .lf }.map { $0 == .tab ? .space : $0 }
            let text = String(decoding: line, as: UTF8.self)
            let result = text.split(separator: ";", maxSplits: 1).last.map(String.init) ?? text
            MessageInput.say("\(path):\(result)")
        }
        return verdicts.contains { $0.status == .temperror } ? .tempFail : .ok
    }

    private func read(_ path: String) throws -> MessageFile {
        try MessageFile(
            contents: MessageInput.read(path),
            limits: HeaderSection.Limits(bytes: configuration.maximumHeaderOctets))
    }
}

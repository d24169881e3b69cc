import DaemonKit
import MailAuth
import MailDNS
import MailSyntax
import Threads

/// Verifies messages from files, for `-t`: prints what the results field would say, and changes nothing.
struct MessageEvaluation {
    private let services: Services
    private let configuration: DKIMConfiguration

    /// The longest file that is read.
    private static let sizeLimit = 256 << 20

    /// Prepares to evaluate.
    init(services: Services) {
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
        let authors = AuthorField(of: message.header).domains
        var verifier = DKIMVerifier(
            header: message.header, authorDomains: authors, now: services.now,
            options: configuration.verifier)
        let deadline = MonotonicTime.now() + configuration.dnsTimeout
        let lookups = verifier.questions.map {
            ($0, services.resolver.begin($0, deadline: deadline))
        }
        verifier.update(message.body.span)
        for (question, pending) in lookups { verifier.answer(question, pending.wait()) }
        let outcome = verifier.finish(keys: services.publicKeys)
        let policy = configuration.signaturePolicy
        let verdicts = outcome.results.map { policy.judge($0, authors: authors) }
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
            contents: MessageInput.read(path, limit: Self.sizeLimit),
            limits: HeaderSection.Limits(bytes: configuration.maximumHeaderOctets))
    }
}

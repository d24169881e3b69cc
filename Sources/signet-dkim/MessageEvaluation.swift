import DaemonKit
import Glibc
import MailAuth
import MailDNS
import MailSyntax

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
        guard let contents = MessageInput.read(path, limit: Self.sizeLimit),
            let message = try? MessageFile(
                contents: contents,
                limits: HeaderSection.Limits(bytes: configuration.maximumHeaderOctets))
        else {
            services.log.error("\(path) cannot be read as a message")
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
            let text = String(decoding: value.filter { $0 != .lf }, as: UTF8.self)
            let result = text.split(separator: ";", maxSplits: 1).last.map(String.init) ?? text
            MessageInput.say("\(path):\(result)")
        }
        return verdicts.contains { $0.status == .temperror } ? .tempFail : .ok
    }
}

/// Reading and writing for `-t`.
enum MessageInput {
    /// Reads a file, or standard input for `-`; nil where that fails or there is too much.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let file = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { if file != 0 { close(file) } }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, contents.count + count <= limit else { return nil }
            if count == 0 { return contents }
            contents += chunk.prefix(count)
        }
    }

    /// Writes a line to standard output.
    static func say(_ text: String) {
        let line = Array("\(text)\n".utf8)
        _ = unsafe write(1, line, line.count)
    }
}

import MailAuth
import MailDNS
import MailSyntax
import Testing

/// A case of `messages.txt`.
struct DMARCCase: CustomTestStringConvertible, Sendable {
    var name = ""
    var zone = ZoneResolver()
    var author = HeaderSection()
    var identifiers: [DMARCIdentifier] = []
    var options = DMARCOptions()
    /// What is expected, by the first word of the line.
    var expected: [String: String] = [:]

    var testDescription: String { name }

    /// All cases.
    static let all: [DMARCCase] = (try? table()) ?? []

    static func table() throws -> [DMARCCase] {
        try Table.blocks("messages.txt", of: "DMARC").map { try DMARCCase($0) }
    }

    /// A short list of public suffixes.
    static let suffixes = PublicSuffixList(
        parsing: Array(
            """
            // ===BEGIN ICANN DOMAINS===
            com
            net
            uk
            co.uk
            // ===BEGIN PRIVATE DOMAINS===
            github.io
            """.utf8))

    struct BadLine: Error {
        let line: String
    }

    init(_ lines: [String]) throws {
        name = lines.first ?? ""
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { throw BadLine(line: line) }
            try read(words[0], words[1], line)
        }
    }

    private mutating func read(_ key: String, _ rest: String, _ line: String) throws {
        let words = rest.split(separator: " ", maxSplits: 1).map(String.init)
        switch (key, words.count) {
        case ("dns", 2):
            let name = try DomainName("_dmarc." + words[0])
            zone.add(ZoneRecord(name, .txt, .text([Array(words[1].utf8)])))
        case ("exists", 1):
            zone.add(ZoneRecord(try DomainName(rest), .a, .address(.v4(0xC000_0201))))
        case ("broken", 1): zone.fail(try DomainName("_dmarc." + rest), .txt, with: .timeout)
        case ("silent", 1): zone.fail(try DomainName(rest), with: .timeout)
        case ("from", _): author.append(name: "From", value: " " + rest)
        case ("spf", 2):
            let result = try #require(SPFResult(rawValue: words[0]))
            identifiers += [DMARCIdentifier.spf(result, domain: try DomainName(words[1]))]
                .compactMap { $0 }
        case ("dkim", 2):
            let status = try #require(DKIMStatus(rawValue: words[0]))
            identifiers += [DMARCIdentifier.dkim(status, domain: try DomainName(words[1]))]
                .compactMap { $0 }
        case ("mode", 1):
            switch rest {
            case "treewalk": options.discovery = .treeWalk
            case "psl": options.discovery = .publicSuffixList(Self.suffixes)
            case "auto": options.discovery = .auto(Self.suffixes)
            default: throw BadLine(line: line)
            }
        case ("result", 1), ("does", 1), ("by", 1), ("policy", 2), ("asks", _), ("says", _):
            expected[key] = rest
        default: throw BadLine(line: line)
        }
    }

    /// Evaluates the case.
    ///
    /// - Parameters:
    ///   - identifiersFirst: whether the results of SPF and DKIM are known before the DNS answers.
    ///   - asksAhead: whether to ask for all names of a walk at once.
    ///   - lastFirst: whether the last open question is answered first.
    /// - Returns: the evaluation.
    func evaluate(
        identifiersFirst: Bool = false, asksAhead: Bool = false, lastFirst: Bool = false
    ) -> DMARCEvaluation {
        var options = options
        options.asksAhead = asksAhead
        var evaluator = DMARCEvaluator(author: AuthorField(of: author), options: options)
        func answerAll() {
            while let question = lastFirst ? evaluator.questions.last : evaluator.questions.first {
                evaluator.answer(question, zone.answer(to: question))
            }
        }
        if !identifiersFirst { answerAll() }
        evaluator.identify(identifiers)
        answerAll()
        return evaluator.finish()
    }
}

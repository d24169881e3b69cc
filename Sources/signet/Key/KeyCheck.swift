import ArgumentParser
import Configuration
import DaemonKit
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import Threads

/// `signet key check`: whether the DNS publishes the key that a file holds.
struct KeyCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compares a key file with what the DNS publishes.",
        discussion: "Exit status 0 if they match, 65 if they do not, 75 if the DNS gives no answer."
    )

    @Option(name: .shortAndLong, help: "The selector.")
    var selector: String

    @Option(name: .shortAndLong, help: "The domain.")
    var domain: String

    @OptionGroup var dns: ResolverOptions

    @Argument(help: "The file with the private key.")
    var file: String

    func run() throws {
        let domain = try DomainArgument.parse(domain)
        try DomainArgument.checkSelector(selector, of: domain)
        let name = try domain.prepending("\(selector)._domainkey")
        let key: PrivateKey
        do {
            key = try PrivateKeyFile.read(file)
        } catch let error as FileReadError {
            throw CommandFailure(.noInput, "\(file): \(error)")
        } catch {
            throw CommandFailure(.dataError, "\(file): \(error)")
        }
        let deadline = MonotonicTime.now() + ResolverOptions.timeout
        let answer = try dns.resolver().resolve(DNSQuestion(name, .txt), deadline: deadline)
        let publication = KeyPublication(answer, of: key)
        for line in publication.lines(name: name) { print(line) }
        if publication.status != .ok { throw ExitCode(publication.status.rawValue) }
    }
}

/// What the DNS publishes, held against a key.
struct KeyPublication {
    /// What was found about one record.
    private enum Finding {
        case fits(KeyRecord, hasSpace: Bool)
        case otherKey(KeyRecord)
        case unusable(KeyRecordError)
    }

    private let findings: [Finding]
    private let trouble: String?
    private let key: PrivateKey
    /// `ok` where a record fits, `dataError` where none does, `tempFail` where the DNS gave no answer.
    let status: DaemonKit.ExitCode

    /// Compares an answer with a key.
    init(_ answer: DNSAnswer, of key: PrivateKey) {
        self.key = key
        switch answer {
        case .records(let records, _):
            findings = records.compactMap { Self.examine($0, key) }
            let fits = findings.contains { if case .fits = $0 { true } else { false } }
            trouble = nil
            status = fits ? .ok : .dataError
        case .noData, .nameError:
            (findings, trouble, status) = ([], "nothing is published there", .dataError)
        case .failure(let failure):
            (findings, trouble, status) = ([], "the DNS gives no answer (\(failure))", .tempFail)
        }
    }

    private static func examine(_ record: DNSRecord, _ key: PrivateKey) -> Finding? {
        guard case .text(let strings) = record else { return nil }
        let text = Array(strings.joined())
        do throws(KeyRecordError) {
            let parsed = try KeyRecord(parsing: text)
            guard parsed.key == key.publicKey else { return .otherKey(parsed) }
            let published = TagValue.text(of: "p", in: text)
            return .fits(parsed, hasSpace: published.contains { $0.isFoldingSpace })
        } catch {
            return .unusable(error)
        }
    }

    /// The findings in words.
    func lines(name: DomainName) -> [String] {
        if let trouble {
            return ["\(name): \(trouble)", "publish: \(KeyRecordText.line(for: key.publicKey))"]
        }
        var lines = findings.flatMap { finding in
            switch finding {
            case .fits(let record, let hasSpace):
                ["\(name): the key matches (\(key.algorithm.plainName))"]
                    + Self.remarks(record, hasSpace)
            case .otherKey: ["\(name): another key is published there"]
            case .unusable(let error): ["\(name): \(error)"]
            }
        }
        if findings.count > 1 {
            lines.append(
                "\(name): \(findings.count) records are published; verifiers may take any (RFC 6376, section 3.6.2.2)"
            )
        }
        if status != .ok { lines.append("publish: \(KeyRecordText.line(for: key.publicKey))") }
        return lines
    }

    private static func remarks(_ record: KeyRecord, _ hasSpace: Bool) -> [String] {
        var remarks: [String] = []
        if record.isTesting { remarks.append("  t=y: verifiers treat signed mail as unsigned") }
        if !record.servesMail {
            remarks.append("  s= does not name email: the key is not for mail")
        }
        if !record.allowsSHA256 {
            remarks.append("  h= does not name sha256: no signature will verify")
        }
        if record.key.bits < 2048, record.type == .rsa {
            remarks.append("  \(record.key.bits) bits: make a key of 2048 (RFC 8301, section 3.2)")
        }
        if hasSpace {
            remarks.append("  p= holds white space: allowed, but some verifiers cannot read it")
        }
        return remarks
    }
}

/// Looks into a tag list's text.
private enum TagValue {
    /// A tag's value with its inner white space; empty where there is none.
    static func text(of name: String, in record: [UInt8]) -> ArraySlice<UInt8> {
        guard let list = try? TagList(parsing: record), let tag = list.tag(name) else { return [] }
        return record[tag.value]
    }
}

import ArgumentParser
import Configuration
import DaemonKit
import KeyRotation
import MailAuth
import MailCrypto
import MailDNS
import MailSyntax
import Reports
import SigningLog
import Threads

/// `signet key list`: every key that signs or is about to, and what the DNS says of it.
struct KeyList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the keys of signet-dkim's configuration and what the DNS says of them.",
        discussion: """
            Keys of KeyFile, KeyTable and KeyDirectory: domain, selector, type, age, state and what the DNS shows. \
            Exit status 0, or 1 if a key that signs cannot be read or is not what the DNS shows.
            """)

    @OptionGroup var keys: KeyConfigurationOptions
    @OptionGroup var dns: ResolverOptions

    @Flag(name: .customLong("no-dns"), help: "Do not ask the DNS.")
    var withoutDNS = false

    @Flag(help: "Write JSON.")
    var json = false

    @Argument(help: "Domains; all by default.")
    var domains: [String] = []

    /// One key, as JSON has it.
    struct Row: Encodable {
        let domain: String
        let selector: String
        /// rsa or ed25519; left out where the key cannot be read.
        var type: String?
        var bits: Int?
        /// Seconds since it was made.
        var age: Int64?
        let state: String
        /// matches, mismatch, unknown; left out where the DNS was not asked.
        var dns: String?
        var reason: String?
        let source: String
        let file: String?
        /// The UTC day of the last signature, as 2026-11-27; left out where the signing log has none.
        var lastSignature: String?

        private enum CodingKeys: String, CodingKey {
            case domain, selector, type, bits, age, state, dns, reason, source, file
            case lastSignature = "last_signature"
        }
    }

    /// How many days of the signing log are looked at.
    private static let signedDays: Int64 = 100

    func run() throws {
        let names = try domains.map { try DomainArgument.parse($0) }
        let reader = try keys.reader()
        let inventory = KeyInventory(reader, domains: names.isEmpty ? nil : names)
        let rows = try rows(of: inventory, Self.ledger(reader))
        if json {
            print(try JSONOutput.list(of: rows))
        } else {
            for line in Self.lines(rows, .standardOutput) { print(line) }
        }
        let isWrong = rows.contains {
            $0.state == "signing" && ($0.dns == "mismatch" || ($0.type == nil && $0.file != nil))
        }
        if isWrong { throw ExitCode(1) }
    }

    /// What has been signed; nil where there is no log that can be read.
    private static func ledger(_ reader: ConfigurationReader) -> SigningLedger? {
        guard let directory = SigningLogSettings(reader).directory else { return nil }
        do throws(SigningLogError) {
            let today = TimeSource.system.seconds() / 86_400
            return try SigningLedger.read([directory], since: today - signedDays)
        } catch {
            complain("what was signed cannot be read, and is not looked at: \(error)")
            return nil
        }
    }

    private func rows(of inventory: KeyInventory, _ ledger: SigningLedger?) throws -> [Row] {
        let resolver = withoutDNS ? nil : try dns.resolver()
        var rows: [Row] = []
        // So many questions go out before the first answer is waited for: the resolver takes no more than 2,048.
        for start in stride(from: 0, to: inventory.items.count, by: 512) {
            let items = Array(inventory.items[start...].prefix(512))
            let pending = items.map { item in resolver.flatMap { Self.ask($0, item) } }
            rows += zip(items, pending).map(Self.row)
        }
        guard let ledger else { return rows }
        for index in rows.indices {
            rows[index].lastSignature = ledger.lastDay(
                domain: rows[index].domain, selector: rows[index].selector
            ).map { "\(CalendarDay(number: $0))" }
        }
        return rows
    }

    private static func ask(
        _ resolver: any DNSResolver, _ item: KeyInventory.Item
    ) -> PendingAnswer? {
        guard case .success = item.key, item.state != "unused",
            let name = try? DomainName("\(item.selector)._domainkey.\(item.domain)")
        else { return nil }
        let deadline = MonotonicTime.now() + ResolverOptions.timeout
        return resolver.begin(DNSQuestion(name, .txt), deadline: deadline)
    }

    private static func row(_ item: KeyInventory.Item, _ answer: PendingAnswer?) -> Row {
        let now = TimeSource.system.seconds()
        var row = Row(
            domain: item.domain, selector: item.selector, age: item.made.map { max(0, now - $0) },
            state: item.state, source: item.source, file: item.file)
        switch item.key {
        case .failure(let fault): row.reason = fault.description
        case .success(let key):
            row.type = KeyKind(key.algorithm).rawValue
            if case .rsa(let bits) = key.algorithm { row.bits = bits } else { row.bits = 256 }
            guard let answer else { break }
            switch KeySighting(RecordSighting(resolved: answer.wait()), of: key.publicKey) {
            case .shown: row.dns = "matches"
            case .notShown(let reason): (row.dns, row.reason) = ("mismatch", reason)
            case .unknown(let reason): (row.dns, row.reason) = ("unknown", reason)
            }
        }
        return row
    }

    /// The rows for people, aligned.
    static func lines(_ rows: [Row], _ terminal: Terminal) -> [String] {
        guard !rows.isEmpty else { return ["no keys are configured"] }
        let cells = rows.map { row in
            [
                row.domain, row.selector,
                row.type.map { $0 == "rsa" ? "\($0)-\(row.bits ?? 0)" : $0 } ?? "?",
                row.age.map(FileAge.words) ?? "?", row.state, row.dns ?? "",
                row.lastSignature.map { "signed \($0)" } ?? "",
            ]
        }
        let widths = (0..<7).map { column in cells.map { $0[column].count }.max() ?? 0 }
        return zip(rows, cells).map { row, cells in
            var line = zip(cells, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ")
            if let reason = row.reason { line += "  \(LogText.safe(reason, limit: 2_000))" }
            while line.hasSuffix(" ") { line.removeLast() }
            guard row.dns == "mismatch", row.state == "signing" else { return line }
            return terminal.coloured(line, .red)
        }
    }
}

extension RecordSighting {
    /// What a resolver says, as if it were the one server.
    init(resolved answer: DNSAnswer) {
        switch answer {
        case .records(let records, _):
            let texts = records.compactMap { record -> [UInt8]? in
                if case .text(let strings) = record { Array(strings.joined()) } else { nil }
            }
            self.init(servers: [Self.resolver(.texts(texts, ttl: 0))])
        case .noData, .nameError: self.init(servers: [Self.resolver(.none)])
        case .failure(let failure): self.init(servers: [], fault: "\(failure)")
        }
    }

    private static func resolver(_ answer: Answer) -> Server {
        Server("the DNS", Nameserver(.v4(0)), answer)
    }
}

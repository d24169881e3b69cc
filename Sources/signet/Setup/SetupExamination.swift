import Doctor
import MailDNS
import MailSyntax
import Threads

/// What `signet doctor` says of this host and its domains once they are set up.
struct SetupExamination {
    private let local: [Diagnosis]
    /// Nil where the DNS gives no answer at all.
    private let dns: [Diagnosis]?

    /// How long the first answer may take, in seconds: without one no other question is asked.
    private static let patience = 5.0

    /// Looks at this host; `address` are those that mail leaves from, in place of the interfaces'.
    init(domains: [DomainName], address: [String]) {
        var host = DoctorHost()
        host.addresses = address.compactMap { IPAddress($0) }
        host.domains = domains
        local = Doctor.examine(host.view(), .local)
        // That the DNS cannot be asked is no reason to fail once all is done.
        guard let resolver = try? ResolverOptions.system(), let first = domains.first else {
            dns = nil
            return
        }
        let deadline = MonotonicTime.now() + Self.patience
        if case .failure = resolver.resolve(DNSQuestion(first, .ns), deadline: deadline) {
            dns = nil
        } else {
            host.resolver = resolver
            dns = Doctor.examine(host.view(), .dns)
        }
    }

    /// All findings.
    var findings: [Diagnosis] { (local + (dns ?? [])).ranked() }

    /// Whether the host is in a state in which mail would suffer.
    var hasErrorOnHost: Bool { local.contains { $0.severity == .error } }

    /// Whether nothing is wrong, in the DNS as well.
    var isFine: Bool { dns != nil && !findings.contains(where: \.isFault) }

    /// The verdicts, and each fault of the host: those of the DNS are there as long as the records are not.
    func lines(for terminal: Terminal) -> [String] {
        let host = DoctorReport(local)
        var lines = ["doctor: this host  \(host.verdict(terminal))"]
        guard let dns else {
            lines.append("doctor: the DNS    no answer here, so it was not looked at")
            return lines + host.faults(terminal)
        }
        let names = DoctorReport(dns)
        lines.append("doctor: the DNS    \(names.verdict(terminal))")
        if dns.contains(where: \.isFault) {
            lines += terminal.wrapped(
                "as is to be expected until the records are published and seen everywhere",
                label: "", labelWidth: 19)
        }
        return lines + host.faults(terminal)
    }
}

import FlightRecord
import MailAuth
import MailSyntax
import Observation

extension MessageTrace {
    /// Says what was found about a message, what is done, and which directive decided.
    func tell(
        _ findings: DMARCFindings, _ disposition: Disposition, _ configuration: DMARCConfiguration
    ) {
        let dmarc = findings.dmarc
        say { said in
            if disposition.action == .mark { said.outcome = .marked }
            if dmarc.result != .pass, dmarc.result != .none {
                said.reason = "DMARC: \(dmarc.sentence)"
            }
        }
        let places = configuration.places
        add { entry in
            let author = dmarc.deciding.map { " \($0.domain.ascii)" } ?? ""
            entry.add(.result, "dmarc=\(dmarc.result.rawValue)\(author)")
            entry.add(.result, "spf=\(findings.spf.result) \(findings.spfDomain?.ascii ?? "")")
            for found in findings.identifiers.prefix(20) where found.mechanism == .dkim {
                entry.add(.result, "dkim=\(found.result) \(found.domain.ascii)")
            }
            if findings.arc.status != .none {
                entry.add(.result, "arc=\(findings.arc.status.rawValue)")
            }
            if let policy = dmarc.deciding?.policy {
                entry.add(.result, "policy=\(policy.published.rawValue) of \(policy.domain.ascii)")
            }
            for override in disposition.overrides {
                entry.add(.override, "\(override.kind.rawValue): \(override.comment)")
            }
            entry.add(.rule, disposition.directive.flatMap { places[$0] })
        }
    }
}

extension Disposition {
    /// The directive that decided on it; nil where none did.
    fileprivate var directive: String? {
        switch action {
        case .deliver: nil
        case .mark: overrides.isEmpty ? "HoldQuarantinedMessages" : "RejectFailures"
        case .hold: "HoldQuarantinedMessages"
        case .reject: "RejectFailures"
        case .rejectUnreadable: "RejectUnreadableFrom"
        case .defer: "OnEvaluationTimeout"
        }
    }
}

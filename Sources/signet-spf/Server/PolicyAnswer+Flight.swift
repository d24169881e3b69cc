import DaemonKit
import FlightRecord
import MailAuth
import MailSyntax
import Observation
import PolicyProtocol
import Replay

extension PolicyAnswer {
    /// What was done, in a word.
    var flightVerdict: FlightVerdict {
        switch action {
        case .reject: .refused
        case .defer: .deferred
        case .restriction, .prepend, .dunno:
            exemption != nil || (findings.isEmpty && !isRepeated) ? .ignored : .passed
        }
    }

    /// About how much memory an answer holds on to, with its question.
    func octets(with request: PolicyRequest) -> Int {
        findings.reduce(2 * request.octetCount) { $0 + 1_024 + $1.recordOctets }
            + questions.reduce(0) { $0 + $1.octets }
    }

    /// Adds what was asked, found and answered to an entry.
    func add(
        to entry: inout FlightEntry, about request: PolicyRequest, _ configuration: SPFConfiguration
    ) {
        func text(_ attribute: PolicyRequest.Attribute) -> String? {
            let value = LogText.safe(request[attribute])
            return value.isEmpty ? nil : value
        }
        let sender = LogText.safe(request[.sender])
        entry.add(.stage, request.stage?.rawValue)
        entry.add(.queueID, request.queueID)
        entry.add(.clientAddress, text(.clientAddress))
        entry.add(.clientName, text(.clientName).flatMap { $0 == "unknown" ? nil : $0 })
        entry.add(.helo, text(.helo))
        entry.add(.sender, sender.isEmpty ? "<>" : sender)
        entry.add(.recipient, text(.recipient))
        for finding in findings {
            let name = finding.identity == .helo ? "spf-helo" : "spf"
            entry.add(.result, "\(name)=\(finding.result.rawValue) \(finding.domain?.ascii ?? "")")
        }
        for question in questions { entry.add(.question, question.line) }
        entry.add(.reason, reason)
        entry.add(.rule, rule(configuration))
        let isShadow = configuration.observation.isShadow
        switch action {
        case .reject(let reply), .defer(let reply):
            entry.add(isShadow ? .shadow : .reply, isShadow ? "answer \(reply)" : reply)
        case .prepend(let field, _):
            entry.add(isShadow ? .shadow : .edit, "prepend \(field)")
        case .restriction, .dunno: break
        }
        entry.add(.generation, configuration.observation.generation)
    }

    /// Adds what the answer rests on, so that it can be given again.
    func addEvidence(
        to entry: inout FlightEntry, about request: PolicyRequest, received: Int64, ended: Double
    ) {
        var facts = RecordedFacts()
        (facts.received, facts.ended) = (received, ended)
        if isRepeated {
            facts.omission = "it is the answer that the message's first recipient got"
        } else {
            for attribute in PolicyRequest.Attribute.allCases where !request[attribute].isEmpty {
                facts.attributes[attribute.rawValue] = request[attribute]
            }
            facts.questions = questions
        }
        if entry.add(evidence: facts.lines) { return }
        var omitted = RecordedFacts()
        omitted.omission = "its DNS answers are more than a record takes"
        _ = entry.add(evidence: omitted.lines)
    }

    /// The finding that an answer other than "go on" rests on.
    private var deciding: Finding? {
        findings.last { $0.result != .pass && $0.result != .none } ?? findings.last
    }

    private var reason: String? {
        if let exemption { return exemption.rawValue }
        if let finding = deciding {
            return finding.result == .pass
                ? nil : "SPF \(finding.result.rawValue): \(finding.sentence)"
        }
        return isRepeated ? FlightEntry.repeated : "there was nothing to check"
    }

    private func rule(_ configuration: SPFConfiguration) -> String? {
        guard flightVerdict == .refused || flightVerdict == .deferred, let finding = deciding else {
            return nil
        }
        switch finding.result {
        case .permerror: return configuration.places["PermError_reject"]
        case .temperror: return configuration.places["TempError_Defer"]
        default:
            return configuration.places[
                finding.identity == .helo ? "HELO_reject" : "Mail_From_reject"]
        }
    }
}

import MailAuth
import MailSyntax

/// What libspf2 1.2.10 is known to get wrong, each with a test that a difference is due to it.
enum LibSPF2Fault: CaseIterable {
    /// It has no limit on void lookups (RFC 7208, section 4.6.4): without ours we agree.
    case noVoidLimit
    /// It lets a domain pass that does not end as the grammar says, and a stray "%".
    case laxDomain
    /// It lets other characters pass where a macro's delimiters stand (RFC 7208, section 7.1).
    case laxDelimiters
    /// It lets "exp" stand twice (RFC 7208, section 6).
    case repeatedExplanation

    static func explaining(
        _ one: Try, _ ours: SPFOutcome, _ theirs: String
    ) throws -> LibSPF2Fault? {
        try allCases.first { try $0.explains(one, ours, theirs) }
    }

    private func explains(_ one: Try, _ ours: SPFOutcome, _ theirs: String) throws -> Bool {
        switch self {
        case .noVoidLimit:
            guard case .tooManyVoidLookups = ours.problem else { return false }
            var limits = SPFLimits()
            limits.voidLookups = .max
            return try one.outcome(limits).result.rawValue == theirs
        case .laxDomain:
            guard let reason = syntaxError(ours) else { return false }
            return [.noTopLabel, .badTopLabel, .strayPercent].contains(reason)
        case .laxDelimiters:
            return syntaxError(ours) == .badMacro
        case .repeatedExplanation:
            return syntaxError(ours) == .repeatedModifier("exp")
        }
    }

    private func syntaxError(_ outcome: SPFOutcome) -> SPFSyntaxError.Reason? {
        guard case .syntax(let error, _) = outcome.problem else { return nil }
        return error.reason
    }
}

extension LibSPF2Fault {
    /// Records on which libspf2 is wrong, and the generator does not make: the record, the right result, and
    /// libspf2's.
    static let pinned: [(record: String, right: String, theirs: String)] = [
        // A prefix of no bits.
        ("v=spf1 ip4:10.0.0.0/0 -all", "pass", "permerror"),
        ("v=spf1 a//0 -all", "fail", "permerror"),
        // A modifier's name with a dot or an underscore.
        ("v=spf1 moo.cow-far_out=man -all", "fail", "permerror"),
        // "redirect" is taken where it stands, and in spite of "all".
        ("v=spf1 redirect=pass.example.net -all", "fail", "pass"),
        ("v=spf1 redirect=fail.example.net ip4:192.0.2.1 ?all", "pass", "fail"),
        // A macro that asks for as many parts as there are.
        ("v=spf1 exists:%{d2} -all", "pass", "fail"),
        ("v=spf1 exists:%{d3} -all", "pass", "fail"),
        // A dot after the last macro.
        ("v=spf1 a:mail.%{d}. -all", "permerror", "pass"),
        // A record of more than 63 terms is cut.
        (
            "v=spf1 " + String(repeating: "ip4:10.0.0.1 ", count: 70) + "ip4:192.0.2.1 -all",
            "pass", "neutral"
        ),
    ]

    /// An explanation that makes libspf2 abort (CVE-2023-42118 and its kin).
    static let fatalExplanation = String(repeating: "%{d}", count: 127) + "y"
}

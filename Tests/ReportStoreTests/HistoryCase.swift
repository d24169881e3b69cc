import ReportStore
import Testing

/// An evaluation, and its lines in OpenDMARC's history file.
///
/// The lines are those of opendmarc 1.4.2 for the same message, but for what RFC 9989 or our dispositions make different: "pct" is
/// 100 where there is a policy, and "action" says what was done here.
struct HistoryCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let evaluation: Evaluation
    let lines: String

    private init(
        _ name: String, _ lines: String, _ change: (inout Evaluation) -> Void = { _ in }
    ) {
        testDescription = name
        self.lines = lines
        var evaluation = Evaluation(
            received: 1_795_260_773, reporter: "mx.example.org", headerFrom: "example.org",
            result: "pass", disposition: "none")
        evaluation.queueID = "Q1"
        evaluation.sourceAddress = "192.0.2.1"
        evaluation.envelopeFrom = "example.org"
        evaluation.policy = Evaluation.Policy(
            domain: "example.org", applied: "reject", p: "reject", sp: "quarantine",
            reportAddresses: ["mailto:a@example.org", "mailto:b@example.org"])
        evaluation.authentications = [
            .init(mechanism: "spf", domain: "example.org", scope: "mfrom", result: "pass")
        ]
        evaluation.isSPFAligned = true
        change(&evaluation)
        self.evaluation = evaluation
    }

    /// The lines from "pdomain" to "sp" of example.org's policy.
    private static func policy(_ outcome: Int) -> String {
        """
        pdomain example.org
        policy \(outcome)
        rua mailto:a@example.org
        rua mailto:b@example.org
        pct 100
        adkim 114
        aspf 114
        p 114
        sp 113
        """
    }

    private static func head(from: String = "example.org", mfrom: String) -> String {
        """
        job Q1
        reporter mx.example.org
        received 1795260773
        ipaddr 192.0.2.1
        from \(from)
        mfrom \(mfrom)
        """
    }

    static let all = [
        HistoryCase(
            "a pass by SPF",
            """
            \(head(mfrom: "example.org"))
            spf 0
            \(policy(15))
            align_dkim 5
            align_spf 4
            arc 7
            arc_policy 2 json:[]
            action 2
            """),
        HistoryCase(
            "a null sender",
            """
            \(head(mfrom: ""))
            spf 0
            \(policy(15))
            align_dkim 5
            align_spf 4
            arc 7
            arc_policy 2 json:[]
            action 2
            """
        ) { $0.envelopeFrom = nil },
        HistoryCase(
            "a pass by DKIM, with several signatures",
            """
            \(head(mfrom: "other.example"))
            dkim example.org sel 0
            dkim x.example s2 7
            dkim y.example - 4
            spf 6
            \(policy(15))
            align_dkim 4
            align_spf 5
            arc 0
            arc_policy 2 json:[]
            action 2
            """
        ) {
            $0.envelopeFrom = "other.example"
            $0.isSPFAligned = false
            $0.isDKIMAligned = true
            $0.arc = "pass"
            $0.authentications = [
                .init(mechanism: "spf", domain: "other.example", scope: "mfrom", result: "none"),
                .init(mechanism: "dkim", domain: "example.org", selector: "sel", result: "pass"),
                .init(mechanism: "dkim", domain: "x.example", selector: "s2", result: "fail"),
                .init(mechanism: "dkim", domain: "y.example", result: "temperror"),
            ]
        },
        HistoryCase(
            "no policy",
            """
            \(head(from: "nowhere.example", mfrom: "nowhere.example"))
            spf 6
            pdomain nowhere.example
            policy 14
            rua -
            pct 0
            adkim 0
            aspf 0
            p 0
            sp 0
            align_dkim 0
            align_spf 0
            arc 7
            arc_policy 2 json:[]
            action 2
            """
        ) {
            $0.headerFrom = "nowhere.example"
            $0.envelopeFrom = "nowhere.example"
            $0.policy = nil
            $0.isSPFAligned = false
            $0.authentications[0].result = "none"
        },
        HistoryCase(
            "a subdomain's failure",
            """
            \(head(from: "news.example.org", mfrom: "nowhere.example"))
            spf 2
            \(policy(17))
            align_dkim 5
            align_spf 5
            arc 7
            arc_policy 2 json:[]
            action 4
            """
        ) {
            $0.headerFrom = "news.example.org"
            $0.envelopeFrom = "nowhere.example"
            $0.policy?.applied = "quarantine"
            $0.result = "fail"
            $0.disposition = "quarantine"
            $0.isSPFAligned = false
            $0.authentications[0].result = "softfail"
        },
        HistoryCase(
            "a rejection, with a chain of strangers",
            """
            \(head(mfrom: "nowhere.example"))
            spf 7
            \(policy(16))
            align_dkim 5
            align_spf 5
            arc 0
            arc_policy 2 json:[{ "i": 1, "d":"strange.example", "s":"sel1", "ip":"" }]
            action 0
            """
        ) {
            $0.envelopeFrom = "nowhere.example"
            $0.result = "fail"
            $0.disposition = "reject"
            $0.isSPFAligned = false
            $0.authentications[0].result = "fail"
            $0.arc = "pass"
            $0.seals = [.init(instance: 1, domain: "strange.example", selector: "sel1")]
        },
        HistoryCase(
            "a chain of trusted sealers that has decided",
            """
            \(head(mfrom: "nowhere.example"))
            spf 6
            \(policy(16))
            align_dkim 5
            align_spf 5
            arc 0
            arc_policy 0 json:[{ "i": 2, "d":"sealer.example", "s":"sel2", "ip":"" }, { "i": 1, "d":"sealer.example", "s":"sel1", "ip":"" }]
            action 2
            """
        ) {
            $0.envelopeFrom = "nowhere.example"
            $0.result = "fail"
            $0.isSPFAligned = false
            $0.authentications[0].result = "none"
            $0.arc = "pass"
            $0.isDecidedByChain = true
            $0.seals = [
                .init(instance: 2, domain: "sealer.example", selector: "sel2"),
                .init(instance: 1, domain: "sealer.example", selector: "sel1"),
            ]
        },
    ]
}

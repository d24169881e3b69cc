internal import PostfixConfiguration

/// A list of milters in master.cf that leaves out what main.cf has.
struct MilterOverride {
    /// The line of master.cf that sets it.
    let line: Int
    /// The daemon of ours that the service's mail passes by.
    let missing: String
    /// What takes the list out again.
    let mend: Mend

    /// Looks at a list; nil where it is main.cf's, or has what it needs.
    init?(_ chain: MilterChain, _ postfix: PostfixView, _ suite: SuiteView) {
        guard let listener = chain.listener, !chain.isOfMain,
            let option = listener.service.option(chain.parameter)
        else { return nil }
        let main = postfix.values.list(chain.parameter).map {
            MilterEndpoint($0, isChrooted: listener.isChrooted, postfix, suite)
        }
        let wanted =
            listener.takesSubmissions ? "dkim" : listener.takesInboundMail ? "dmarc" : nil
        guard let wanted, main.contains(where: { $0.isOurs(wanted) }), !chain.has(wanted),
            // Another program in its place is said by itself.
            !chain.milters.contains(where: { Incumbents.successor(of: $0) == wanted })
        else { return nil }
        (line, missing) = (option.line, wanted)
        let text = postfix.masterLine(option.line)
        // A line that holds nothing else can go.
        let isAlone = text.map {
            $0.drop { $0 == " " || $0 == "\t" }.hasPrefix("-o") && $0.occurrences(of: "-o") == 1
        }
        mend =
            isAlone == true
            ? .line(nil, file: PostfixView.masterPath, insteadOf: text)
            : .words("take -o \(chain.parameter)=… out of master.cf line \(option.line)")
    }
}

extension String {
    /// How often a text stands in this one.
    fileprivate func occurrences(of text: String) -> Int {
        indices.count { self[$0...].hasPrefix(text) }
    }
}

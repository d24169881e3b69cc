import PolicyProtocol

func checkPolicy(_ input: [UInt8]) throws(BrokenPromise) {
    let outcomes = policyOutcomes(of: input, pieces: max(1, input.count))
    for pieces in [1, 7] {
        try promise("cuts change nothing", policyOutcomes(of: input, pieces: pieces) == outcomes)
    }
    for outcome in outcomes {
        guard case .request(let request) = outcome else { continue }
        for attribute in PolicyRequest.Attribute.allCases {
            try promise(
                "values are bounded", request[attribute].count <= RequestDecoder.longestValue)
        }
        let action = PolicyAction.reject(String(decoding: request[.sender], as: UTF8.self))
        var answer: [UInt8] = []
        action.append(to: &answer)
        try promise("an answer is bounded", answer.count <= RequestDecoder.longestValue)
        try promise(
            "an answer is one line of printable ASCII, and an empty one",
            answer.dropLast(2).allSatisfy { 0x20...0x7E ~= $0 } && answer.suffix(2) == [0x0A, 0x0A])
    }
}

private func policyOutcomes(of input: [UInt8], pieces: Int) -> [RequestDecoder.Outcome] {
    var decoder = RequestDecoder()
    var outcomes: [RequestDecoder.Outcome] = []
    var rest = input.span
    while !rest.isEmpty {
        decoder.decode(rest.extracting(first: pieces)) { outcomes.append($0) }
        rest = rest.extracting(droppingFirst: pieces)
    }
    return outcomes
}

internal import MailAuth
internal import MailSyntax
internal import Milter

/// How what a filter would have done differs from what the one before it has done.
///
/// In its sentences "there" is the filter in use, and "here" is ours.
struct ShadowComparison {
    /// One difference: what, and about which domain or signature.
    struct Difference: Hashable {
        /// What differs, the same words for all messages.
        let what: String
        /// In which signature, or of which domain.
        let subject: String
    }

    /// What differs.
    private(set) var differences: [Difference] = []

    /// The most that are told of one message: more of them is what a stranger has written.
    private static let mostDifferences = 20

    private let header: HeaderSection

    /// Compares.
    ///
    /// - Parameters:
    ///   - header: the header section as the filter in use leaves it.
    ///   - verdict: what ours would answer.
    ///   - authservID: under which name results are given.
    ///   - methods: the methods that are compared.
    ///   - comparesSignatures: whether signatures on top are the other's work.
    ///   - reason: why ours would do what it does, where it says so.
    init(
        _ header: HeaderSection, _ verdict: MilterVerdict, _ authservID: AuthservID,
        methods: [String], comparesSignatures: Bool, reason: String?
    ) {
        self.header = header
        let theirs = IncumbentWork(header, authservID)
        var signatures: [SignatureSummary] = []
        var results: [MethodResult] = []
        var isHeld = false
        for edit in verdict.edits {
            switch edit {
            case .insertHeader(_, FieldName.dkimSignature.text, let value):
                if let signature = SignatureSummary(value) { signatures.append(signature) }
            case .insertHeader(_, FieldName.authenticationResults.text, let value):
                results += AuthenticationResults(parsing: value.span).results
            case .quarantine: isHeld = true
            default: break
            }
        }
        compare(verdict.reply, isHeld, reason)
        if comparesSignatures { compare(theirs.signatures, signatures, reason) }
        // What is not let through has no results.
        for method in methods where isLetThrough(verdict.reply) {
            compare(
                theirs.results.filter { $0.method == method },
                results.filter { $0.method == method }, method, reason)
        }
    }

    private func isLetThrough(_ reply: MilterReply) -> Bool {
        switch reply {
        case .continue, .accept, .skip: true
        case .reply, .reject, .tempfail, .discard: false
        }
    }

    private mutating func add(_ what: String, _ subject: String, because reason: String? = nil) {
        guard differences.count < Self.mostDifferences else { return }
        let words = reason.map { " (\($0))" } ?? ""
        let difference = Difference(what: what + words, subject: subject)
        if !differences.contains(difference) { differences.append(difference) }
    }

    // MARK: The reply

    /// What is refused or held there never comes here.
    private mutating func compare(_ reply: MilterReply, _ isHeld: Bool, _ reason: String?) {
        let author = AuthorField(of: header).mailboxes.first?.domain.ascii ?? ""
        switch reply {
        case .continue, .accept, .skip:
            if isHeld { add("accepted there, held here", author, because: reason) }
        case .reply(let reply):
            let code = reply.enhancedCode.map { "\(reply.code) \($0)" } ?? "\(reply.code)"
            add("accepted there, \(code) here", author, because: reason)
        case .reject: add("accepted there, refused here", author, because: reason)
        case .tempfail: add("accepted there, deferred here", author, because: reason)
        case .discard: add("accepted there, discarded here", author, because: reason)
        }
    }

    // MARK: Signatures

    private mutating func compare(
        _ theirs: [SignatureSummary], _ ours: [SignatureSummary], _ reason: String?
    ) {
        var rest = ours
        for made in theirs {
            let place = rest.firstIndex {
                $0.domain == made.domain && $0.selector == made.selector
            }
            guard let place else {
                add("signature made there, not here", made.subject, because: reason)
                continue
            }
            compare(made, rest.remove(at: place))
        }
        for made in rest { add("signature made here, not there", made.subject) }
    }

    private mutating func compare(_ theirs: SignatureSummary, _ ours: SignatureSummary) {
        let subject = ours.subject
        func said(_ text: String?) -> String { text ?? "none" }
        for (tag, there, here) in [
            ("a", theirs.algorithm, ours.algorithm),
            ("c", theirs.canonicalization, ours.canonicalization),
            ("i", said(theirs.identity), said(ours.identity)),
            ("l", theirs.hasLength ? "set" : "none", ours.hasLength ? "set" : "none"),
            ("x", theirs.expires ? "set" : "none", ours.expires ? "set" : "none"),
        ] where there != here {
            add("signature: \(tag)= is \(there) there, \(here) here", subject)
        }
        for (one, other, place) in [(theirs, ours, "there"), (ours, theirs, "here")] {
            let covered = one.covered.keys.filter { other.covered[$0] == nil }
            let present = covered.filter { count($0) > 0 }
            if !present.isEmpty {
                add("signature: covers \(Self.list(present)) only \(place)", subject)
            }
            // A name that is there once more than the field keeps others from being added (section 8.15).
            let guarded = one.covered.filter { name, times in
                times > count(name) && other.covered[name, default: 0] <= count(name)
                    && !present.contains(name)
            }.keys
            if !guarded.isEmpty {
                add(
                    "signature: lets no \(Self.list(guarded)) be added, only \(place)", subject)
            }
        }
        let body = { (text: String) in text.split(separator: "/").last }
        if theirs.bodyHash != ours.bodyHash, theirs.hasLength == ours.hasLength,
            theirs.algorithm.hasSuffix("sha256") == ours.algorithm.hasSuffix("sha256"),
            body(theirs.canonicalization) == body(ours.canonicalization)
        {
            add("signature: the body is read differently, or was changed in between", subject)
        }
    }

    /// How many fields of a name the message has.
    private func count(_ name: String) -> Int { header.indices(named: Array(name.utf8).span).count }

    private static func list(_ names: some Sequence<String>) -> String {
        names.sorted().prefix(20).joined(separator: ", ")
    }

    // MARK: Results

    private mutating func compare(
        _ theirs: [MethodResult], _ ours: [MethodResult], _ method: String, _ reason: String?
    ) {
        var rest = ours
        for found in theirs {
            guard let place = rest.firstIndex(where: { Self.isSame(found, $0) }) else {
                if found.result != "none" {
                    add(
                        "\(method)=\(found.result) there, nothing here", Self.subject(found),
                        because: reason)
                }
                continue
            }
            let own = rest.remove(at: place)
            if own.result != found.result {
                add(
                    "\(method)=\(found.result) there, \(own.result) here", Self.subject(own),
                    because: own.comment ?? own.reason ?? found.comment ?? found.reason)
            }
            for property in own.properties {
                guard let value = found[property.ptype, property.name],
                    !Self.isSame(property.name, value, property.value)
                else { continue }
                add(
                    "\(method): \(property.ptype).\(property.name) differs",
                    "\(value) there, \(property.value) here")
            }
        }
        for own in rest where own.result != "none" {
            add("\(method)=\(own.result) here, nothing there", Self.subject(own))
        }
    }

    /// Whether two results are about one thing.
    private static func isSame(_ one: MethodResult, _ other: MethodResult) -> Bool {
        switch one.method {
        case "dkim":
            if let first = one["header", "b"], let second = other["header", "b"] {
                return first.hasPrefix(second) || second.hasPrefix(first)
            }
            if let first = one["header", "s"], let second = other["header", "s"],
                first.asciiLowercased != second.asciiLowercased
            {
                return false
            }
            return domain(one) == domain(other)
        case "spf": return (one["smtp", "helo"] == nil) == (other["smtp", "helo"] == nil)
        default: return true
        }
    }

    /// Whether two values of a property mean the same: case and the local-part are no matter of domains.
    private static func isSame(_ name: String, _ one: String, _ other: String) -> Bool {
        // The start of a signature is as long as it takes to tell it from others.
        if name == "b" { return one.hasPrefix(other) || other.hasPrefix(one) }
        let (one, other) = (one.asciiLowercased, other.asciiLowercased)
        return one == other || (name == "mailfrom" && host(one) == host(other))
    }

    private static func host(_ address: String) -> Substring {
        address.split(separator: "@").last ?? ""
    }

    private static func domain(_ result: MethodResult) -> String {
        (result["header", "d"] ?? result["header", "i"].map { String(host($0)) } ?? "")
            .asciiLowercased
    }

    private static func subject(_ result: MethodResult) -> String {
        switch result.method {
        case "dkim": "d=\(domain(result))" + (result["header", "s"].map { " s=\($0)" } ?? "")
        case "spf":
            String(host(result["smtp", "mailfrom"] ?? result["smtp", "helo"] ?? ""))
        default: result["header", "from"] ?? ""
        }
    }
}

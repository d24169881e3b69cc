/// One thing that the doctor has to say about a host or a domain.
package struct Diagnosis: Hashable, Sendable {
    /// How much a finding weighs.
    ///
    /// The raw value is the word of the JSON form.
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        /// Mail is lost, refused or not authenticated.
        case error
        /// Mail may suffer, or a fault waits to happen.
        case warning
        /// Nothing was looked at; the text says why.
        case skipped
        /// Looked at, and fine.
        case ok
    }

    /// Which finding it is: stable, dotted, from the general to the particular.
    package let id: String
    /// How much it weighs.
    package let severity: Severity
    /// What it is about: a domain, an address, a file, a parameter.
    package let subject: String
    /// What was found, as a sentence without a full stop.
    package let what: String
    /// Why it matters; empty where nothing is wrong.
    package let why: String
    /// What mends it; nil where nothing needs to be mended, or no one line does.
    package let mend: Mend?

    /// Describes a fault.
    package init(_ kind: DiagnosisKind, _ subject: String, _ what: String, mend: Mend? = nil) {
        id = kind.id
        severity = kind.severity
        self.subject = Shown.line(subject)
        self.what = Shown.line(what)
        why = kind.why
        self.mend = mend
    }

    private init(
        _ id: String, _ severity: Severity, _ subject: String, _ what: String, why: String = "",
        mend: Mend? = nil
    ) {
        self.id = id
        self.severity = severity
        self.subject = Shown.line(subject)
        self.what = Shown.line(what)
        self.why = why
        self.mend = mend
    }

    /// Says that something is fine.
    package static func ok(_ id: String, _ subject: String, _ what: String) -> Diagnosis {
        Diagnosis(id, .ok, subject, what)
    }

    /// Says that something was not looked at, and why.
    package static func skipped(_ id: String, _ subject: String, _ what: String) -> Diagnosis {
        Diagnosis(id, .skipped, subject, what)
    }

    /// The same fault with another mend.
    fileprivate func mended(by mend: Mend) -> Diagnosis {
        Diagnosis(id, severity, subject, what, why: why, mend: mend)
    }

    /// The line that mends it, as it may be shown; nil where there is none.
    package var mendLine: String? { mend.map { Shown.line($0.description) } }

    /// Whether something is wrong.
    package var isFault: Bool { severity == .error || severity == .warning }
}

extension Sequence<Diagnosis> {
    /// That a parameter is set twice is mended by the value that another finding wants for it, where there is one.
    func agreeing() -> [Diagnosis] {
        var wanted: [String: Mend] = [:]
        for finding in self where finding.id != DiagnosisKind.parameterTwice.id {
            if case .parameter(let name, _)? = finding.mend { wanted[name] = finding.mend }
        }
        return map { finding in
            guard case .parameter(let name, _)? = finding.mend,
                finding.id == DiagnosisKind.parameterTwice.id, let mend = wanted[name]
            else { return finding }
            return finding.mended(by: mend)
        }
    }

    /// What hurts most first: by severity, then by `DiagnosisKind.ranking`, then as they were found.
    package func ranked() -> [Diagnosis] {
        let ranks = Dictionary(
            DiagnosisKind.ranking.enumerated().map { ($0.element.id, $0.offset) },
            uniquingKeysWith: Swift.min)
        let keyed = enumerated().map { place, finding in
            let severity = Diagnosis.Severity.allCases.firstIndex(of: finding.severity) ?? 0
            return ([severity, ranks[finding.id] ?? .max, place], finding)
        }
        return keyed.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map { $0.1 }
    }
}

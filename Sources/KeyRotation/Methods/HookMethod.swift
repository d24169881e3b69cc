internal import MailSyntax

/// A program of the administrator's, called `present|cleanup NAME VALUE TTL` in the manner of ACME's DNS hooks.
package struct HookMethod: RecordMethod {
    private let program: String
    private let seconds: Double
    private let log: @Sendable (String) -> Void

    /// Names the program, how long it may take, and where its words go.
    package init(
        _ program: String, seconds: Double = 60, log: @escaping @Sendable (String) -> Void
    ) {
        self.program = program
        self.seconds = seconds
        self.log = log
    }

    package func present(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try call("present", record)
    }

    package func cleanup(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try call("cleanup", record)
    }

    private func call(_ what: String, _ record: KeyPublicationRecord) throws(MethodFailure) {
        let said = try ProgramRun(
            path: program, arguments: [what, record.name.ascii, record.value, String(record.ttl)],
            seconds: seconds
        ).run()
        for line in said.split(separator: "\n") {
            log("\(program): \(DomainRotation.oneLine(String(line)))")
        }
    }
}

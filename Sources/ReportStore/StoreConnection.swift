/// The open report store, with the statements that every message takes.
struct StoreConnection: ~Copyable {
    let database: Database
    private let message: Statement
    private let authentication: Statement
    private let override: Statement
    private let deletion: Statement

    /// Opens the file, or makes it, and brings it to the version that is written here.
    init(path: String) throws(SinkError) {
        let database = try Database(path: path)
        try ReportSchema.prepare(database)
        let message = try database.prepared(
            """
            INSERT INTO message (received, reporter, queue_id, source_address, helo, envelope_from,
                header_from, policy_domain, policy_applied, p, sp, np, adkim, aspf, testing,
                discovery_method, rua, result, disposition, dkim_aligned, spf_aligned, arc)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        let authentication = try database.prepared(
            "INSERT INTO authentication VALUES (?, ?, ?, ?, ?, ?, ?)")
        let override = try database.prepared("INSERT INTO override VALUES (?, ?, ?, ?)")
        let deletion = try database.prepared(
            """
            DELETE FROM message WHERE id IN
                (SELECT id FROM message WHERE received < ? ORDER BY received LIMIT ?)
            """)
        self.database = database
        self.message = message
        self.authentication = authentication
        self.override = override
        self.deletion = deletion
    }

    /// Writes an evaluation.
    func insert(_ evaluation: Evaluation) throws(SinkError) {
        try database.run(message) { values in
            let policy = evaluation.policy
            values.add(evaluation.received)
            values.add(evaluation.reporter)
            values.add(evaluation.queueID)
            values.add(evaluation.sourceAddress)
            values.add(evaluation.helo)
            values.add(evaluation.envelopeFrom)
            values.add(evaluation.headerFrom)
            values.add(policy?.domain)
            values.add(policy?.applied)
            values.add(policy?.p)
            values.add(policy?.sp)
            values.add(policy?.np)
            values.add(policy?.adkim)
            values.add(policy?.aspf)
            values.add(policy?.isTesting)
            values.add(policy?.discovery)
            values.add(policy?.reportAddresses.joined(separator: " "))
            values.add(evaluation.result)
            values.add(evaluation.disposition)
            values.add(evaluation.isDKIMAligned)
            values.add(evaluation.isSPFAligned)
            values.add(evaluation.arc)
        }
        let row = database.lastRow
        for (position, found) in evaluation.authentications.enumerated() {
            try database.run(authentication) { values in
                values.add(row)
                values.add(Int64(position))
                values.add(found.mechanism)
                values.add(found.domain)
                values.add(found.selector)
                values.add(found.scope)
                values.add(found.result)
            }
        }
        for (position, reason) in evaluation.overrides.enumerated() {
            try database.run(override) { values in
                values.add(row)
                values.add(Int64(position))
                values.add(reason.kind)
                values.add(reason.comment)
            }
        }
    }

    /// Deletes the oldest messages before a time, so many at once.
    func delete(before time: Int64, atMost count: Int) throws(SinkError) {
        try database.run(deletion) { values in
            values.add(time)
            values.add(Int64(count))
        }
    }
}

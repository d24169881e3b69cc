import Testing

@testable import signet_spf

/// What Postfix is told, by configuration and result: a table that a postmaster can extend.
///
/// A line is: settings with ";" between them | HELO domain | sender domain, "<>" for none | how the answer
/// begins. The domains are those of `World`: each is called after its result. What is right: RFC 7208,
/// sections 2.4 (a null sender is postmaster at the HELO name) and 8.2 (neutral as none), and RFC 7372,
/// section 3.2 (5.7.23 is for a result of fail).
struct AnswerTableTests {
    static let table = """
                                     | none     | none      | PREPEND Received-SPF: None (mailfrom)
                                     | none     | pass      | PREPEND Received-SPF: Pass (mailfrom)
                                     | none     | neutral   | PREPEND Received-SPF: Neutral (mailfrom)
                                     | none     | softfail  | PREPEND Received-SPF: Softfail (mailfrom)
                                     | none     | permerror | PREPEND Received-SPF: Permerror (mailfrom)
                                     | none     | temperror | PREPEND Received-SPF: Temperror (mailfrom)
                                     | none     | fail      | 550 5.7.23 Message rejected due to: SPF fail: 192.0.2.1 is not allowed
                                     | fail     | pass      | 550 5.7.23 Message rejected due to: SPF fail: 192.0.2.1 is not allowed to send mail for fail.example: "-all" in the SPF record of fail.example
                                     | pass     | none      | PREPEND Received-SPF: Pass (helo)
                                     | pass     | softfail  | PREPEND Received-SPF: Softfail (mailfrom)
                                     | pass     | <>        | PREPEND Received-SPF: Pass (helo)
                                     | none     | <>        | PREPEND Received-SPF: None (helo)
                                     | fail     | <>        | 550 5.7.23
        HELO_reject Null             | fail     | <>        | 550 5.7.23
        HELO_reject Null             | softfail | <>        | PREPEND Received-SPF: Softfail (helo)
        HELO_reject Null             | fail     | pass      | PREPEND Received-SPF: Pass (mailfrom)
        HELO_reject Softfail         | softfail | pass      | 550 5.7.1
        HELO_reject Softfail         | neutral  | pass      | PREPEND Received-SPF: Pass (mailfrom)
        HELO_reject SPF_Not_Pass     | softfail | pass      | 550 5.7.1
        HELO_reject SPF_Not_Pass     | neutral  | pass      | PREPEND Received-SPF: Pass (mailfrom)
        HELO_reject SPF_Not_Pass     | permerror | pass     | 550 5.7.24
        HELO_reject SPF_Not_Pass     | temperror | pass     | PREPEND Received-SPF: Pass (mailfrom)
        HELO_reject SPF_Not_Pass     | none     | pass      | PREPEND Received-SPF: Pass (mailfrom)
        HELO_reject False            | fail     | none      | PREPEND Received-SPF: Fail (helo)
        HELO_reject No_Check         | fail     | none      | PREPEND Received-SPF: None (mailfrom)
        HELO_reject No_Check         | fail     | <>        | 550 5.7.23 Message rejected due to: SPF fail: 192.0.2.1 is not allowed
        HELO_reject False            | fail     | <>        | 550 5.7.23
        HELO_reject No_Check         | pass     | <>        | PREPEND Received-SPF: Pass (mailfrom)
        HELO_reject No_Check; Mail_From_reject No_Check | fail | <> | DUNNO
        Mail_From_reject False; HELO_reject False | fail | <> | PREPEND Received-SPF: Fail (helo)
        HELO_reject Null; Mail_From_reject Softfail | softfail | <> | 550 5.7.1
        Mail_From_reject Softfail    | none     | softfail  | 550 5.7.1
        Mail_From_reject Softfail    | none     | neutral   | PREPEND Received-SPF: Neutral
        Mail_From_reject SPF_Not_Pass | none    | neutral   | PREPEND Received-SPF: Neutral
        Mail_From_reject SPF_Not_Pass | none    | softfail  | 550 5.7.1
        Mail_From_reject SPF_Not_Pass | none    | permerror | 550 5.7.24
        Mail_From_reject SPF_Not_Pass | none    | none      | PREPEND Received-SPF: None
        Mail_From_reject False       | none     | fail      | PREPEND Received-SPF: Fail (mailfrom)
        Mail_From_reject No_Check    | pass     | fail      | PREPEND Received-SPF: Pass (helo)
        HELO_reject No_Check; Mail_From_reject No_Check | pass | pass | DUNNO
        PermError_reject True        | none     | permerror | 550 5.7.24 Message rejected due to: SPF permerror: the SPF policy of permerror.example cannot be evaluated
        PermError_reject True        | permerror | pass     | 550 5.7.24
        PermError_reject True; Mail_From_reject False | none | permerror | PREPEND Received-SPF: Permerror
        TempError_Defer True         | none     | temperror | defer_if_permit 4.7.24 Message deferred due to: SPF temperror: the SPF policy of temperror.example could not be evaluated for now
        TempError_Defer True         | temperror | pass     | defer_if_permit 4.7.24
        TempError_Defer True; HELO_reject False | temperror | pass | PREPEND Received-SPF: Pass
        TempError_Defer True; No_Mail yes | none | temperror | defer_if_permit 4.7.24
        No_Mail True                 | none     | fail      | PREPEND Received-SPF: Fail (mailfrom)
        No_Mail True                 | none     | nomail    | 550 5.7.23
        No_Mail True                 | nomail   | pass      | 550 5.7.23
        No_Mail True; PermError_reject yes | none | permerror | PREPEND Received-SPF: Permerror
        Reject_Not_Pass_Domains neutral.example,softfail.example | none | neutral | PREPEND Received-SPF: Neutral
        Reject_Not_Pass_Domains neutral.example,softfail.example | none | softfail | 550 5.7.1
        Reject_Not_Pass_Domains neutral.example | none | softfail | PREPEND Received-SPF: Softfail
        Reject_Not_Pass_Domains neutral.example | neutral | pass | PREPEND Received-SPF: Pass
        SPF_Enhanced_Status_Codes No | none     | fail      | 550 Message rejected
        SPF_Enhanced_Status_Codes No; TempError_Defer yes | none | temperror | defer_if_permit Message deferred
        HELO_pass_restriction helo_ok | pass    | fail      | helo_ok
        HELO_pass_restriction helo_ok | none    | pass      | PREPEND Received-SPF: Pass
        HELO_pass_restriction None   | pass     | pass      | PREPEND Received-SPF: Pass
        Mail_From_pass_restriction sender_ok | fail | pass  | sender_ok
        Mail_From_pass_restriction sender_ok | fail | none  | 550 5.7.23
        Mail_From_pass_restriction sender_ok | pass | fail  | 550 5.7.23
        Mail_From_pass_restriction a; HELO_pass_restriction b | pass | pass | a
        Mail_From_pass_restriction a; HELO_pass_restriction b | pass | fail | b
        Mail_From_pass_restriction sender_ok; TestOnly 0 | none | pass | DUNNO
        TestOnly 0                   | none     | fail      | PREPEND Received-SPF: Fail
        TestOnly 1                   | none     | fail      | 550 5.7.23
        defaultSeedOnly 0            | fail     | pass      | PREPEND Received-SPF: Fail (helo)
        Header_Type None             | none     | pass      | DUNNO
        Header_Type None             | none     | fail      | 550 5.7.23
        Header_Type AR; Authserv_Id mx.example | none | pass | PREPEND Authentication-Results: mx.example; spf=pass (192.0.2.1 is allowed to send mail for pass.example:
        Header_Type AR; Authserv_Id mx.example; Mail_From_reject No_Check; HELO_reject No_Check | pass | pass | PREPEND Authentication-Results: mx.example; spf=none (not checked) smtp.mailfrom=pass.example
        Header_Type AR; Authserv_Id mx.example; skip_addresses 192.0.2.1 | pass | pass | PREPEND Authentication-Results: mx.example; spf=none (SPF check N/A for local connections) smtp.mailfrom=pass.example
        Header_Type AR; Authserv_Id mx.example; Whitelist 192.0.2.1 | pass | <> | PREPEND Authentication-Results: mx.example; spf=none (SPF skipped for whitelisted relay) smtp.helo=pass.example
        Header_Type AR; Authserv_Id mx.example | pass | <> | PREPEND Authentication-Results: mx.example; spf=pass
        Prospective 198.51.100.7     | none     | fail      | DUNNO
        Prospective 198.51.100.7     | none     | nomail    | 550 5.7.23
        Void_Limit 2                 | none     | voids     | PREPEND Received-SPF: Permerror
        Void_Limit 3                 | none     | voids     | PREPEND Received-SPF: Pass
        Mock True                    | fail     | fail      | DUNNO
        Reason_Message {result} of {identity}: {domain} {{{mechanism}}} | none | fail | 550 5.7.23 fail of mailfrom: fail.example {-all}
        Reason_Message no {client}, {rejectdefer} | none | fail | 550 5.7.23 no 192.0.2.1, rejected
                                     | none     | explains  | 550 5.7.23 Message rejected due to: SPF fail: 192.0.2.1 is not allowed to send mail for explains.example: "-all" in the SPF record of explains.example; explains.example explains: See https://explains.example/192.0.2.1 for help
        """

    struct Row: CustomTestStringConvertible, Sendable {
        let settings: String
        let helo: String
        let sender: String
        let answer: String
        let testDescription: String
    }

    static let rows = table.split(separator: "\n").map { line in
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
            let text = $0.drop { $0 == " " }
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
        return Row(
            settings: cells[0].split(separator: ";").joined(separator: "\n"), helo: cells[1],
            sender: cells[2], answer: cells[3], testDescription: cells.joined(separator: " | "))
    }

    @Test(arguments: rows)
    func `is answered so`(_ row: Row) throws {
        let desk = try Desk(row.settings)
        let answer = desk.ask(
            helo: "\(row.helo).example",
            from: row.sender == "<>" ? "" : "user@\(row.sender).example")
        #expect(answer.hasPrefix(row.answer), "\(answer)")
    }
}

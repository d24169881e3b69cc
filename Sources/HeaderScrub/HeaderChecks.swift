/// The header_checks that clean Postfix's own Received field, for a cleanup(8) of submissions only.
///
/// No milter sees that field; header_checks do. The table is for `regexp:`, which every Postfix has, and matches the field that
/// Postfix writes itself: the hop named, which is ours, stays, with protocol, queue id and date.
public enum HeaderChecks {
    /// Writes the table.
    ///
    /// - Parameter host: `myhostname`, as it stands in the field.
    /// - Returns: the text of the file.
    public static func table(host: String) -> String {
        let name = escaped(host)
        return """
            # Postfix's own Received field without the client: for a cleanup(8) service of submissions only.
            # Made by "signet scrub --header-checks \(host)"; test with postmap -q - regexp:FILE.
            /^Received: from .*[[:space:]]by \(name) \\(.*\\) with ([A-Z0-9]+) id ([A-Za-z0-9]+)([[:space:]].*)?;[[:space:]]+([^;]*)$/
                REPLACE Received: by \(host) with $1 id $2; $4
            # Mail of sendmail(1): the number of the user goes.
            /^Received: by \(name) \\(.*, from userid [0-9]+\\)[[:space:]]+id ([A-Za-z0-9]+)([[:space:]].*)?;[[:space:]]+([^;]*)$/
                REPLACE Received: by \(host) id $1; $3

            """
    }

    /// A name with the characters escaped that mean something in POSIX extended expressions.
    private static func escaped(_ host: String) -> String {
        var result = ""
        for character in host {
            if !(character.isLetter || character.isNumber || character == "-") { result += "\\" }
            result.append(character)
        }
        return result
    }
}

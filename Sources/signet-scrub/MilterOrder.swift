import Configuration
import MailSyntax

/// Looks in Postfix's configuration for lists of milters in which we stand in a wrong place.
///
/// What a signer before us has signed, we break; and a replacement of the MTA's own field that nobody looks at again may have
/// failed. A guess, and so a warning only: sockets of signers are recognised by their names.
///
/// Trust: the files are the postmaster's; without them nothing is said.
struct MilterOrder {
    /// Where main.cf and master.cf are.
    let directory: String
    /// Our socket, whose place in a list of milters is ours.
    let socket: SocketSpec
    /// Whether we must be named twice, one after the other: to replace, and to look.
    let looksTwice: Bool

    private static let sizeLimit = 4 << 20

    /// Reports what stands in a wrong order.
    func check(_ reader: ConfigurationReader) {
        guard let mainCF = text("main.cf") else { return }
        let main = PostfixParameters(mainCF: mainCF)
        let services = text("master.cf").map(main.ofServices) ?? []
        var checked: Set<[String]> = []
        for (file, parameters) in [("main.cf", main)] + services.map({ ("master.cf", $0) }) {
            for name in PostfixParameters.milterLists {
                let milters = parameters.milters(name)
                // Most services have the lists of main.cf, and one line says all.
                guard checked.insert(milters).inserted, let fault = fault(in: milters) else {
                    continue
                }
                let line = parameters.line(name, ifNotOf: file == "main.cf" ? nil : main)
                reader.report(
                    ConfigurationProblem(
                        .warning, at: SourceLocation(file: "\(directory)/\(file)", line: line),
                        fault.message, suggestion: fault.suggestion))
            }
        }
    }

    private func text(_ name: String) -> String? {
        FileContents.ifReadable("\(directory)/\(name)", limit: Self.sizeLimit).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// What is wrong with a list of milters, and what to do about it.
    func fault(in milters: [String]) -> (message: String, suggestion: String)? {
        guard let place = milters.firstIndex(where: isOurs) else { return nil }
        if let signer = milters[..<place].first(where: Self.isSigner) {
            return (
                "\(signer) signs before signet-scrub has changed the message",
                "name signet-scrub before the signer in the list of milters"
            )
        }
        if looksTwice, place + 1 == milters.count || !isOurs(milters[place + 1]) {
            return (
                "ReplaceOwnReceived: nothing checks that the MTA's own field is gone",
                "name the socket twice, one after the other, in the list of milters"
            )
        }
        return nil
    }

    /// Whether an address in Postfix's form is that of our socket.
    private func isOurs(_ milter: String) -> Bool {
        let parts = milter.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return false }
        switch (parts[0], socket) {
        case ("unix", .unix(let path)), ("local", .unix(let path)):
            // In main.cf the path is relative to the queue directory.
            return path == parts[1] || path.hasSuffix("/\(parts[1])")
        case ("inet", .inet(let port, _)), ("inet", .inet6(let port, _)):
            return parts[1].hasSuffix(":\(port)")
        default: return false
        }
    }

    /// The names that packages give to sockets of signers; 8891 is OpenDKIM's usual port.
    private static func isSigner(_ milter: String) -> Bool {
        let name = milter.asciiLowercased
        return name.indices.contains { name[$0...].hasPrefix("dkim") } || name.hasSuffix(":8891")
    }
}

extension PostfixParameters {
    /// The line that a parameter is set on, or the first that differs from others' parameters.
    fileprivate func line(_ name: String, ifNotOf others: PostfixParameters?) -> Int? {
        guard let others else { return settings[name]?.line }
        return settings.filter { $0.value != others.settings[$0.key] }.map(\.value.line).min()
    }
}

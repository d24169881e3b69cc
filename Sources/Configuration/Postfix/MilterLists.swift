internal import MailSyntax

/// The lists of milters in Postfix's configuration, for a milter that checks its own place in them.
///
/// The sockets of other filters are recognised by their names, so what is found is a guess, and a warning at most.
///
/// Trust: the files are the postmaster's; without them nothing is reported.
package struct MilterLists {
    /// Where main.cf and master.cf are.
    private let directory: String
    /// Our socket, whose place in a list of milters is ours.
    private let socket: SocketSpec

    /// What is wrong with a list.
    package struct Fault {
        let message: String
        let suggestion: String

        /// Describes a fault and its remedy.
        package init(_ message: String, suggestion: String) {
            self.message = message
            self.suggestion = suggestion
        }
    }

    /// A list that names our socket, in Postfix's order.
    package struct Milters {
        /// The addresses, as Postfix connects to them.
        let addresses: [String]
        /// Our place among them.
        let place: Int
        /// Whether the next one is our socket, too.
        package let isNamedTwice: Bool

        /// The first before us whose address fits.
        package func before(where fits: (String) -> Bool) -> String? {
            addresses[..<place].first(where: fits)
        }

        /// The first behind us whose address fits.
        package func after(where fits: (String) -> Bool) -> String? {
            addresses[(place + 1)...].first(where: fits)
        }
    }

    /// The directive that names the place of Postfix's configuration.
    package static let directive = DirectiveSpec(
        "PostfixDirectory", .path, default: "/etc/postfix",
        "Where main.cf and master.cf are, whose lists of milters are checked for their order.")

    private static let sizeLimit = 4 << 20

    /// Reads `PostfixDirectory` and `Socket`; nil if either has no value.
    package init?(_ reader: ConfigurationReader) {
        guard let directory = reader.text("PostfixDirectory"),
            let socket = reader.socket("Socket")
        else { return nil }
        self.directory = directory
        self.socket = socket
    }

    /// Warns of each list that `fault` finds wrong; lists that do not name our socket are not shown to it.
    package func check(_ reader: ConfigurationReader, fault: (Milters) -> Fault?) {
        guard let mainCF = text("main.cf") else { return }
        let main = PostfixParameters(mainCF: mainCF)
        let services = text("master.cf").map(main.ofServices) ?? []
        var checked: Set<[String]> = []
        for (file, parameters) in [("main.cf", main)] + services.map({ ("master.cf", $0) }) {
            for name in PostfixParameters.milterLists {
                let milters = parameters.milters(name)
                // Most services have the lists of main.cf, for which one line is enough.
                guard checked.insert(milters).inserted, let ours = place(in: milters),
                    let fault = fault(ours)
                else { continue }
                let line = parameters.line(name, ifNotOf: file == "main.cf" ? nil : main)
                reader.report(
                    ConfigurationProblem(
                        .warning, at: SourceLocation(file: "\(directory)/\(file)", line: line),
                        fault.message, suggestion: fault.suggestion))
            }
        }
    }

    /// Whether an address is that of a DKIM signer: by the names that packages give to sockets, or OpenDKIM's usual port.
    package static func isSigner(_ milter: String) -> Bool {
        isNamed("dkim", milter) || milter.hasSuffix(":8891")
    }

    /// Whether an address is that of a DMARC filter: by the names that packages give to sockets, or OpenDMARC's usual port.
    package static func isDMARC(_ milter: String) -> Bool {
        isNamed("dmarc", milter) || milter.hasSuffix(":8893")
    }

    private static func isNamed(_ word: String, _ milter: String) -> Bool {
        let name = milter.asciiLowercased
        return name.indices.contains { name[$0...].hasPrefix(word) }
    }

    private func text(_ name: String) -> String? {
        FileContents.ifReadable("\(directory)/\(name)", limit: Self.sizeLimit).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func place(in milters: [String]) -> Milters? {
        guard let place = milters.firstIndex(where: socket.isReached) else { return nil }
        let next = place + 1
        return Milters(
            addresses: milters, place: place,
            isNamedTwice: next < milters.count && socket.isReached(at: milters[next]))
    }
}

extension PostfixParameters {
    /// The line that a parameter is set on, or the first that differs from others' parameters.
    fileprivate func line(_ name: String, ifNotOf others: PostfixParameters?) -> Int? {
        guard let others else { return settings[name]?.line }
        return settings.filter { $0.value != others.settings[$0.key] }.map(\.value.line).min()
    }
}

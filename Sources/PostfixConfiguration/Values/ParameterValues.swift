/// The parameters as a program of Postfix has them: what master.cf overrides, main.cf sets, and Postfix defaults to.
package struct ParameterValues: Sendable {
    /// Where a value comes from.
    package enum Source: Hashable, Sendable {
        /// `-o` in master.cf, on this line.
        case masterOption(line: Int)
        /// main.cf, on this line.
        case main(line: Int)
        /// Postfix.
        case `default`
    }

    /// main.cf.
    package let main: MainConfiguration
    /// Postfix's own values.
    package let defaults: ParameterDefaults
    private var options: [String: (value: String, line: Int)] = [:]

    /// The values that hold where master.cf overrides none.
    package init(_ main: MainConfiguration, defaults: ParameterDefaults) {
        self.main = main
        self.defaults = defaults
    }

    /// The values that hold in a service.
    package func of(_ service: MasterService) -> ParameterValues {
        var values = self
        for option in service.options { values.options[option.name] = (option.value, option.line) }
        return values
    }

    /// A value as it is written and where it comes from; nil where nothing defines the parameter.
    package func raw(_ name: String) -> (value: String, source: Source)? {
        if let option = options[name] { return (option.value, .masterOption(line: option.line)) }
        if let setting = main.setting(name) { return (setting.value, .main(line: setting.line)) }
        if name == "mydomain" { return (domainOfHost, .default) }
        return defaults[name].map { ($0, .default) }
    }

    /// What `mydomain` is by default: `myhostname` without its first label.
    private var domainOfHost: String {
        // A myhostname that is made of $mydomain must not lead back here.
        var expansion = Expansion { $0 == "mydomain" ? nil : raw($0)?.value }
        let host = (try? expansion.expand(raw("myhostname")?.value ?? "")) ?? ""
        guard let dot = host.firstIndex(of: "."), host.index(after: dot) < host.endIndex else {
            return "localdomain"
        }
        return String(host[host.index(after: dot)...])
    }

    /// A value with its references expanded; empty where nothing defines the parameter.
    package func value(_ name: String) throws(ExpansionFault) -> String {
        try expanded(raw(name)?.value ?? "")
    }

    /// A value with its references expanded; nil where Postfix could not expand it.
    package subscript(_ name: String) -> String? { try? value(name) }

    /// The items of a list parameter; empty where Postfix could not expand it.
    package func list(_ name: String) -> [String] { PostfixList.items(self[name] ?? "") }

    /// Whether a parameter is `yes`.
    package func isYes(_ name: String) -> Bool { self[name] == "yes" }

    /// Any text with the references that it holds expanded.
    package func expanded(_ text: String) throws(ExpansionFault) -> String {
        var expansion = Expansion { raw($0)?.value }
        return try expansion.expand(text)
    }

    /// The names in a text's references that nothing defines, for which Postfix takes the empty value.
    package func undefinedNames(in text: String) -> [String] {
        var expansion = Expansion { raw($0)?.value }
        _ = try? expansion.expand(text)
        return expansion.undefined
    }
}

/// Families of metrics as text: for collectors, and from daemon to command.
package enum MetricsText {
    /// The forms of the text.
    package enum Form: Sendable {
        /// OpenMetrics 1.0.
        case openMetrics
        /// Prometheus' text format 0.0.4, which node exporter's textfile collector reads.
        case prometheus

        /// The media type.
        package var mediaType: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    /// Writes families; those without samples are left out.
    package static func text(of families: [MetricFamily], _ form: Form = .openMetrics) -> String {
        var text = ""
        for family in families where !family.samples.isEmpty { append(family, form, to: &text) }
        return form == .openMetrics ? text + "# EOF\n" : text
    }

    private static func append(_ family: MetricFamily, _ form: Form, to text: inout String) {
        let name = family.name.name
        var shown = name
        var kind = family.kind.rawValue
        if form == .prometheus {
            // There the type is of the sample's own name, and "info" is unknown.
            if family.kind == .counter { shown += "_total" }
            if family.kind == .info { (shown, kind) = ("\(name)_info", "gauge") }
        }
        text += "# TYPE \(shown) \(kind)\n"
        if form == .openMetrics, let unit = family.name.unit { text += "# UNIT \(shown) \(unit)\n" }
        text += "# HELP \(shown) \(escaped(family.name.help, quotes: form == .openMetrics))\n"
        for sample in family.samples {
            text += "\(name)\(sample.suffix)"
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { label in
                    "\(label.name)=\"\(escaped(label.value, quotes: true))\""
                }
                text += "{\(labels.joined(separator: ","))}"
            }
            text += " \(sample.value)\n"
        }
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else {
            return text
        }
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// The families of several daemons as one list: each name once, a sample of each daemon's under it.
    ///
    /// - Parameter lists: the families of each daemon, with the value of its label `daemon`.
    /// - Returns: the families, in the order in which their names come up.
    package static func merged(
        _ lists: [(daemon: String, families: [MetricFamily])]
    ) -> [MetricFamily] {
        var order: [String] = []
        var families: [String: MetricFamily] = [:]
        for list in lists {
            for family in list.families {
                let samples = family.samples.map { $0.labelled("daemon", list.daemon) }
                let name = family.name.name
                if families[name] == nil {
                    order.append(name)
                    families[name] = MetricFamily(family.name, family.kind, [])
                }
                // One name is of one type.
                if families[name]?.kind == family.kind { families[name]?.samples += samples }
            }
        }
        return order.compactMap { families[$0] }
    }
}

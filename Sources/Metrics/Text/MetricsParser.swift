/// Reads the text that a daemon gives, as ``MetricsText`` writes it.
///
/// Trust: a daemon that was taken over may write anything; a line that is not of this form is passed
/// over, and so is whatever would make an invalid text of what is put together out of it.
package struct MetricsParser {
    private var families: [MetricFamily] = []
    private var name: String?
    private var kind: MetricFamily.Kind?
    private var unit: String?
    private var help = ""
    private var samples: [MetricSample] = []

    /// The most lines that are read.
    private static let mostLines = 5_000

    /// Reads OpenMetrics text.
    package static func families(in text: String) -> [MetricFamily] {
        var parser = MetricsParser()
        for line in text.split(separator: "\n").prefix(mostLines) { parser.take(line) }
        parser.end()
        return parser.families
    }

    private mutating func take(_ line: Substring) {
        if line.hasPrefix("# ") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.count == 4, Self.isName(words[2]) else { return }
            switch words[1] {
            case "TYPE":
                end()
                name = String(words[2])
                kind = MetricFamily.Kind(rawValue: String(words[3]))
            case "UNIT" where name.map { words[2] == $0 } == true: unit = String(words[3])
            case "HELP" where name.map { words[2] == $0 } == true:
                help = Self.unescaped(String(words[3]))
            default: return
            }
        } else if let name, kind != nil, line.hasPrefix(name),
            let sample = Self.sample(line.dropFirst(name.count))
        {
            samples.append(sample)
        }
    }

    private mutating func end() {
        if let name, let kind, !samples.isEmpty {
            families.append(MetricFamily(MetricName(name, unit: unit, help), kind, samples))
        }
        (name, kind, unit, help, samples) = (nil, nil, nil, "", [])
    }

    /// Reads what follows the family's name.
    private static func sample(_ text: Substring) -> MetricSample? {
        let suffix = text.prefix { $0 != "{" && $0 != " " }
        guard ["", "_total", "_bucket", "_sum", "_count", "_info"].contains(suffix) else {
            return nil
        }
        var rest = text.dropFirst(suffix.count)
        var labels: [MetricSample.Label] = []
        if rest.first == "{" {
            rest = rest.dropFirst()
            while rest.first != "}" {
                guard let label = label(&rest) else { return nil }
                labels.append(label)
                if rest.first == "," { rest = rest.dropFirst() }
            }
            rest = rest.dropFirst()
        }
        guard rest.first == " " else { return nil }
        let value = rest.dropFirst()
        guard Double(value) != nil || ["+Inf", "-Inf", "NaN"].contains(value) else { return nil }
        return MetricSample(String(suffix), labels, String(value))
    }

    private static func label(_ rest: inout Substring) -> MetricSample.Label? {
        guard let equals = rest.firstIndex(of: "=") else { return nil }
        let name = rest[..<equals]
        rest = rest[rest.index(after: equals)...]
        guard isName(name), rest.first == "\"" else { return nil }
        rest = rest.dropFirst()
        var value = ""
        var isEscaped = false
        while let character = rest.first {
            rest = rest.dropFirst()
            if isEscaped {
                value += character == "n" ? "\n" : String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return MetricSample.Label(name: String(name), value: value)
            } else {
                value.append(character)
            }
        }
        return nil
    }

    private static func unescaped(_ text: String) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                result += character == "n" ? "\n" : String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// Whether a text is the name of a metric or a label: letters, digits and underscores.
    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 || $0 == 0x5F
        }
    }
}

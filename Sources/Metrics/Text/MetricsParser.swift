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
    private var series: Set<Series> = []

    /// What tells one sample of a family from another.
    private struct Series: Hashable {
        let suffix: String
        let labels: Set<MetricSample.Label>
    }

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
        } else if let name, let kind, line.hasPrefix(name),
            let sample = Self.sample(line.dropFirst(name.count), kind),
            series.insert(Series(suffix: sample.suffix, labels: Set(sample.labels))).inserted
        {
            samples.append(sample)
        }
    }

    private mutating func end() {
        if let name, let kind, !samples.isEmpty {
            families.append(MetricFamily(MetricName(name, unit: unit, help), kind, samples))
        }
        (name, kind, unit, help, samples, series) = (nil, nil, nil, "", [], [])
    }

    /// Reads what follows the family's name.
    private static func sample(_ text: Substring, _ kind: MetricFamily.Kind) -> MetricSample? {
        let suffix = text.prefix { $0 != "{" && $0 != " " }
        let suffixes: [Substring] =
            switch kind {
            case .counter: ["_total"]
            case .gauge: [""]
            case .histogram: ["_bucket", "_sum", "_count"]
            case .info: ["_info"]
            }
        guard suffixes.contains(suffix) else { return nil }
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
        // The label of that name is put before them.
        let names = Set(labels.map(\.name)).union(["daemon"])
        guard rest.first == " ", names.count == labels.count + 1 else { return nil }
        let value = rest.dropFirst()
        let isNumber = value.utf8.allSatisfy {
            0x30...0x39 ~= $0 || "+-.eE".utf8.contains($0)
        }
        guard isNumber && Double(value) != nil || ["+Inf", "-Inf", "NaN"].contains(value) else {
            return nil
        }
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

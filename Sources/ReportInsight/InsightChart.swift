internal import Reports

/// The messages of a domain over time, as an inline SVG of bars: what failed at the foot, what passed upon it.
struct InsightChart {
    /// A bar: some days.
    struct Bar {
        let first: Int64
        let last: Int64
        var messages: Int64 = 0
        var passed: Int64 = 0
    }

    let bars: [Bar]

    /// How many bars there are at most.
    private static let limit = 92
    private static let (width, height, left, foot) = (800.0, 200.0, 72.0, 26.0)

    /// The days of a domain, put together where they are too many for one bar each.
    init(_ days: [Int64: DomainInsight.Day]) {
        guard let first = days.keys.min(), let last = days.keys.max() else {
            bars = []
            return
        }
        let count = last - first + 1
        let step = (count + Int64(Self.limit) - 1) / Int64(Self.limit)
        var bars = stride(from: first, through: last, by: Int64.Stride(step)).map {
            Bar(first: $0, last: min($0 + step - 1, last))
        }
        for (day, numbers) in days {
            let place = Int((day - first) / step)
            bars[place].messages &+= numbers.messages
            bars[place].passed &+= numbers.passed
        }
        self.bars = bars
    }

    /// Draws it.
    func draw(_ html: inout HTMLText, title: String) {
        let top = max(bars.map(\.messages).max() ?? 1, 1)
        let room = Self.height - Self.foot - 8
        let step = (Self.width - Self.left) / Double(max(bars.count, 1))
        html.element(
            "svg",
            [
                ("viewBox", "0 0 800 200"), ("role", "img"), ("aria-label", title),
                ("class", "chart"),
            ]
        ) { html in
            html.element("title", title)
            for part in 0...2 {
                let y = 8 + room * Double(part) / 2
                html.empty(
                    "line",
                    [
                        ("x1", Self.number(Self.left)), ("x2", "800"), ("y1", Self.number(y)),
                        ("y2", Self.number(y)), ("class", "grid"),
                    ])
                html.element(
                    "text",
                    [
                        ("x", Self.number(Self.left - 6)), ("y", Self.number(y + 4)),
                        ("text-anchor", "end"),
                    ], Percent.number(top * Int64(2 - part) / 2))
            }
            for (place, bar) in bars.enumerated() {
                let x = Self.left + Double(place) * step + step * 0.1
                let passed = room * Double(bar.passed) / Double(top)
                let failed = room * Double(bar.messages - bar.passed) / Double(top)
                Self.rectangle(&html, x, step * 0.8, 8 + room - failed, failed, "fail")
                Self.rectangle(&html, x, step * 0.8, 8 + room - failed - passed, passed, "pass")
            }
            if let first = bars.first, let last = bars.last {
                html.element(
                    "text", [("x", Self.number(Self.left)), ("y", "196")],
                    InsightText.day(first.first))
                if bars.count > 1 {
                    html.element(
                        "text", [("x", "800"), ("y", "196"), ("text-anchor", "end")],
                        InsightText.day(last.last))
                }
            }
        }
    }

    private static func rectangle(
        _ html: inout HTMLText, _ x: Double, _ width: Double, _ y: Double, _ height: Double,
        _ kind: String
    ) {
        guard height > 0 else { return }
        html.empty(
            "rect",
            [
                ("x", number(x)), ("y", number(y)), ("width", number(width)),
                ("height", number(max(height, 0.5))), ("class", kind),
            ])
    }

    /// A number with one decimal.
    private static func number(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}

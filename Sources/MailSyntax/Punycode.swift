/// Punycode, the ASCII form of Unicode labels (RFC 3492), without the "xn--" prefix.
///
/// Trust: hostile labels. All arithmetic is checked; callers bound the length, as both directions cost
/// its square.
enum Punycode {
    // RFC 3492, section 5: parameter values.
    private static let base: UInt32 = 36
    private static let tMin: UInt32 = 1
    private static let tMax: UInt32 = 26
    private static let skew: UInt32 = 38
    private static let damp: UInt32 = 700
    private static let initialBias: UInt32 = 72
    private static let initialN: UInt32 = 128
    private static let delimiter: UInt8 = 0x2D

    /// Encodes code points (RFC 3492, section 6.3); nil where the arithmetic would overflow.
    static func encode(_ input: [Unicode.Scalar]) -> [UInt8]? {
        var output = input.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
        let basicCount = UInt32(output.count)
        var handled = basicCount
        if basicCount > 0 { output.append(delimiter) }
        var n = initialN
        var delta: UInt32 = 0
        var bias = initialBias
        while handled < input.count {
            guard let m = input.lazy.map(\.value).filter({ $0 >= n }).min() else { return nil }
            let (step, overflow) = (m - n).multipliedReportingOverflow(by: handled + 1)
            let (sum, carry) = delta.addingReportingOverflow(step)
            guard !overflow, !carry else { return nil }
            delta = sum
            n = m
            for scalar in input {
                if scalar.value < n {
                    guard delta < .max else { return nil }
                    delta += 1
                } else if scalar.value == n {
                    appendVariableLength(delta, bias: bias, to: &output)
                    bias = adapt(delta, handled + 1, isFirst: handled == basicCount)
                    delta = 0
                    handled += 1
                }
            }
            guard delta < .max else { return nil }
            delta += 1
            n += 1
        }
        return output
    }

    /// Decodes to code points (RFC 3492, section 6.2); nil where the text is not Punycode.
    static func decode(_ input: [UInt8]) -> [Unicode.Scalar]? {
        var output: [Unicode.Scalar] = []
        var rest = input[...]
        if let lastDelimiter = input.lastIndex(of: delimiter) {
            for octet in input[..<lastDelimiter] {
                guard octet < 0x80 else { return nil }
                output.append(Unicode.Scalar(octet))
            }
            // A delimiter with nothing before it is no delimiter: the encoder never writes it.
            guard !output.isEmpty else { return nil }
            rest = input[(lastDelimiter + 1)...]
        }
        var n = initialN
        var i: UInt32 = 0
        var bias = initialBias
        while !rest.isEmpty {
            let oldI = i
            guard let delta = readVariableLength(&rest, bias: bias) else { return nil }
            let (sum, carry) = i.addingReportingOverflow(delta)
            guard !carry else { return nil }
            let count = UInt32(output.count) + 1
            bias = adapt(sum - oldI, count, isFirst: oldI == 0)
            let (next, overflow) = n.addingReportingOverflow(sum / count)
            guard !overflow, let scalar = Unicode.Scalar(next), !scalar.isASCII else { return nil }
            n = next
            i = sum % count
            output.insert(scalar, at: Int(i))
            i += 1
        }
        return output
    }

    private static func threshold(_ k: UInt32, bias: UInt32) -> UInt32 {
        k <= bias ? tMin : min(k - bias, tMax)
    }

    private static func appendVariableLength(
        _ delta: UInt32, bias: UInt32, to output: inout [UInt8]
    ) {
        var q = delta
        var k = base
        while true {
            let t = threshold(k, bias: bias)
            if q < t { break }
            output.append(digit(t + (q - t) % (base - t)))
            q = (q - t) / (base - t)
            k += base
        }
        output.append(digit(q))
    }

    private static func readVariableLength(
        _ input: inout ArraySlice<UInt8>, bias: UInt32
    ) -> UInt32? {
        var number: UInt32 = 0
        var weight: UInt32 = 1
        var k = base
        while let character = input.popFirst() {
            guard let value = value(of: character) else { return nil }
            let (step, overflow) = value.multipliedReportingOverflow(by: weight)
            let (sum, carry) = number.addingReportingOverflow(step)
            guard !overflow, !carry else { return nil }
            number = sum
            let t = threshold(k, bias: bias)
            if value < t { return number }
            let (product, tooHeavy) = weight.multipliedReportingOverflow(by: base - t)
            guard !tooHeavy else { return nil }
            weight = product
            k += base
        }
        return nil
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? value + 0x61 : value - 26 + 0x30)
    }

    private static func value(of digit: UInt8) -> UInt32? {
        if digit.isASCIILetter { return UInt32((digit | 0x20) - 0x61) }
        return digit.isASCIIDigit ? UInt32(digit - 0x30) + 26 : nil
    }

    /// RFC 3492, section 6.1.
    private static func adapt(_ delta: UInt32, _ points: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / points
        var k: UInt32 = 0
        while delta > ((base - tMin) * tMax) / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }
}

import MailSyntax
import Testing

@Suite struct BytesTests {
    @Test func findsTheFirstOctetWhereverItStands() {
        for length in 0...40 {
            for position in 0..<max(length, 1) {
                // 0x8A and 0x0B differ from LF in one bit or by one: what a word-wise search mixes up.
                var bytes = (0..<length).map { [0x8A, 0x0B, 0x00, 0xFF, 0x09][$0 % 5] as UInt8 }
                if position < length { bytes[position] = .lf }
                for start in 0...length + 1 {
                    let expected = start > length ? nil : bytes[start...].firstIndex(of: .lf)
                    let found = bytes.span.firstIndex(of: .lf, from: start)
                    #expect(found == expected)
                }
            }
        }
    }

    @Test func knowsPrintableASCIIWhereverAnOctetStands() {
        for octet in UInt8.min...UInt8.max {
            for length in 1...20 {
                for position in 0..<length {
                    // The neighbours differ from DEL in one bit: what a word-wise look mixes up.
                    var bytes = [UInt8](repeating: 0x7E, count: length)
                    bytes[position] = octet
                    let isPrintable = bytes.span.isPrintableASCII
                    #expect(isPrintable == (0x20..<0x7F ~= octet))
                }
            }
        }
        let nothing: [UInt8] = []
        let isPrintable = nothing.span.isPrintableASCII
        #expect(isPrintable)
    }

    @Test func classesAreThoseOfASCII() {
        for octet in UInt8.min...UInt8.max {
            let scalar = Unicode.Scalar(octet)
            let isASCII = octet < 0x80
            #expect(octet.isASCIILetter == (isASCII && scalar.properties.isAlphabetic))
            #expect(octet.isASCIIDigit == (scalar.value >= 48 && scalar.value <= 57))
            #expect(octet.isASCIIControl == (octet < 32 || octet == 127))
            #expect(octet.isWSP == [9, 32].contains(octet))
            #expect(octet.isFoldingSpace == [9, 10, 13, 32].contains(octet))
            #expect(
                octet.hexDigitValue.map(Int.init)
                    == (isASCII ? Character(scalar).hexDigitValue : nil))
            if isASCII {
                #expect(octet.asciiLowercased == Character(scalar).lowercased().utf8.first)
            }
        }
    }

    @Test func caseIsASCIICase() {
        #expect("DKIM-Signature".equalsIgnoringASCIICase("dkim-signature"))
        #expect(!"a@".equalsIgnoringASCIICase("A`"))
        #expect("ÄB".asciiLowercased == "Äb")
        let (name, same, longer) = (Array("AbC".utf8), Array("aBc".utf8), Array("aBcd".utf8))
        let isSame = name.span.equalsIgnoringASCIICase(same.span)
        let isLonger = name.span.equalsIgnoringASCIICase(longer.span)
        #expect(isSame && !isLonger)
    }

    @Test(arguments: [("", ""), (" \t\r\n", ""), (" a b\r\n ", "a b"), ("x", "x")])
    func trimsFoldingSpace(text: String, trimmed: String) {
        #expect(Array(Array(text.utf8).trimmingFoldingSpace()) == Array(trimmed.utf8))
    }
}

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]

    @Test(arguments: vectors)
    func encodesAndDecodes(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        // Folding white space between any two characters, and no padding at all (RFC 6376, 2.10).
        let folded = encoded.map { "\r\n \($0)\t" }.joined()
        #expect(Base64.decode(folded) == Array(plain.utf8))
        #expect(Base64.decode(encoded.filter { $0 != "=" }) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Z", "Zg=", "Zg===", "Zm8==", "Zm9v=", "Zg==Zg==", "Z=g=", "Zm-_", "=", "Zg\0=", "é",
    ])
    func refuses(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func everyOctetSurvives() {
        var bytes: [UInt8] = []
        for octet in UInt8.min...UInt8.max {
            bytes.append(octet)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }

    @Test func hexadecimal() {
        #expect(Hex.encode([0x00, 0xAB, 0x7F]) == "00ab7f")
        #expect(Hex.decode("00Ab7F") == [0x00, 0xAB, 0x7F])
        #expect(Hex.decode("") == [])
        for text in ["0", "0g", "00 11", "0x00"] { #expect(Hex.decode(text) == nil) }
    }
}

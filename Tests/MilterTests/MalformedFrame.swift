import TestKit

/// A frame that no MTA sends, and the words in which the line about it says what was wrong.
struct MalformedFrame: Sendable, CustomStringConvertible {
    let description: String
    let octets: [UInt8]
    let line: String

    private init(_ description: String, _ octets: [UInt8], _ line: String) {
        self.description = description
        self.octets = octets
        self.line = line
    }

    static let all: [MalformedFrame] = [
        .init("unknown command", MilterWire.frame("?"), "an unknown command, 0x3f"),
        .init("no command", [0, 0, 0, 0], "a frame without a command"),
        .init(
            "too long", [0, 0x10, 0, 1, 0x42], "a frame of 1048577 octets; the limit is 1048576"),
        .init("far too long", [0xff, 0xff, 0xff, 0xff], "a frame of 4294967295 octets"),
        .init("macros without a command", MilterWire.frame("D"), "macros without a command"),
        .init(
            "macros without a value", MilterWire.frame("D", Array("Mi\0".utf8)),
            "macros of which one has no value"
        ),
        .init(
            "three texts", MilterWire.frame("D", Array("Mi\u{0}1\0j\0".utf8)),
            "macros of which one has no value"
        ),
        .init(
            "macros without an end", MilterWire.frame("D", Array("Mi\u{0}1".utf8)),
            "a list of texts without its end"
        ),
        .init("no client", MilterWire.frame("C"), "a client without a name or a family"),
        .init("no family", MilterWire.frame("C", Array("h\0".utf8)), "a client without a name"),
        .init(
            "half an address", MilterWire.frame("C", Array("h\u{0}4\u{1}".utf8)), "a whole address"),
        .init(
            "bad address", MilterWire.frame("C", Array("h\u{0}4\u{1}\u{1}999\0".utf8)),
            "a client with a malformed address"
        ),
        .init(
            "odd family", MilterWire.frame("C", Array("h\0X\u{1}\u{1}a\0".utf8)), "unknown family"),
        .init("HELO without NUL", MilterWire.frame("H", [65]), "a text without its end"),
        .init("empty HELO", MilterWire.frame("H"), "a text without its end"),
        .init("MAIL without NUL", MilterWire.frame("M", [65]), "a list of texts without its end"),
        .init("empty MAIL", MilterWire.frame("M"), "a list of texts without its end"),
        .init("header without value", MilterWire.frame("L", [65, 0]), "without a value"),
        .init("header without NUL", MilterWire.frame("L", [65, 0, 65]), "without a value"),
    ]
}

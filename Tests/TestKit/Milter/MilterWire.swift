/// The milter protocol's frames, as the MTA writes and reads them.
///
/// A frame is a length of four octets, most significant first, that counts the command letter and
/// the data.
public enum MilterWire {
    /// Encodes a frame.
    ///
    /// - Parameters:
    ///   - command: The command letter.
    ///   - data: The data after it.
    /// - Returns: The bytes on the wire.
    public static func frame(_ command: Character, _ data: [UInt8] = []) -> [UInt8] {
        number(UInt32(data.count + 1)) + [command.asciiValue ?? 0] + data
    }

    /// Encodes a number of four octets.
    public static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Encodes strings, each ended by NUL.
    public static func strings(_ values: [String]) -> [UInt8] {
        values.flatMap { Array($0.utf8) + [0] }
    }

    /// Decodes a number of four octets.
    public static func number(at offset: Int, of data: [UInt8]) -> UInt32 {
        data.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Decodes strings, each ended by NUL, from an offset on.
    public static func strings(from offset: Int, of data: [UInt8]) -> [[UInt8]] {
        var parts = data.dropFirst(offset).split(separator: 0, omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.map(Array.init)
    }

    /// The protocol bits (SMFIP) of an event: do not send it, it gets no reply.
    static func bits(_ command: Character) -> (unsent: UInt32, silent: UInt32) {
        switch command {
        case "C": (0x01, 0x1000)
        case "H": (0x02, 0x2000)
        case "M": (0x04, 0x4000)
        case "R": (0x08, 0x8000)
        case "B": (0x10, 0x8_0000)
        case "L": (0x20, 0x80)
        case "N": (0x40, 0x4_0000)
        case "U": (0x100, 0x2_0000)
        case "T": (0x200, 0x1_0000)
        default: (0, 0)
        }
    }
}

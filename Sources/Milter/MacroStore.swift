internal import MailSyntax

/// Where macros are looked up.
package protocol MacroSource {
    /// The value of a macro, nil where the MTA has not sent it.
    ///
    /// - Parameter name: Its name in the normal form: one letter bare, longer names in braces.
    /// - Returns: The value.
    func macro(_ name: String) -> String?
}

/// The macros of one connection, in the lists in which the MTA sends them.
///
/// A stage's list is replaced when it comes again. Those of CONNECT and HELO hold for the
/// connection, the others for the message; of a macro that is in several the latest stage's counts.
final class MacroStore: MacroSource {
    /// The stages in the order of a transaction.
    private static let order: [MilterStage] = [
        .connect, .helo, .mail, .recipient, .data, .endOfHeader, .endOfMessage,
    ]
    private static let firstOfMessage = 2

    /// For each stage, in that order, names and values in turn, each ended by NUL.
    private var lists = [[UInt8]](repeating: [], count: MacroStore.order.count)

    /// Takes a list: the letter of the command that it belongs to, then names and values.
    func take(_ data: Span<UInt8>) throws(MilterFault) {
        let (letter, start) = try CommandData.macroList(data)
        guard let stage = MilterCommand(rawValue: letter)?.stage,
            let place = Self.order.firstIndex(of: stage)
        else { return }
        lists[place] = data.extracting(start...).copied()
    }

    /// Forgets what came for later stages than that: it belongs to the past.
    func forget(after stage: MilterStage) {
        guard let place = Self.order.firstIndex(of: stage) else { return }
        clear(from: place + 1)
    }

    /// Forgets the macros of the message.
    func forgetMessage() { clear(from: Self.firstOfMessage) }

    /// Forgets everything.
    func forgetAll() { clear(from: 0) }

    private func clear(from place: Int) {
        for index in place..<lists.count where !lists[index].isEmpty {
            lists[index] = []
        }
    }

    func macro(_ name: String) -> String? {
        let octets = name.utf8.span
        let braces = Self.hasBraces(octets) ? 1 : 0
        let bare = octets.extracting(braces..<octets.count - braces)
        for place in lists.indices.reversed() where !lists[place].isEmpty {
            let list = lists[place]
            if let value = Self.value(of: bare, in: list.span) { return value }
        }
        return nil
    }

    /// Whether a name has its braces: MTAs write them or leave them out.
    private static func hasBraces(_ name: Span<UInt8>) -> Bool {
        name.count > 2 && name[0] == UInt8(ascii: "{") && name[name.count - 1] == UInt8(ascii: "}")
    }

    private static func value(of name: Span<UInt8>, in list: Span<UInt8>) -> String? {
        var start = 0
        while let nameEnd = list.firstIndex(of: 0, from: start),
            let end = list.firstIndex(of: 0, from: nameEnd + 1)
        {
            let isEnclosed = hasBraces(list.extracting(start..<nameEnd)) ? 1 : 0
            let bare = list.extracting(start + isEnclosed..<nameEnd - isEnclosed)
            if bare.isEqual(to: name) {
                return list.extracting(nameEnd + 1..<end).text
            }
            start = end + 1
        }
        return nil
    }
}

extension Span<UInt8> {
    fileprivate func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}

internal import MailSyntax

/// The first eight octets of a name, in lower case, as one number: tells most names apart at once.
struct NameHead: Hashable, Sendable {
    /// The octets, the first in the highest place; zero where there are none.
    let octets: UInt64
    /// How many octets the whole name has.
    let count: Int

    /// Takes the head of a name.
    init(_ name: Span<UInt8>) {
        count = name.count
        var octets: UInt64 = 0
        for index in 0..<Swift.min(8, name.count) {
            octets |= UInt64(name[index].asciiLowercased) << UInt64(56 - 8 * index)
        }
        self.octets = octets
    }

    /// How many slots names are put into.
    static let slots = 64
    /// How many octets decide about the slot: three tell `X-M…` from `X-S…`, as most rules are about names with "X-".
    static let slotOctets = 3
    /// The slot, which all names with the same first octets share.
    var slot: Int { Int((octets >> 56) &* 7 &+ (octets >> 40)) & (Self.slots - 1) }

    /// Whether another name can begin with this one.
    func canBegin(_ name: NameHead) -> Bool {
        guard count <= name.count else { return false }
        // Swift's shift by 64, of nothing to compare, gives zero.
        return (octets ^ name.octets) >> UInt64(64 - 8 * Swift.min(8, count)) == 0
    }
}

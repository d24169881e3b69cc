internal import Glibc
package import MailSyntax

extension DomainRotation {
    /// Why a rotation cannot begin.
    package struct Refusal: Error, Hashable, CustomStringConvertible {
        /// The reason.
        package let description: String
    }

    /// Plans a new key of each of some kinds; those that sign go on until the new ones can.
    ///
    /// Kinds that are on their way already are left as they are. `taken` are selectors that must not be used, such as
    /// those of key files that nothing else knows of.
    package mutating func plan(
        _ kinds: [KeyKind], at now: Int64, taken: Set<DomainName>, _ policy: RotationPolicy
    ) throws(Refusal) {
        let coming = Set(keys.filter(\.stage.isComing).map(\.kind))
        let group = (keys.map(\.group).max() ?? 0) + 1
        var used = taken.union(keys.map(\.selector))
        if policy.fixedSelectors != nil {
            used.subtract(keys.filter { $0.stage == .withdrawn }.map(\.selector))
        }
        for kind in kinds where !coming.contains(kind) {
            guard keys.count < Self.maximumKeys,
                let selector = Self.candidates(kind, at: now, policy).first(where: {
                    !used.contains($0)
                })
            else {
                throw Refusal(
                    description: policy.fixedSelectors == nil
                        ? "no selector of today is free"
                        : "both selectors are in use; the previous key must be withdrawn first")
            }
            used.insert(selector)
            // A fixed selector comes back: its history ends here.
            keys.removeAll { $0.selector == selector }
            keys.append(
                ManagedKey(selector, kind, .planned, made: now, since: now, group: group))
        }
    }

    /// The names that a new key may have, in the order of preference.
    private static func candidates(
        _ kind: KeyKind, at now: Int64, _ policy: RotationPolicy
    ) -> [DomainName] {
        let ending = kind == .ed25519 ? "-ed25519" : ""
        let stems: [String] =
            policy.fixedSelectors
            ?? ([""] + "bcdefghijklmnopqrstuvwxyz".map(String.init)).map { "s\(date(now))\($0)" }
        return stems.compactMap { try? DomainName("\($0)\(ending)") }
    }

    /// The UTC day as `20261127`.
    private static func date(_ seconds: Int64) -> String {
        var seconds = time_t(seconds)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return "0" }
        let (year, month, day) = unsafe (parts.tm_year, parts.tm_mon, parts.tm_mday)
        return String((Int(year) + 1900) * 10_000 + (Int(month) + 1) * 100 + Int(day))
    }
}

package import MailSyntax

/// A key of a domain, and where it stands.
package struct ManagedKey: Hashable, Sendable {
    /// Its selector.
    package let selector: DomainName
    /// What it is.
    package let kind: KeyKind
    /// How far it has come.
    package var stage: KeyStage
    /// When it was made, in seconds since 1970.
    package let made: Int64
    /// When it reached its stage, in seconds since 1970.
    package var since: Int64
    /// The moment before which the next step is not taken, in seconds since 1970; nil for a retiring key where other hosts may
    /// still sign with it.
    package var until: Int64?
    /// Keys of one number begin to sign together.
    package let group: Int64
    /// Why the step that was tried last has failed; nil where it has not.
    package var fault: String?

    /// Describes a key.
    package init(
        _ selector: DomainName, _ kind: KeyKind, _ stage: KeyStage, made: Int64, since: Int64,
        until: Int64? = nil, group: Int64, fault: String? = nil
    ) {
        self.selector = selector
        self.kind = kind
        self.stage = stage
        self.made = made
        self.since = since
        self.until = until
        self.group = group
        self.fault = fault
    }

    /// Puts it into another stage.
    mutating func enter(_ stage: KeyStage, at now: Int64, until: Int64? = nil) {
        self.stage = stage
        since = now
        self.until = until
        fault = nil
    }
}

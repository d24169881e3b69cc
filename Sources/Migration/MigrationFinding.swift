/// Something that the postmaster should know about a migration.
package struct MigrationFinding: Hashable, Sendable {
    /// What it is.
    package enum Kind: String, Sendable {
        /// A directive is kept, and means something else.
        case meaning
        /// A directive is left out, as nothing needs it.
        case dropped
        /// A directive is left out, and nothing does what it did.
        case none
        /// Something that has to be seen to.
        case problem
    }

    /// What it is.
    package let kind: Kind
    /// The file that it is about.
    package let file: String
    /// The line there, from 1; nil where it is about all of it.
    package let line: Int?
    /// The directive; nil where it is about none.
    package let directive: String?
    /// The sentence.
    package let what: String
}

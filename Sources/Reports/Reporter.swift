/// Who reports: the organization, as reports name it.
public struct Reporter: Hashable, Sendable {
    /// Its name.
    public var organization: String
    /// The address for questions about reports.
    public var email: String
    /// The domain of the mail receiver that reports come from.
    public var domain: String
    /// The program that makes the reports, with its version.
    public var generator: String

    /// Creates a reporter.
    public init(organization: String, email: String, domain: String, generator: String) {
        self.organization = organization
        self.email = email
        self.domain = domain
        self.generator = generator
    }
}

/// What went wrong in the test kit itself, in words for the person who reads the failed test.
public struct TestKitError: Error, CustomStringConvertible {
    /// The sentence, with enough of the surrounding facts to act on.
    public let description: String

    /// Makes an error with the sentence `description`.
    public init(_ description: String) {
        self.description = description
    }
}

/// A value that many hold by one reference: copies of a large structure would each count all that is in it.
public final class Shared<Value: Sendable>: Sendable {
    /// The value.
    public let value: Value

    /// Keeps a value.
    public init(_ value: Value) { self.value = value }
}

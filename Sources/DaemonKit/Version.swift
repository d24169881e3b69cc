/// The version of the whole suite.
public enum Version {
    /// The released version, as packages carry it.
    public static let current = "0.1.0"
}

extension Duration {
    /// The time in seconds, as deadlines are counted.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

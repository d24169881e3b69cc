package import MailAuth

extension MessageWitness {
    /// What it could not tell of the message, in words.
    package var lacking: [String] {
        unknown.map { position in
            "what the signature in header field \(position + 1) covers was not hashed then"
        }
    }
}

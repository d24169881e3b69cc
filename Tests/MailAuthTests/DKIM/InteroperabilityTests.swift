import Foundation
import MailAuth
import MailCrypto
import MailSyntax
import Testing

@Suite struct Interoperability {
    /// For each key, canonicalization pair and sample message: what we sign, dkimpy verifies.
    @Test(.enabled(if: DKIMPy.isPresent, "python3-dkim is not installed"))
    func dkimpyVerifiesWhatWeSign() throws {
        var jobs: [DKIMPy.VerifyJob] = []
        var names: [String] = []
        for message in try TestMessage.samples()
        // dkimpy takes a name with a space before the colon for no field (RFC 5322, section 4.5).
        where message.testDescription != "spaces at the colon" {
            for key in TestKeys.all {
                for pair in SigningRecipe.pairs {
                    var recipe = SigningRecipe()
                    recipe.canonicalization = pair
                    for field in try sign(message, [key], recipe, chunk: 7) {
                        let signed = try message.adding(field)
                        jobs.append(.init(message: Data(signed.bytes), record: key.record))
                        names.append("\(message.testDescription), \(pair), \(field.algorithm)")
                    }
                }
            }
        }
        let verdicts = try DKIMPy.verify(jobs)
        #expect(verdicts.count == jobs.count)
        for (verdict, name) in zip(verdicts, names) { #expect(verdict, "\(name)") }
    }
}

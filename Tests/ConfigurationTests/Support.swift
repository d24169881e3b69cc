@testable import Configuration

/// A schema with a directive of every kind.
let sampleSchema = ConfigurationSchema([
    DirectiveSpec("Syslog", .boolean, default: "no", "Log through syslog"),
    DirectiveSpec(
        "SyslogFacility", .word(["mail", "daemon", "local0"]), default: "mail", "Facility"),
    DirectiveSpec("Canonicalization", .text, default: "relaxed/simple", "Canonicalization"),
    DirectiveSpec(
        "On-BadSignature", .word(["accept|a", "discard|d", "reject|r"]), default: "accept",
        "Action"),
    DirectiveSpec("MinimumKeyBits", .integer(0...16384), default: "1024", "Smallest key"),
    DirectiveSpec("MaximumHeaders", .integer(0...Int.max), "Most header octets"),
    DirectiveSpec("DNSTimeout", .duration(1...60), default: "5", "DNS deadline"),
    DirectiveSpec("KeyFile", .path, "Private key"),
    DirectiveSpec("Socket", .socket, needsRestart: true, "Where to listen"),
    DirectiveSpec("UserID", .user, needsRestart: true, "Whom to become"),
    DirectiveSpec("UMask", .mask, default: "007", needsRestart: true, "Mask of the socket"),
    DirectiveSpec("InternalHosts", .dataSet, default: "127.0.0.1", "Whose mail is signed"),
    DirectiveSpec("SigningTable", .dataSet, "Addresses to keys"),
    DirectiveSpec("KeyTable", .dataSet, "Names to keys"),
    DirectiveSpec("ExemptDomains", .dataSet, "Domains to leave alone"),
    DirectiveSpec("TestOnly", aliases: ["defaultSeedOnly"], .boolean, default: "1", "0 is a test"),
    DirectiveSpec("Remove", .text, accumulates: true, "Take a field out"),
    DirectiveSpec("Keep", .text, accumulates: true, "Leave a field in"),
    .noOp("AutoRestart", "systemd restarts the daemon"),
    .refused("FinalPolicyScript", "Lua scripts are not run", instead: "use the On- directives"),
])

func reader(
    _ text: String, schema: ConfigurationSchema = sampleSchema,
    overrides: [ConfigurationStatement] = []
) -> ConfigurationReader {
    ConfigurationReader(schema: schema, text: text, named: "f", overrides: overrides)
}

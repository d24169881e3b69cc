// swift-tools-version: 6.3
import PackageDescription

/// The settings every target of ours is built with: one list, so that no room is laxer than
/// another.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

/// A C library of the system.
func system(_ name: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: apt.map { [.apt([$0])] })
}

/// A module.
func library(_ name: String, uses: [Target.Dependency] = [], path: String? = nil) -> Target {
    .target(name: name, dependencies: uses, path: path, swiftSettings: strict)
}

/// A program.
func program(
    _ name: String, uses: [Target.Dependency] = [], path: String? = nil, exclude: [String] = [],
    sources: [String]? = nil, linkerSettings: [LinkerSetting]? = nil
) -> Target {
    .executableTarget(
        name: name, dependencies: uses, path: path, exclude: exclude, sources: sources,
        swiftSettings: strict, linkerSettings: linkerSettings)
}

/// The tests of a module or of several, in Tests/`name`.
func tests(_ name: String, uses: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: uses, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "signet",
    products: [
        .executable(name: "signet-dkim", targets: ["signet-dkim"]),
        .executable(name: "signet-dmarc", targets: ["signet-dmarc"]),
        .executable(name: "signet-scrub", targets: ["signet-scrub"]),
        .executable(name: "signet-spf", targets: ["signet-spf"]),
        .executable(name: "signet", targets: ["signet"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // Tests only: the test suites of the standards are in YAML.
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // C libraries of the system.
        system("CArchive", pkgConfig: "libarchive", apt: "libarchive-dev"),
        system("CExpat", pkgConfig: "expat", apt: "libexpat1-dev"),
        system("CJansson", pkgConfig: "jansson", apt: "libjansson-dev"),
        system("CLinux"),
        system("CMilter", apt: "libmilter-dev"),
        system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CPostgreSQL", pkgConfig: "libpq", apt: "libpq-dev"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("CSPF2", apt: "libspf2-dev"),
        system("CUnbound", apt: "libunbound-dev"),
        system("CXML2", pkgConfig: "libxml-2.0", apt: "libxml2-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),

        // The core: pure modules and thin edges.
        library("MailSyntax"),
        // Threads, locks and deadlines on monotonic clocks.
        library("Threads"),
        library("MailCrypto", uses: ["COpenSSL"]),
        library("MailDNS", uses: ["Threads", "MailSyntax"]),
        // libunbound behind the resolver protocol.
        library("UnboundDNS", uses: ["CUnbound", "Threads", "MailDNS", "MailSyntax"]),
        library("MailAuth", uses: ["Threads", "MailSyntax", "MailCrypto", "MailDNS"]),
        // The one pipeline over a message.
        library("MailEvaluation", uses: ["MailAuth", "MailDNS", "MailSyntax", "Threads"]),
        // The milter protocol, and the two ways to serve it.
        library("Milter", uses: ["MailSyntax"]),
        library(
            "LibmilterTransport",
            uses: ["CLinux", "CMilter", "ConnectionServer", "MailSyntax", "Milter", "Threads"]),
        library(
            "MilterService",
            uses: [
                "Configuration", "ConnectionServer", "DaemonKit", "LibmilterTransport", "Milter",
            ]),
        // Postfix's policy protocol: octets to requests, actions to octets.
        library("PolicyProtocol", uses: ["MailSyntax"]),
        // The server of milters and of the policy service.
        library("ConnectionServer", uses: ["CLinux", "Threads"]),
        // The configuration dialect, data sets and globs.
        library("Configuration", uses: ["MailSyntax"]),
        // main.cf and master.cf.
        library("PostfixConfiguration"),
        // What `signet setup` changes and publishes, and how it is undone.
        library(
            "Setup",
            uses: ["DomainKeys", "HeaderScrub", "MailCrypto", "MailSyntax", "PostfixConfiguration"]),
        // From other programs to ours.
        library(
            "Migration", uses: ["Configuration", "MailSyntax", "PostfixConfiguration", "Setup"]),
        // Whose mail it is: the policy that the milters share.
        library("Traffic", uses: ["Configuration", "MailSyntax"]),
        library("DaemonKit", uses: ["CLinux", "Configuration", "Threads", "MailSyntax"]),

        library("DaemonResolver", uses: ["Configuration", "MailDNS", "UnboundDNS"]),

        library("HeaderScrub", uses: ["Configuration", "MailSyntax"]),

        // What a daemon keeps of the messages it has decided about, and what it counts.
        library("FlightRecord", uses: ["CLinux", "Configuration", "Threads"]),
        library("Metrics", uses: ["Configuration", "Threads"]),
        // What of it lets a decision be taken again.
        library(
            "Replay", uses: ["MailAuth", "MailDNS", "MailSyntax", "Threads"]),
        // Both together, as a daemon uses them.
        library(
            "Observation",
            uses: [
                "Configuration", "DaemonKit", "FlightRecord", "MailAuth", "MailDNS", "MailSyntax",
                "Metrics", "Milter", "Replay", "Threads", "Traffic",
            ]),
        // The story of a message, out of the records and the MTA's log.
        library("Explanation", uses: ["FlightRecord"]),

        // What the milter daemons share.
        library(
            "MilterDaemon",
            uses: [
                "Configuration", "DaemonKit", "MailAuth", "MailSyntax", "Milter", "Observation",
                "Replay", "Traffic",
            ]),

        // A folder of DKIM keys, a domain each.
        library("DomainKeys", uses: ["Configuration", "MailCrypto", "MailSyntax", "Threads"]),

        // Keys that are replaced: the steps, the disk, the DNS.
        library(
            "KeyRotation",
            uses: [
                "CLinux", "Configuration", "DomainKeys", "MailAuth", "MailCrypto", "MailDNS",
                "MailSyntax", "Threads",
            ]),

        library(
            "ReportStore",
            uses: [
                "CLinux", "CPostgreSQL", "CSQLite", "Configuration", "DaemonKit", "MailSyntax",
                "Threads",
            ]),

        // What was signed, counted.
        library("SigningLog", uses: ["Configuration", "Threads"]),

        // Reports that others send.
        library(
            "ReportReading", uses: ["CArchive", "CExpat", "CJansson", "MailSyntax", "ReportStore"]),
        // Reports about single messages that failed, without the XML of the others.
        library(
            "FailureReports",
            uses: ["Configuration", "MailAuth", "MailCrypto", "MailSyntax", "Threads"]),

        // What they mean, for people.
        library(
            "ReportInsight", uses: ["MailSyntax", "ReportStore", "Reports", "SigningLog"]),

        // The programs.
        program(
            "signet-dmarc",
            uses: [
                "Configuration", "DaemonKit", "DaemonResolver", "FailureReports", "FlightRecord",
                "MailAuth", "MailDNS", "MailEvaluation", "MailSyntax", "Metrics", "Milter",
                "MilterDaemon", "MilterService", "Observation", "Replay", "ReportStore", "Threads",
                "Traffic",
                "UnboundDNS",
            ]),
        program(
            "signet-scrub",
            uses: [
                "Configuration", "DaemonKit", "FlightRecord", "HeaderScrub", "MailAuth",
                "MailSyntax", "Milter", "MilterDaemon", "MilterService", "Observation", "Replay",
                "Threads", "Traffic",
            ]),
        program(
            "signet-dkim",
            uses: [
                "Configuration", "DaemonKit", "DaemonResolver", "DomainKeys", "FlightRecord",
                "MailAuth", "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Metrics",
                "Milter", "MilterDaemon", "MilterService", "Observation", "Replay", "SigningLog",
                "Threads", "Traffic", "UnboundDNS",
            ]),
        program(
            "signet-spf",
            uses: [
                "Configuration", "ConnectionServer", "DaemonKit", "DaemonResolver", "FlightRecord",
                "MailAuth", "MailDNS", "MailEvaluation", "MailSyntax", "Observation",
                "PolicyProtocol", "Replay", "Threads", "UnboundDNS",
            ]),
        library(
            "Reports",
            uses: [
                "CLinux", "CXML2", "CZlib", "Configuration", "FailureReports", "MailAuth",
                "MailCrypto", "MailDNS", "MailSyntax", "ReportStore", "Threads",
            ]),
        // What is wrong with a host, its configuration and its records.
        library(
            "Doctor",
            uses: [
                "Configuration", "DomainKeys", "MailAuth", "MailCrypto", "MailDNS", "MailSyntax",
                "PostfixConfiguration", "Threads",
            ]),
        program(
            "signet",
            uses: [
                "DomainKeys", "KeyRotation", "Configuration", "DaemonKit", "DaemonResolver",
                "Doctor", "Explanation", "FailureReports", "FlightRecord", "HeaderScrub",
                "MailAuth", "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Metrics",
                "Migration", "Replay", "ReportInsight", "ReportReading", "ReportStore", "Reports",
                "Setup", "SigningLog", "Threads", "UnboundDNS", argumentParser,
            ]),

        // The test kit: fakes and private servers, used by every test target.
        library("TestKit", uses: ["MailSyntax", "MailDNS", "Threads"], path: "Tests/TestKit"),
        // What the tests of several milters' sessions share.
        library("SessionTestKit", uses: ["Milter", "TestKit"], path: "Tests/SessionTestKit"),
        tests(
            "IntegrationTests",
            uses: [
                "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "ReportStore", "signet",
                "signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf", "TestKit", "Threads",
                "UnboundDNS",
            ], exclude: ["Explain/played-stories.txt"]),
        // Tests/Benchmarks/run.
        program(
            "SignetBenchmark",
            uses: ["MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "TestKit", "Threads"],
            path: "Tests/Benchmarks",
            exclude: ["Floor", "NullFilter", "README.md", "SignetNull", "Store", "run"],
            sources: [
                "Blinding", "Domains", "Milter", "DKIM", "DMARC", "Ratios", "SPF", "Scrub", "Soak",
                "Worst",
            ]),
        // What it compares the daemons with: a floor in C, and filters that do nothing.
        .executableTarget(
            name: "Floor", path: "Tests/Benchmarks/Floor",
            linkerSettings: [.linkedLibrary("crypto")]),
        program(
            "SignetNull", uses: ["Milter", "MilterService"], path: "Tests/Benchmarks/SignetNull"),
        program(
            "StoreBenchmark",
            uses: [
                "FlightRecord", "MailAuth", "MailDNS", "MailSyntax", "ReportInsight",
                "ReportReading", "ReportStore", "Reports", "Threads",
            ],
            path: "Tests/Benchmarks/Store"),
        .executableTarget(
            name: "NullFilter", path: "Tests/Benchmarks/NullFilter",
            linkerSettings: [.linkedLibrary("milter")]),
        // What hostile octets are fed to, by the fuzzer (Tests/Fuzz/run) and by the tests.
        library(
            "FuzzTargets",
            uses: [
                "Configuration", "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "Milter",
                "PolicyProtocol", "ReportReading", "ReportStore", "Threads",
            ],
            path: "Tests/FuzzTargets"),
        tests(
            "FuzzRegressionTests", uses: ["FuzzTargets", "MailAuth", "MailCrypto", "MailSyntax"]),
        // What packaging/demo shows.
        program(
            "Demo", uses: ["signet", "signet-dkim", "signet-dmarc", "TestKit"], path: "Tests/Demo"),
        program(
            "MilterProbe", uses: ["Configuration", "Milter", "MilterService"],
            path: "Tests/MilterProbe"),
        program("SPF2Witness", uses: ["CSPF2"], path: "Tests/SPF2Witness"),
        tests("MilterTests", uses: ["MailSyntax", "Milter", "MilterProbe", "TestKit"]),
        tests("FlightRecordTests", uses: ["Configuration", "FlightRecord", "TestKit", "Threads"]),
        tests(
            "MetricsTests", uses: ["Metrics", "TestKit"], exclude: ["alerts.test.yaml"]),
        tests(
            "ExplanationTests", uses: ["Explanation", "FlightRecord", "TestKit"],
            exclude: ["stories.txt"]),
        tests("PolicyProtocolTests", uses: ["PolicyProtocol", "TestKit"]),
        tests(
            "SignetScrubTests",
            uses: [
                "Configuration", "DaemonKit", "FlightRecord", "HeaderScrub", "MailSyntax", "Milter",
                "Observation", "TestKit", "Threads", "signet-scrub",
            ]),
        tests("ReportStoreTests", uses: ["MailSyntax", "ReportStore", "TestKit"]),
        tests(
            "SignetDMARCTests",
            uses: [
                "signet-dmarc", "Configuration", "DaemonKit", "DaemonResolver", "FailureReports",
                "FlightRecord", "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "Metrics",
                "Milter", "Observation", "Replay", "ReportStore", "SessionTestKit", "TestKit",
                "Threads", "UnboundDNS",
            ],
            exclude: ["Attacks", "FromFields"]),
        tests("MailSyntaxTests", uses: ["MailSyntax", "TestKit"]),
        tests(
            "MailAuthTests",
            uses: [
                "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "SPF2Witness", "TestKit",
                "Threads", "UnboundDNS", .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["DKIM/Tables", "DMARC/Tables"]),
        tests(
            "MailEvaluationTests",
            uses: ["MailAuth", "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Threads"]),
        tests("MailDNSTests", uses: ["MailDNS", "MailSyntax", "TestKit", "Threads"]),
        tests(
            "UnboundDNSTests", uses: ["MailDNS", "MailSyntax", "TestKit", "Threads", "UnboundDNS"]),
        tests("ConfigurationTests", uses: ["Configuration", "MailSyntax", "TestKit"]),
        tests(
            "PostfixConfigurationTests", uses: ["PostfixConfiguration", "TestKit"],
            exclude: ["Files"]),
        tests(
            "SetupTests",
            uses: [
                "HeaderScrub", "MailCrypto", "MailSyntax", "PostfixConfiguration", "Setup",
                "TestKit", "signet", "signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf",
            ]),
        tests(
            "MigrationTests",
            uses: ["Migration", "TestKit", "signet", "signet-dkim", "signet-dmarc", "signet-spf"]),
        // What each module may import.
        tests("ArchitectureTests", exclude: ["imports.txt"]),
        tests(
            "FailureReportsTests", uses: ["FailureReports", "MailCrypto", "MailSyntax", "TestKit"]),
        tests("SigningLogTests", uses: ["SigningLog", "TestKit", "Threads"]),
        tests(
            "ReportsTests",
            uses: [
                "Configuration", "FailureReports", "MailAuth", "MailDNS", "MailSyntax",
                "ReportStore", "Reports", "TestKit", "Threads",
            ]),
        tests(
            "ReportInsightTests",
            uses: ["MailSyntax", "ReportInsight", "ReportStore", "SigningLog", "TestKit"]),
        tests(
            "ReportReadingTests", uses: ["MailSyntax", "ReportReading", "ReportStore", "TestKit"],
            exclude: ["samples.txt"]),
        tests(
            "DoctorTests",
            uses: [
                "Configuration", "Doctor", "MailCrypto", "MailDNS", "MailSyntax", "TestKit",
                "Threads",
            ],
            exclude: ["Faults", "Healthy"]),
        tests(
            "KeyRotationTests",
            uses: [
                "Configuration", "DomainKeys", "KeyRotation", "MailCrypto", "MailDNS", "MailSyntax",
                "TestKit", "Threads",
            ]),
        tests(
            "DomainKeysTests",
            uses: ["DomainKeys", "MailCrypto", "MailSyntax", "TestKit", "Threads"]),
        tests(
            "SignetTests",
            uses: ["signet", "MailAuth", "MailCrypto", "MailSyntax", "ReportStore", "TestKit"],
            exclude: ["HostTranscripts", "Transcripts"]),
        tests("MailCryptoTests", uses: ["MailCrypto"]),
        tests("ConnectionServerTests", uses: ["ConnectionServer", "Threads"]),
        tests(
            "DaemonKitTests",
            uses: ["Configuration", "DaemonKit", "DaemonProbe", "TestKit", "Threads"]),
        tests(
            "SignetDKIMTests",
            uses: [
                "Configuration", "DaemonKit", "DaemonResolver", "FlightRecord", "MailAuth",
                "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Metrics", "Milter",
                "MilterDaemon", "Observation", "SessionTestKit", "SigningLog", "TestKit",
                "Threads", "UnboundDNS", "signet-dkim",
            ],
            exclude: ["OpenDKIM/deviations.txt", "OpenDKIM/witness.lua"]),
        tests(
            "SignetSPFTests",
            uses: [
                "Configuration", "ConnectionServer", "DaemonKit", "FlightRecord", "MailDNS",
                "MailSyntax", "Observation", "PolicyProtocol", "TestKit", "Threads", "signet-spf",
            ]),
        // A daemon that does nothing but live: the tests of DaemonKit start, signal and stop it.
        program(
            "DaemonProbe", uses: ["Configuration", "DaemonKit", "Threads"],
            path: "Tests/DaemonProbe"),
    ]
)

// Tests/Fuzz/run sets this: libFuzzer brings its own main, so that nothing else can be built with
// it.
if Context.environment["SIGNET_FUZZ"] != nil {
    package.targets.append(
        program(
            "fuzz", uses: ["FuzzTargets"], path: "Tests/Fuzz",
            exclude: ["Corpora", "Regressions", "run"],
            linkerSettings: [.linkedLibrary("stdc++")]))
}

// For the one who works on a module: SIGNET_TEST_TARGETS="MailAuthTests MailDNSTests" leaves the other
// test targets out, so that `swift build --product signetPackageTests` builds what these need alone.
if let chosen = Context.environment["SIGNET_TEST_TARGETS"] {
    let names = chosen.split(separator: " ").map(String.init)
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}

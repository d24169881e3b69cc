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
        .systemLibrary(
            name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(
            name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CMilter", providers: [.apt(["libmilter-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CSPF2", providers: [.apt(["libspf2-dev"])]),
        .systemLibrary(name: "CUnbound", providers: [.apt(["libunbound-dev"])]),
        .systemLibrary(
            name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The core: pure modules and thin edges.
        .target(name: "MailSyntax", swiftSettings: strict),
        // Threads, locks and deadlines on monotonic clocks.
        .target(name: "Threads", swiftSettings: strict),
        .target(name: "MailCrypto", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "MailDNS", dependencies: ["Threads", "MailSyntax"], swiftSettings: strict),
        // libunbound behind the resolver protocol.
        .target(
            name: "UnboundDNS", dependencies: ["CUnbound", "Threads", "MailDNS", "MailSyntax"],
            swiftSettings: strict),
        .target(
            name: "MailAuth", dependencies: ["Threads", "MailSyntax", "MailCrypto", "MailDNS"],
            swiftSettings: strict),
        // The one pipeline over a message.
        .target(
            name: "MailEvaluation", dependencies: ["MailAuth", "MailDNS", "MailSyntax", "Threads"],
            swiftSettings: strict),
        // The milter protocol, and the two ways to serve it.
        .target(name: "Milter", dependencies: ["MailSyntax"], swiftSettings: strict),
        .target(
            name: "LibmilterTransport",
            dependencies: ["CMilter", "Threads", "MailSyntax", "Milter"], swiftSettings: strict),
        .target(
            name: "MilterService",
            dependencies: [
                "Configuration", "ConnectionServer", "DaemonKit", "LibmilterTransport", "Milter",
            ],
            swiftSettings: strict),
        // Postfix's policy protocol: octets to requests, actions to octets.
        .target(
            name: "PolicyProtocol", dependencies: ["MailSyntax"], swiftSettings: strict),
        // The server of milters and of the policy service.
        .target(
            name: "ConnectionServer", dependencies: ["CLinux", "Threads"], swiftSettings: strict),
        // The configuration dialect, data sets and globs.
        .target(name: "Configuration", dependencies: ["MailSyntax"], swiftSettings: strict),
        // main.cf and master.cf.
        .target(name: "PostfixConfiguration", swiftSettings: strict),
        // What `signet setup` changes and publishes, and how it is undone.
        .target(
            name: "Setup",
            dependencies: ["HeaderScrub", "MailCrypto", "MailSyntax", "PostfixConfiguration"],
            swiftSettings: strict),
        // From other programs to ours.
        .target(
            name: "Migration", dependencies: ["MailSyntax", "PostfixConfiguration", "Setup"],
            swiftSettings: strict),
        // Whose mail it is: the policy that the milters share.
        .target(
            name: "Traffic", dependencies: ["Configuration", "MailSyntax"], swiftSettings: strict),
        .target(
            name: "DaemonKit", dependencies: ["CLinux", "Configuration", "Threads", "MailSyntax"],
            swiftSettings: strict),

        .target(
            name: "DaemonResolver", dependencies: ["Configuration", "MailDNS", "UnboundDNS"],
            swiftSettings: strict),

        .target(
            name: "HeaderScrub", dependencies: ["Configuration", "MailSyntax"],
            swiftSettings: strict),

        // What a daemon keeps of the messages it has decided about, and what it counts.
        .target(
            name: "FlightRecord", dependencies: ["CLinux", "Configuration", "Threads"],
            swiftSettings: strict),
        .target(
            name: "Metrics", dependencies: ["Configuration", "Threads"], swiftSettings: strict),
        // Both together, as a daemon uses them.
        .target(
            name: "Observation",
            dependencies: [
                "Configuration", "DaemonKit", "FlightRecord", "MailDNS", "MailSyntax", "Metrics",
                "Milter", "Threads", "Traffic",
            ], swiftSettings: strict),
        // The story of a message, out of the records and the MTA's log.
        .target(
            name: "Explanation", dependencies: ["FlightRecord"], swiftSettings: strict),

        // What the milter daemons share.
        .target(
            name: "MilterDaemon",
            dependencies: [
                "Configuration", "DaemonKit", "MailAuth", "MailSyntax", "Milter", "Observation",
                "Traffic",
            ],
            swiftSettings: strict),

        // A folder of DKIM keys, a domain each.
        .target(
            name: "DomainKeys",
            dependencies: ["Configuration", "MailCrypto", "MailSyntax", "Threads"],
            swiftSettings: strict),

        // Keys that are replaced: the steps, the disk, the DNS.
        .target(
            name: "KeyRotation",
            dependencies: [
                "CLinux", "Configuration", "DomainKeys", "MailAuth", "MailCrypto", "MailDNS",
                "MailSyntax", "Threads",
            ],
            swiftSettings: strict),

        .target(
            name: "ReportStore",
            dependencies: [
                "CPostgreSQL", "CSQLite", "Configuration", "DaemonKit", "MailSyntax", "Threads",
            ],
            swiftSettings: strict),

        // Reports that others send.
        .target(
            name: "ReportReading",
            dependencies: ["CArchive", "CExpat", "CJansson", "MailSyntax", "ReportStore"],
            swiftSettings: strict),
        // Reports about single messages that failed, without the XML of the others.
        .target(
            name: "FailureReports",
            dependencies: ["Configuration", "MailAuth", "MailCrypto", "MailSyntax", "Threads"],
            swiftSettings: strict),

        // What they mean, for people.
        .target(
            name: "ReportInsight", dependencies: ["MailSyntax", "ReportStore", "Reports"],
            swiftSettings: strict),

        // The programs.
        .executableTarget(
            name: "signet-dmarc",
            dependencies: [
                "Configuration", "DaemonKit", "DaemonResolver", "FailureReports", "FlightRecord",
                "MailAuth", "MailDNS", "MailEvaluation", "MailSyntax", "Milter", "MilterDaemon",
                "MilterService", "Observation", "ReportStore", "Threads", "Traffic", "UnboundDNS",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "signet-scrub",
            dependencies: [
                "Configuration", "DaemonKit", "FlightRecord", "HeaderScrub", "MailSyntax", "Milter",
                "MilterService", "Observation", "Threads", "Traffic",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "signet-dkim",
            dependencies: [
                "Configuration", "DaemonKit", "DaemonResolver", "DomainKeys", "FlightRecord",
                "MailAuth", "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Milter",
                "MilterDaemon", "MilterService", "Observation", "Threads", "Traffic", "UnboundDNS",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "signet-spf",
            dependencies: [
                "Configuration", "ConnectionServer", "DaemonKit", "DaemonResolver", "FlightRecord",
                "MailAuth", "MailDNS", "MailEvaluation", "MailSyntax", "Observation",
                "PolicyProtocol", "Threads",
                "UnboundDNS",
            ],
            swiftSettings: strict),
        .target(
            name: "Reports",
            dependencies: [
                "CLinux", "CXML2", "CZlib", "Configuration", "FailureReports", "MailAuth",
                "MailCrypto", "MailDNS", "MailSyntax", "ReportStore", "Threads",
            ],
            swiftSettings: strict),
        // What is wrong with a host, its configuration and its records.
        .target(
            name: "Doctor",
            dependencies: [
                "Configuration", "MailAuth", "MailCrypto", "MailDNS", "MailSyntax",
                "PostfixConfiguration", "Threads",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "signet",
            dependencies: [
                "DomainKeys", "KeyRotation",
                "Configuration", "DaemonKit", "DaemonResolver", "Doctor", "Explanation",
                "FailureReports", "FlightRecord", "HeaderScrub", "MailAuth", "MailCrypto",
                "MailDNS",
                "MailEvaluation", "MailSyntax", "Metrics", "Migration", "ReportInsight",
                "ReportReading", "ReportStore", "Reports", "Setup", "Threads", "UnboundDNS",
                argumentParser,
            ],
            swiftSettings: strict),

        // The test kit: fakes and private servers, used by every test target.
        .target(
            name: "TestKit", dependencies: ["MailSyntax", "MailDNS", "Threads"],
            path: "Tests/TestKit",
            swiftSettings: strict),
        // What the tests of several milters' sessions share.
        .target(
            name: "SessionTestKit", dependencies: ["Milter", "TestKit"],
            path: "Tests/SessionTestKit", swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "ReportStore", "signet",
                "signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf", "TestKit", "Threads",
            ],
            swiftSettings: strict),
        // Tests/Benchmarks/run.
        .executableTarget(
            name: "SignetBenchmark",
            dependencies: [
                "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "TestKit", "Threads",
            ],
            path: "Tests/Benchmarks",
            exclude: ["Floor", "NullFilter", "README.md", "SignetNull", "Store", "run"],
            sources: [
                "Blinding", "Milter", "DKIM", "DMARC", "Ratios", "SPF", "Scrub", "Soak",
                "Worst",
            ],
            swiftSettings: strict),
        // What it compares the daemons with: a floor in C, and filters that do nothing.
        .executableTarget(
            name: "Floor", path: "Tests/Benchmarks/Floor",
            linkerSettings: [.linkedLibrary("crypto")]),
        .executableTarget(
            name: "SignetNull", dependencies: ["Milter", "MilterService"],
            path: "Tests/Benchmarks/SignetNull", swiftSettings: strict),
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: [
                "MailAuth", "MailDNS", "MailSyntax", "ReportStore", "Reports", "Threads",
            ],
            path: "Tests/Benchmarks/Store", swiftSettings: strict),
        .executableTarget(
            name: "NullFilter", path: "Tests/Benchmarks/NullFilter",
            linkerSettings: [.linkedLibrary("milter")]),
        // What hostile octets are fed to, by the fuzzer (Tests/Fuzz/run) and by the tests.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Configuration", "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "Milter",
                "PolicyProtocol", "ReportReading", "ReportStore", "Threads",
            ],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        .testTarget(
            name: "FuzzRegressionTests",
            dependencies: ["FuzzTargets", "MailAuth", "MailCrypto", "MailSyntax"],
            swiftSettings: strict),
        // What packaging/demo shows.
        .executableTarget(
            name: "Demo", dependencies: ["signet", "signet-dkim", "signet-dmarc", "TestKit"],
            path: "Tests/Demo",
            swiftSettings: strict),
        .executableTarget(
            name: "MilterProbe", dependencies: ["Configuration", "Milter", "MilterService"],
            path: "Tests/MilterProbe",
            swiftSettings: strict),
        .executableTarget(
            name: "SPF2Witness", dependencies: ["CSPF2"], path: "Tests/SPF2Witness",
            swiftSettings: strict),
        .testTarget(
            name: "MilterTests", dependencies: ["MailSyntax", "Milter", "MilterProbe", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "FlightRecordTests",
            dependencies: ["Configuration", "FlightRecord", "TestKit", "Threads"],
            swiftSettings: strict),
        .testTarget(
            name: "MetricsTests", dependencies: ["Metrics", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "ExplanationTests", dependencies: ["Explanation", "FlightRecord", "TestKit"],
            exclude: ["stories.txt"], swiftSettings: strict),
        .testTarget(
            name: "PolicyProtocolTests", dependencies: ["PolicyProtocol", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SignetScrubTests",
            dependencies: [
                "Configuration", "DaemonKit", "HeaderScrub", "MailSyntax", "Milter", "TestKit",
                "signet-scrub",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReportStoreTests", dependencies: ["MailSyntax", "ReportStore", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SignetDMARCTests",
            dependencies: [
                "signet-dmarc", "Configuration", "DaemonKit", "DaemonResolver", "FailureReports",
                "FlightRecord", "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "Metrics",
                "Milter",
                "Observation", "ReportStore", "SessionTestKit", "TestKit", "Threads", "UnboundDNS",
            ],
            exclude: ["Attacks", "FromFields"], swiftSettings: strict),
        .testTarget(
            name: "MailSyntaxTests", dependencies: ["MailSyntax", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "MailAuthTests",
            dependencies: [
                "MailAuth", "MailCrypto", "MailDNS", "MailSyntax", "SPF2Witness", "TestKit",
                "Threads", "UnboundDNS", .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["DKIM/Tables", "DMARC/Tables"],
            swiftSettings: strict),
        .testTarget(
            name: "MailEvaluationTests",
            dependencies: [
                "MailAuth", "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Threads",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MailDNSTests", dependencies: ["MailDNS", "MailSyntax", "TestKit", "Threads"],
            swiftSettings: strict),
        .testTarget(
            name: "UnboundDNSTests",
            dependencies: ["MailDNS", "MailSyntax", "TestKit", "Threads", "UnboundDNS"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "MailSyntax", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "PostfixConfigurationTests", dependencies: ["PostfixConfiguration", "TestKit"],
            exclude: ["Files"], swiftSettings: strict),
        .testTarget(
            name: "SetupTests",
            dependencies: [
                "HeaderScrub", "MailCrypto", "MailSyntax", "PostfixConfiguration", "Setup",
                "TestKit", "signet", "signet-dkim", "signet-dmarc", "signet-scrub", "signet-spf",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MigrationTests",
            dependencies: [
                "Migration", "TestKit", "signet", "signet-dkim", "signet-dmarc", "signet-spf",
            ],
            swiftSettings: strict),
        // What each module may import.
        .testTarget(
            name: "ArchitectureTests", exclude: ["imports.txt"], swiftSettings: strict),
        .testTarget(
            name: "FailureReportsTests",
            dependencies: ["FailureReports", "MailCrypto", "MailSyntax", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ReportsTests",
            dependencies: [
                "Configuration", "FailureReports", "MailAuth", "MailDNS", "MailSyntax",
                "ReportStore", "Reports",
                "TestKit", "Threads",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReportInsightTests",
            dependencies: ["MailSyntax", "ReportInsight", "ReportStore", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ReportReadingTests",
            dependencies: ["MailSyntax", "ReportReading", "ReportStore", "TestKit"],
            exclude: ["samples.txt"], swiftSettings: strict),
        .testTarget(
            name: "DoctorTests",
            dependencies: [
                "Configuration", "Doctor", "MailCrypto", "MailDNS", "MailSyntax", "TestKit",
                "Threads",
            ],
            exclude: ["Faults", "Healthy"], swiftSettings: strict),
        .testTarget(
            name: "KeyRotationTests",
            dependencies: [
                "Configuration", "DomainKeys", "KeyRotation", "MailCrypto", "MailDNS",
                "MailSyntax", "TestKit", "Threads",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DomainKeysTests",
            dependencies: ["DomainKeys", "MailCrypto", "MailSyntax", "TestKit", "Threads"],
            swiftSettings: strict),
        .testTarget(
            name: "SignetTests",
            dependencies: [
                "signet", "MailAuth", "MailCrypto", "MailSyntax", "ReportStore", "TestKit",
            ],
            exclude: ["Transcripts"], swiftSettings: strict),
        .testTarget(name: "MailCryptoTests", dependencies: ["MailCrypto"], swiftSettings: strict),
        .testTarget(
            name: "ConnectionServerTests", dependencies: ["ConnectionServer", "Threads"],
            swiftSettings: strict),
        .testTarget(
            name: "DaemonKitTests",
            dependencies: ["Configuration", "DaemonKit", "DaemonProbe", "TestKit", "Threads"],
            swiftSettings: strict),
        .testTarget(
            name: "SignetDKIMTests",
            dependencies: [
                "Configuration", "DaemonKit", "DaemonResolver", "FlightRecord", "MailAuth",
                "MailCrypto", "MailDNS", "MailEvaluation", "MailSyntax", "Metrics", "Milter",
                "MilterDaemon", "Observation", "SessionTestKit", "TestKit", "UnboundDNS",
                "signet-dkim",
            ],
            exclude: ["OpenDKIM/deviations.txt", "OpenDKIM/witness.lua"], swiftSettings: strict),
        .testTarget(
            name: "SignetSPFTests",
            dependencies: [
                "Configuration", "ConnectionServer", "DaemonKit", "MailDNS", "MailSyntax",
                "PolicyProtocol", "TestKit", "signet-spf",
            ],
            swiftSettings: strict),
        // A daemon that does nothing but live: the tests of DaemonKit start, signal and stop it.
        .executableTarget(
            name: "DaemonProbe", dependencies: ["Configuration", "DaemonKit", "Threads"],
            path: "Tests/DaemonProbe",
            swiftSettings: strict),
    ]
)

// Tests/Fuzz/run sets this: libFuzzer brings its own main, so that nothing else can be built with
// it.
if Context.environment["SIGNET_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz",
            exclude: ["Corpora", "Regressions", "run"], swiftSettings: strict,
            linkerSettings: [.linkedLibrary("stdc++")]))
}

// For the one who works on a module: SIGNET_TEST_TARGETS="MailAuthTests MailDNSTests" leaves the other
// test targets out, so that `swift build --product signetPackageTests` builds what these need alone.
if let chosen = Context.environment["SIGNET_TEST_TARGETS"] {
    let names = chosen.split(separator: " ").map(String.init)
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}

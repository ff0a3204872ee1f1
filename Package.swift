// swift-tools-version: 6.2
import PackageDescription

// A target imports only targets of lower rank; `config/dev layers` holds every import to that.
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")

// What remote.bin is made of, and what makes it.
let remoteParts = [
    "build", "bytes", "files", "forwards", "link", "lists", "login", "main", "process", "session",
]

// A command over a shared connection takes little longer than a start, and scripts run hundreds. So
// nothing is exported (with -static-stdlib that would be 36,000 symbols, which the loader and
// libcrypto search each time), relocations are packed, and the C++ library is linked in.
let quickStart = [
    "-use-ld=lld", "-L\(Context.packageDirectory)/config/link",
    "-Xlinker", "--no-export-dynamic",
    "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
    "-Xclang-linker", "-static-libgcc",
]

let package = Package(
    name: "ec2sh",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "ec2sh", targets: ["ec2sh"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    ],
    targets: [
        // rank 0
        .target(name: "Faults"),
        .systemLibrary(
            name: "CLibSSH",
            pkgConfig: "libssh",
            providers: [.apt(["libssh-dev"]), .brew(["libssh"])]
        ),
        .target(name: "CCopy"),
        .target(name: "CReadAhead"),
        .target(name: "JSONText"),
        // rank 1
        .target(name: "Arguments", dependencies: ["Faults"]),
        .target(name: "SSHConfig", dependencies: ["Faults", crypto]),
        .target(name: "SessionManager", dependencies: ["JSONText", crypto]),
        .target(name: "Posix", dependencies: ["Faults"]),
        .target(
            name: "Resume",
            dependencies: ["Faults"],
            exclude: ["PROTOCOL.md"] + remoteParts.map { "Remote/\($0).py" },
            resources: [.embedInCode("Remote/remote.bin")]
        ),
        // rank 2
        .target(
            name: "AWS",
            dependencies: [
                "Faults", "JSONText", "Posix", crypto, nioCore, nioHTTP, nioPosix, nioSSL,
                httpClient,
            ]
        ),
        // rank 3
        .target(
            name: "SSH",
            dependencies: [
                "CLibSSH", "CReadAhead", "Faults", "Posix", "SSHConfig", crypto, cryptoExtras,
            ]
        ),
        .target(
            name: "EC2",
            dependencies: ["AWS", "Faults", "JSONText", "Posix", crypto],
            resources: [.embedInCode("Resources/users.json")]
        ),
        .target(
            name: "Ways",
            dependencies: [
                "AWS", "Faults", "JSONText", "Posix", "SSHConfig", "SessionManager", crypto,
                nioCore, nioHTTP, nioPosix, nioSSL, nioWebSocket,
            ]
        ),
        .target(name: "Terminal", dependencies: ["Faults", "Posix"]),
        // rank 4
        .target(
            name: "Client",
            dependencies: [
                "AWS", "Arguments", "EC2", "Faults", "JSONText", "Posix", "Resume", "SSH",
                "SSHConfig", "Terminal", "Ways",
            ]
        ),
        .target(
            name: "Diagnosis",
            dependencies: [
                "AWS", "Arguments", "Client", "EC2", "Faults", "JSONText", "Posix", "SSH",
                "SSHConfig", "Terminal", "Ways",
            ]
        ),
        // rank 5
        .executableTarget(
            name: "ec2sh",
            dependencies: [
                "CCopy", "Arguments", "Client", "Diagnosis", "Faults", "Posix", "SSHConfig",
                "Terminal",
            ],
            linkerSettings: [
                .unsafeFlags(
                    quickStart,
                    .when(platforms: [.linux], configuration: .release)
                )
            ]
        ),
        // tests
        .target(name: "TestSupport", dependencies: ["Faults"], path: "Tests/TestSupport"),
        .testTarget(name: "FaultsTests", dependencies: ["Faults"]),
        .testTarget(name: "ArgumentsTests", dependencies: ["Arguments", "TestSupport"]),
        .testTarget(name: "SSHConfigTests", dependencies: ["SSHConfig", "TestSupport"]),
        .testTarget(name: "PosixTests", dependencies: ["Posix"]),
        .testTarget(
            name: "SSHTests",
            dependencies: ["Faults", "Posix", "SSH", "SSHConfig", "TestSupport"]
        ),
        .testTarget(
            name: "AWSTests",
            dependencies: ["AWS", "Faults", "JSONText", "Posix", "TestSupport"]
        ),
        .testTarget(name: "JSONTextTests", dependencies: ["JSONText"]),
        .testTarget(
            name: "SessionManagerTests",
            dependencies: ["JSONText", "SessionManager", "TestSupport", crypto]
        ),
        .testTarget(
            name: "ResumeTests",
            dependencies: ["Resume", "TestSupport"],
            exclude: ["Remote"]
        ),
        .testTarget(
            name: "EC2Tests",
            dependencies: ["AWS", "EC2", "Faults", "JSONText", "Posix", "TestSupport", crypto]
        ),
        .testTarget(
            name: "WaysTests",
            dependencies: [
                "AWS", "Faults", "JSONText", "Posix", "SessionManager", "TestSupport", "Ways",
                nioCore, nioHTTP, nioPosix, nioSSL, nioWebSocket,
            ]
        ),
        .executableTarget(
            name: "TerminalDriver",
            dependencies: ["Faults", "Posix", "Terminal"],
            path: "Tests/TerminalDriver"
        ),
        .testTarget(
            name: "TerminalTests",
            dependencies: ["Faults", "Posix", "Terminal", "TerminalDriver", "TestSupport"]
        ),
        .testTarget(
            name: "ClientTests",
            dependencies: [
                "AWS", "Client", "EC2", "Faults", "Posix", "SSH", "SSHConfig", "TestSupport",
                "Ways",
            ]
        ),
        .testTarget(
            name: "DiagnosisTests",
            dependencies: ["AWS", "Diagnosis", "Faults", "JSONText"]
        ),
        .testTarget(name: "EndToEndTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]
for target in package.targets where target.type != .system {
    let isTest = target.path?.hasPrefix("Tests/") ?? (target.type == .test)
    target.swiftSettings = strict + (isTest ? [] : [.strictMemorySafety()])
}

// swift-tools-version: 6.2
import PackageDescription

// The libraries are rooms, each a product of its own; a room uses what stands before it:
// LinearAlgebra → Dynamics → Evidence (intervals, paired costs, verdicts) → Networks (what a model is) → Training (how it becomes one) → Structure → Forecasting
// → Drawing → Reporting → Findings (tables and words of what was found) → Laws (interactions, formulas, what is
// conserved) and Certificates (what provably holds), each used by its tool and by Study → Study. Scheduling, which
// Study uses too, knows batch systems and nothing of studies. CKernels is
// seen by LinearAlgebra alone. Interchange reads and writes values of
// Dynamics, Networks and Training; GraphDrawing knows nothing of networks. CommandSupport is what the tools share,
// and with them the only place that knows of a command line.
let libraries = [
  "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Training", "Structure", "Forecasting",
  "GraphDrawing",
  "Drawing", "Reporting", "Interchange", "Findings", "Scheduling", "Study",
]

/// Rooms that one tool and studies use: their tests need not wait for the others', nor those for them.
let ownRooms: KeyValuePairs<String, [Target.Dependency]> = [
  "Laws": [
    "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Structure", "Reporting", "Findings",
  ],
  "Certificates": [
    "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Structure", "Reporting", "Findings",
    .product(name: "HeapModule", package: "swift-collections"),
  ],
]

/// Each tool with what it uses beside what all of them do.
let tools: KeyValuePairs<String, [Target.Dependency]> = [
  "simulate": ["Reporting"],
  "data": ["Reporting", "Study"],
  "train": ["Networks", "Training", "Reporting"],
  "paths": ["Networks", "Structure", "Reporting"],
  "sensitivity": ["Networks", "Structure", "Reporting"],
  "agreement": ["Networks", "Structure"],
  "certify": [
    "Networks", "Structure", "Reporting", "Certificates",
    // A box may be written as YAML.
    .product(name: "Yams", package: "Yams"),
  ],
  "laws": ["Networks", "Structure", "GraphDrawing", "Drawing", "Laws", "Reporting"],
  "draw": ["Networks", "Structure", "GraphDrawing", "Drawing", "Reporting"],
  "forecast": ["Networks", "Training", "Forecasting", "Reporting"],
  "study": [
    "Networks", "Training", "Structure", "Reporting", "Study",
    .product(name: "SystemPackage", package: "swift-system"),
  ],
]

/// The programs of the package in Examples, built here as well: its tests run them without building the libraries
/// twice.
let examples: KeyValuePairs<String, [Target.Dependency]> = [
  "draw-model": [
    "LinearAlgebra", "Networks", "Structure", "Drawing", "GraphDrawing", "Interchange",
  ],
  "train-and-score": ["Dynamics", "Networks", "Training", "Structure", "Forecasting"],
  "own-plant": ["LinearAlgebra", "Dynamics", "Structure", "Interchange"],
  "own-penalty": ["Dynamics", "Training"],
]

let package = Package(
  name: "filigree",
  platforms: [.macOS(.v15)],
  products: (libraries + ownRooms.map(\.key)).map { .library(name: $0, targets: [$0]) }
    + tools.map { .executable(name: "filigree-\($0.key)", targets: ["filigree-\($0.key)"]) }
    + [.executable(name: "filigree", targets: ["filigree"])],
  dependencies: [
    // Command lines: parsing, help, completions.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // A heap for the strongest paths.
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    // ONNX files are protocol buffers.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    // SHA-256 of inputs in manifests and of what a study's parts depend on.
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    // File names taken apart: Foundation's way crashes on ".".
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    // Plans of studies are YAML, and complaints about them name the line.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // Reports are HTML: a template in which nothing is markup that was a name.
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    // gnuplot draws charts; Slurm takes jobs; tests start the real binaries.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    .target(name: "CKernels"),
    .target(name: "CFileSystem"),
    .systemLibrary(
      name: "CGraphviz", pkgConfig: "libgvc", providers: [.apt(["libgraphviz-dev"])]),
    .systemLibrary(name: "CNetCDF", pkgConfig: "netcdf", providers: [.apt(["libnetcdf-dev"])]),
    .target(name: "LinearAlgebra", dependencies: ["CKernels"]),
    .target(name: "Dynamics", dependencies: ["LinearAlgebra"]),
    .target(name: "Evidence", dependencies: ["LinearAlgebra"]),
    .target(name: "Networks", dependencies: ["LinearAlgebra", "Dynamics", "Evidence"]),
    .target(
      name: "Training",
      dependencies: ["LinearAlgebra", "Dynamics", "Networks", "Evidence", "Forecasting"]),
    .target(
      name: "Structure",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Evidence", "Networks",
        .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(name: "Forecasting", dependencies: ["LinearAlgebra", "Dynamics", "Networks"]),
    .target(name: "GraphDrawing", dependencies: ["CGraphviz"]),
    .target(
      name: "Drawing",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Structure", "GraphDrawing",
      ]),
    .target(
      name: "Reporting",
      dependencies: [
        "LinearAlgebra", "GraphDrawing",
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .target(
      name: "Interchange",
      dependencies: [
        "CNetCDF", "CFileSystem", "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Training",
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Yams", package: "Yams"),
      ],
      exclude: ["Generated/onnx.proto"]),
    .target(
      name: "Findings",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Training", "Structure",
        "Forecasting", "Reporting", "Interchange",
      ]),
    .target(
      name: "Scheduling",
      dependencies: [
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .target(
      name: "Study",
      dependencies: [
        "Scheduling",
        "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Training", "Structure",
        "Forecasting", "GraphDrawing", "Drawing", "Reporting", "Interchange", "Findings", "Laws",
        "Certificates",
        // The page of a table that was looked at.
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(
      name: "CommandSupport",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Evidence", "Networks", "Training", "Structure",
        "GraphDrawing", "Reporting", "Interchange", "Findings",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Yams", package: "Yams"),
      ]),
  ]
    + [
      // Run by Scripts/bench beside its peers in Python.
      .executableTarget(
        name: "training-benchmark", dependencies: ["CommandSupport", "Training"],
        path: "Benchmarks/Training",
        exclude: [
          "compare.py", "jax_peer.py", "pytorch_peer.py", "peers_common.py", "requirements.txt",
          "results.json", "results.md",
        ])
    ]
    + [
      // One name for all tools: `filigree train` starts filigree-train.
      .executableTarget(name: "filigree", dependencies: ["CommandSupport", "Reporting"])
    ]
    + tools.map {
      .executableTarget(
        name: "filigree-\($0.key)",
        dependencies: [
          "CommandSupport", "LinearAlgebra", "Dynamics", "Interchange", "Findings",
        ] + $0.value)
    }
    + examples.map {
      .executableTarget(
        name: "example-\($0.key)", dependencies: $0.value, path: "Examples/Sources/\($0.key)")
    }
    + ownRooms.map { .target(name: $0.key, dependencies: $0.value) }
    + ownRooms.map {
      .testTarget(
        name: "\($0.key)Tests",
        dependencies: ["TestSupport", .byName(name: $0.key)] + $0.value)
    }
    // A room is also tested against what others say of its values.
    + libraries.map {
      .testTarget(
        name: "\($0)Tests",
        dependencies: ["TestSupport"] + libraries.map { Target.Dependency.byName(name: $0) })
    }
    + [
      .target(
        name: "TestSupport", dependencies: ["LinearAlgebra", "Networks"], path: "Tests/TestSupport"),
      // Reads what Scripts/faults has damaged.
      .executableTarget(
        name: "fault-probe",
        dependencies: [
          "CommandSupport", "Dynamics", "LinearAlgebra", "Networks", "Training", "Reporting",
          "Interchange", "Findings", "Study",
        ], path: "Tests/FaultProbe"),
      .testTarget(
        name: "CommandTests",
        dependencies: [
          "TestSupport", "CommandSupport", "Interchange", "Reporting",
          .product(name: "Subprocess", package: "swift-subprocess"),
          .product(name: "SystemPackage", package: "swift-system"),
        ]),
    ],
  swiftLanguageModes: [.v6]
)

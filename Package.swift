// swift-tools-version: 6.2
import PackageDescription

// Every tool is a thin executable over the same few modules; dependencies point downwards:
// CKernels ← LinearAlgebra ← Dynamics ← Networks ← Interpretation ← Study; Interchange reads and writes
// their values; GraphDrawing knows nothing of networks.
let tools = ["simulate", "data", "train", "paths", "sensitivity", "agreement", "draw", "forecast", "study"]

let package = Package(
  name: "filigree",
  platforms: [.macOS(.v15)],
  products: tools.map { .executable(name: "filigree-\($0)", targets: ["filigree-\($0)"]) },
  dependencies: [
    // Command lines: parsing, help, completions.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Elementary functions as a protocol: one set of plant equations for values and dual numbers.
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
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
    // gnuplot draws charts; tests start the real binaries.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    .target(name: "CKernels"),
    .target(name: "CFileSystem"),
    .systemLibrary(
      name: "CGraphviz", pkgConfig: "libgvc", providers: [.apt(["libgraphviz-dev"])]),
    .systemLibrary(name: "CNetCDF", pkgConfig: "netcdf", providers: [.apt(["libnetcdf-dev"])]),
    // Dense systems are solved by LAPACK, of which OpenBLAS brings the fastest.
    .systemLibrary(
      name: "CLAPACK", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "LinearAlgebra",
      dependencies: [
        "CKernels", "CLAPACK", .product(name: "ComplexModule", package: "swift-numerics"),
        .product(name: "RealModule", package: "swift-numerics"),
      ]),
    .target(
      name: "Dynamics",
      dependencies: ["LinearAlgebra", .product(name: "RealModule", package: "swift-numerics")]),
    .target(name: "Networks", dependencies: ["LinearAlgebra", "Dynamics"]),
    .target(name: "GraphDrawing", dependencies: ["CGraphviz"]),
    .target(
      name: "Interpretation",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Networks", "GraphDrawing",
        .product(name: "ComplexModule", package: "swift-numerics"),
        .product(name: "RealModule", package: "swift-numerics"),
        .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(
      name: "Interchange",
      dependencies: [
        "CNetCDF", "CFileSystem", "LinearAlgebra", "Dynamics", "Networks",
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Generated/onnx.proto"]),
    .target(
      name: "Study",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Networks", "Interpretation", "Interchange", "GraphDrawing",
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "CommandSupport",
      dependencies: [
        "LinearAlgebra", "Dynamics", "Networks", "Interpretation", "Interchange", "GraphDrawing",
        "Study",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Yams", package: "Yams"),
      ]),
  ]
    + [
      // Run by Scripts/bench beside its peers in Python.
      .executableTarget(
        name: "training-benchmark", dependencies: ["CommandSupport"], path: "Benchmarks/Training",
        exclude: [
          "compare.py", "jax_peer.py", "pytorch_peer.py", "peers_common.py", "requirements.txt",
          "results.json", "results.md",
        ])
    ]
    + tools.map { .executableTarget(name: "filigree-\($0)", dependencies: ["CommandSupport"]) }
    + [
      "LinearAlgebra", "Dynamics", "Networks", "Interpretation", "GraphDrawing", "Interchange",
      "Study",
    ]
    .map { .testTarget(name: "\($0)Tests", dependencies: ["TestSupport", .byName(name: $0)]) }
    + [
      .target(name: "TestSupport", dependencies: ["LinearAlgebra"], path: "Tests/TestSupport"),
      .testTarget(
        name: "CommandTests",
        dependencies: [
          "TestSupport", "CommandSupport", "Interchange",
          .product(name: "Subprocess", package: "swift-subprocess"),
          .product(name: "SystemPackage", package: "swift-system"),
        ]),
    ],
  swiftLanguageModes: [.v6]
)

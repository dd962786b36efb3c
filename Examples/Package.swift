// swift-tools-version: 6.2
import PackageDescription

// Small programs over the libraries of Filigree, as a package of its own that depends on it by path. For yours,
// replace the path by the address of the repository.
let examples: KeyValuePairs = [
  "draw-model": [
    "LinearAlgebra", "Networks", "Structure", "Drawing", "GraphDrawing", "Interchange",
  ],
  "train-and-score": ["Dynamics", "Networks", "Training", "Structure", "Forecasting"],
  "own-plant": ["LinearAlgebra", "Dynamics", "Structure", "Interchange"],
  "own-penalty": ["Dynamics", "Training"],
]

let package = Package(
  name: "examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "filigree", path: "..")],
  targets: examples.map { name, libraries in
    .executableTarget(
      name: name, dependencies: libraries.map { .product(name: $0, package: "filigree") })
  },
  swiftLanguageModes: [.v6]
)

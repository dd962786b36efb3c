import LinearAlgebra

/// A fit with some of its parts removed.
struct SparseFit: Sendable {
  var maps: [RecursiveMap]
  var parameters: [Double]
}

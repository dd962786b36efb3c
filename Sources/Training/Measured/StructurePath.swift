import Dynamics
import LinearAlgebra
import Networks

/// Removes parts of a fit, the cheapest first, and refits the rest: products of a line or polynomial one by one;
/// from a network the inputs of a tower, each with everything that reads it.
struct StructurePath: Sendable {
  let record: MeasuredRecord
  let shape: FreeRunShape
  /// Of the runs that are fitted.
  let horizon: Int
  /// Steps that are fitted.
  let limit: Int

  /// Parts of all maps: the parameters that go together.
  private func parts(_ maps: [RecursiveMap]) -> [[Int]] {
    var first = 0
    var result: [[Int]] = []
    for map in maps {
      defer { first += map.parameterCount }
      let constant = map.products.firstIndex(of: [])
      guard shape.kind.isRandom else {
        result += map.products.indices.filter { $0 != constant }.map { [first + $0] }
        continue
      }
      for feature in map.read {
        var part = map.products.indices.filter { map.products[$0] == [feature] }
        for (unit, reads) in map.units.enumerated() {
          let place = map.firstParameter(ofUnit: unit)
          part += reads.indices.filter { reads[$0] == feature }.map { place + $0 }
        }
        result.append(part.map { first + $0 })
      }
    }
    return result
  }

  /// How many parts are removed at once: one in eight while there are many.
  private func batch(_ parts: Int) -> Int { max(1, parts / 8) }

  /// From the fit as it is to one part for each state; position k has had k removals.
  func run(_ start: SparseFit, without held: [MeasuredRecord.Stretch], positions: Int = .max)
    -> [SparseFit]
  {
    var path = [start]
    let free = record.freeRun(shape.features, without: held)
    let windows = record.windows(free, length: horizon, limit: limit)
    while path.count <= positions, let now = path.last {
      let parts = parts(now.maps)
      guard parts.count > now.maps.count, !Task.isCancelled else { break }
      let fit = FreeRunFit(free, now.maps, ridge: shape.kind.ridge)
      let costs = partCosts(parts, fit, now.parameters, windows)
      let order = parts.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
      let gone = Set(order.prefix(batch(parts.count)).flatMap { parts[$0] })
      let smaller = Self.removing(gone, from: now)
      let next = FreeRunFit(free, smaller.maps, ridge: shape.kind.ridge)
      let parameters =
        horizon == 1 && !shape.kind.isRandom
        ? next.oneStep(windows)
        : next.minimise(smaller.parameters, windows, attempts: 5).parameters
      path.append(SparseFit(maps: smaller.maps, parameters: parameters))
    }
    return path
  }

  /// w_Gᵀ ((C⁻¹)_GG)⁻¹ w_G: the rise of the loss without a group of parameters (Hassibi & Stork 1993).
  private func partCosts(
    _ parts: [[Int]], _ fit: FreeRunFit, _ theta: [Double], _ windows: [FreeRun.Window]
  ) -> [Double] {
    guard let inverse = fit.inverseCurvature(theta, windows) else {
      return parts.map { part in part.reduce(0) { $0 + theta[$1] * theta[$1] } }
    }
    return parts.map { part in
      let block = inverse.submatrix(rows: part, columns: part)
      let weights = part.map { theta[$0] }
      let solved = block.solvePositiveDefinite(weights) ?? weights
      return zip(weights, solved).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  private static func removing(_ gone: Set<Int>, from fit: SparseFit) -> SparseFit {
    var maps: [RecursiveMap] = []
    var parameters: [Double] = []
    var place = 0
    for map in fit.maps {
      var smaller = RecursiveMap(features: map.features, products: [], units: [])
      for product in map.products {
        if !gone.contains(place) {
          smaller.products.append(product)
          parameters.append(fit.parameters[place])
        }
        place += 1
      }
      for unit in map.units {
        var reads: [Int] = []
        var own: [Double] = []
        for feature in unit {
          if !gone.contains(place) {
            reads.append(feature)
            own.append(fit.parameters[place])
          }
          place += 1
        }
        // A unit that reads nothing is a constant, which there is already.
        if !reads.isEmpty {
          smaller.units.append(reads)
          parameters += own + fit.parameters[place...(place + 1)]
        }
        place += 2
      }
      maps.append(smaller)
    }
    return SparseFit(maps: maps, parameters: parameters)
  }
}

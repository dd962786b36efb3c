/// A small parametric function of features z, designed to be run on its own predictions: g(z) = Σ_k θ_k Π_{i ∈ k}
/// z_i + Σ_h w_h φ(c_h + Σ_i W_hi z_i) with φ(a) = a/(1 + e⁻ᵃ).
///
/// A line has products of at most one feature and no units; a polynomial has products of up to three; a tower with
/// a linear skip has the line's products and some units. The parameters are the θ in the order of the products;
/// then, unit by unit, W_h, c_h and w_h.
public struct RecursiveMap: Equatable, Sendable {
  public let features: Int
  /// Products of at most three features, each a list of feature numbers, repeated for powers; empty: the constant.
  public var products: [[Int]]
  /// The features that each unit reads.
  public var units: [[Int]]

  /// - Precondition: at most three factors, all of them features.
  public init(features: Int, products: [[Int]], units: [[Int]] = []) {
    precondition(products.allSatisfy { $0.count <= 3 && $0.allSatisfy { (0..<features) ~= $0 } })
    precondition(units.allSatisfy { $0.allSatisfy { (0..<features) ~= $0 } })
    self.features = features
    self.products = products
    self.units = units
  }

  public var parameterCount: Int { products.count + units.reduce(0) { $0 + $1.count + 2 } }

  /// Where a unit's own parameters begin.
  public func firstParameter(ofUnit unit: Int) -> Int {
    products.count + units[..<unit].reduce(0) { $0 + $1.count + 2 }
  }

  /// Whether a parameter makes the function nonlinear: those of units, and of products of several features.
  public var bends: [Bool] {
    products.map { $0.count > 1 } + units.flatMap { $0.map { _ in true } + [true, true] }
  }

  /// The features that are read, in order.
  public var read: [Int] { Array(Set(products.joined()).union(units.joined())).sorted() }
}

/// Workspace for evaluating a `RecursiveMap` with its derivatives. Code outside LinearAlgebra sees values only.
struct RecursiveWork {
  private let features: Int
  private let factors: [Int32]
  private let unitStarts: [Int32]
  private let unitFeatures: [Int32]
  private let productCount: Int

  init(_ map: RecursiveMap) {
    features = map.features
    productCount = map.products.count
    // A fourth "feature" behind the last is the number one.
    factors = map.products.flatMap { product in
      (0..<3).map { Int32($0 < product.count ? product[$0] : map.features) }
    }
    var starts: [Int32] = [0]
    for unit in map.units { starts.append((starts.last ?? 0) + Int32(unit.count)) }
    unitStarts = starts
    unitFeatures = map.units.joined().map(Int32.init)
  }

  /// g(z); where asked for, ∂g/∂θ and ∂g/∂z as well.
  ///
  /// - Parameters:
  ///   - z: the features and a one behind them.
  ///   - slopes: `features` + 1 numbers.
  @inline(__always) func value(
    _ theta: UnsafePointer<Double>, _ z: UnsafePointer<Double>, derivatives: Bool,
    gradient: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>
  ) -> Double {
    factors.withUnsafeBufferPointer { factors in
      unitFeatures.withUnsafeBufferPointer { reads in
        var sum = 0.0
        if derivatives { for index in 0...features { slopes[index] = 0 } }
        for product in 0..<productCount {
          let (i, j, k) = (
            Int(factors[3 * product]), Int(factors[3 * product + 1]), Int(factors[3 * product + 2])
          )
          let (a, b, c) = (z[i], z[j], z[k])
          let value = a * b * c
          let weight = theta[product]
          sum += weight * value
          guard derivatives else { continue }
          gradient[product] = value
          slopes[i] += weight * b * c
          slopes[j] += weight * a * c
          slopes[k] += weight * a * b
        }
        var place = productCount
        for unit in 0..<(unitStarts.count - 1) {
          let (first, last) = (Int(unitStarts[unit]), Int(unitStarts[unit + 1]))
          let count = last - first
          var a = theta[place + count]
          for index in 0..<count { a += theta[place + index] * z[Int(reads[first + index])] }
          let sigmoid = 1 / (1 + Double.exp(-a))
          let weight = theta[place + count + 1]
          sum += weight * a * sigmoid
          if derivatives {
            let slope = weight * sigmoid * (1 + a * (1 - sigmoid))
            for index in 0..<count {
              let feature = Int(reads[first + index])
              gradient[place + index] = slope * z[feature]
              slopes[feature] += slope * theta[place + index]
            }
            gradient[place + count] = slope
            gradient[place + count + 1] = a * sigmoid
          }
          place += count + 2
        }
        return sum
      }
    }
  }
}

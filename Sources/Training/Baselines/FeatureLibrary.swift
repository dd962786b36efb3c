import LinearAlgebra
import Networks

/// All products of at most `degree` inputs, the empty one included: the library of the regressions with which
/// networks are compared.
public struct FeatureLibrary: Equatable, Sendable {
  public let inputs: Int
  public let degree: Int
  /// The inputs of each product in ascending order, repeated for powers; first the constant, then by degree.
  public let terms: [[Int]]

  /// - Precondition: degree 1 to 3.
  public init(inputs: Int, degree: Int) {
    precondition((1...3).contains(degree))
    self.inputs = inputs
    self.degree = degree
    var terms: [[Int]] = [[]]
    var last: [[Int]] = [[]]
    for _ in 0..<degree {
      last = last.flatMap { term in ((term.last ?? 0)..<inputs).map { term + [$0] } }
      terms += last
    }
    self.terms = terms
  }

  /// The number of terms, without constructing them.
  public static func count(inputs: Int, degree: Int) -> Int {
    (1...degree).reduce(1) { count, d in count * (inputs + d) / d }
  }

  /// Σ coefficient · term as a network of one output. A product is the difference of two squares, ab = ((a + b)/2)²
  /// − ((a − b)/2)², so the network reads the factors and nothing else.
  func network(_ coefficients: [Double], name: String) -> Network {
    precondition(coefficients.count == terms.count)
    var assembly = Assembly(library: self, name: name)
    for (term, coefficient) in zip(terms, coefficients) where coefficient != 0 {
      assembly.add(coefficient, term)
    }
    return assembly.network
  }

  /// Units that are squares of sums, in two layers, and the output that adds them up.
  private struct Assembly {
    let library: FeatureLibrary
    let name: String
    var bias = 0.0
    var linear: [Double]
    /// Squares of sums of inputs, with what the output takes of each.
    var squares: [(inputs: [Double], weight: Double)] = []
    private var places: [[Double]: Int] = [:]
    /// Squares of sums of inputs and squares.
    var cubes: [(inputs: [Double], squares: [Int: Double], weight: Double)] = []

    init(library: FeatureLibrary, name: String) {
      self.library = library
      self.name = name
      linear = Array(repeating: 0, count: library.inputs)
    }

    private func sum(_ parts: [(input: Int, weight: Double)]) -> [Double] {
      var row = [Double](repeating: 0, count: library.inputs)
      for part in parts { row[part.input] += part.weight }
      return row
    }

    private mutating func square(_ row: [Double]) -> Int {
      if let place = places[row] { return place }
      places[row] = squares.count
      squares.append((row, 0))
      return squares.count - 1
    }

    /// ab as squares with their weights.
    private mutating func product(_ a: Int, _ b: Int) -> [Int: Double] {
      if a == b { return [square(sum([(a, 1)])): 1] }
      return [
        square(sum([(a, 0.5), (b, 0.5)])): 1, square(sum([(a, 0.5), (b, -0.5)])): -1,
      ]
    }

    mutating func add(_ coefficient: Double, _ term: [Int]) {
      switch term.count {
      case 0: bias += coefficient
      case 1: linear[term[0]] += coefficient
      case 2:
        for (place, weight) in product(term[0], term[1]) {
          squares[place].weight += coefficient * weight
        }
      default:
        let pair = product(term[0], term[1]).mapValues { $0 / 2 }
        cubes.append((sum([(term[2], 0.5)]), pair, coefficient))
        cubes.append((sum([(term[2], -0.5)]), pair, -coefficient))
      }
    }

    var network: Network {
      var layers: [Network.Layer] = []
      var output = [Network.Connection(source: .inputs, weight: Matrix([linear]))]
      if !squares.isEmpty {
        layers.append(
          Network.Layer(
            name: "\(name).squares", activation: .square,
            bias: squares.map { _ in 0 },
            connections: [.init(source: .inputs, weight: Matrix(squares.map(\.inputs)))]))
        output.append(.init(source: .layer(0), weight: Matrix([squares.map(\.weight)])))
      }
      if !cubes.isEmpty {
        let fromSquares = Matrix(rows: cubes.count, columns: squares.count) {
          cubes[$0].squares[$1] ?? 0
        }
        layers.append(
          Network.Layer(
            name: "\(name).cubes", activation: .square, bias: cubes.map { _ in 0 },
            connections: [
              .init(source: .layer(0), weight: fromSquares),
              .init(source: .inputs, weight: Matrix(cubes.map(\.inputs))),
            ]))
        output.append(.init(source: .layer(1), weight: Matrix([cubes.map(\.weight)])))
      }
      layers.append(
        Network.Layer(name: name, activation: .identity, bias: [bias], connections: output))
      return Network(
        inputCount: library.inputs, layers: layers, outputLayers: [layers.count - 1])
    }
  }
}

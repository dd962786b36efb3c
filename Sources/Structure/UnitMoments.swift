import Dynamics
import LinearAlgebra
import Networks

/// What the units of a network do over samples, and how its outputs respond to them: exact, by one sweep forwards and
/// one backwards from every output at every sample. `Double` throughout.
struct UnitMoments {
  let graph: EdgeList
  /// Per unit: standard deviation of its value over the samples.
  private(set) var deviation: [Double]
  /// Per unit: the straight line value ≈ offset + slope · z that is nearest over the samples, and how far the unit
  /// strays from it (root mean square).
  private(set) var lines: [(offset: Double, slope: Double, residual: Double)]
  /// Per unit: mean of its argument z.
  private(set) var meanArgument: [Double]
  /// Outputs × units: root mean square of ∂output/∂value, and mean of ∂output/∂z.
  private(set) var responseSize: Matrix
  private(set) var meanResponse: Matrix
  /// Outputs × inputs: mean J and mean |J|.
  private(set) var meanJacobian: Matrix
  private(set) var meanMagnitude: Matrix
  /// Per output: standard deviation of its value over the samples.
  var outputDeviation: [Double] { graph.outputs.map { deviation[$0] } }

  /// Visits of weights, above which samples are taken evenly spaced.
  private static let mostVisits = 400_000_000

  /// - Parameters:
  ///   - network: of standardised inputs and outputs.
  ///   - data: samples × inputs in physical units, at least one.
  ///   - scaling: of the inputs.
  init(_ network: Network, over data: Matrix, _ scaling: Standardisation) {
    precondition(data.rows > 0 && data.columns == network.inputCount)
    let graph = EdgeList(network)
    let behind = graph.outputs.map(graph.unitsBehind)
    let visits = graph.source.count + behind.joined().reduce(0) { $0 + graph.edges(into: $1).count }
    let step = max(1, (data.rows * max(1, visits) + Self.mostVisits - 1) / Self.mostVisits)
    var sums = Sums(units: graph.unitCount, outputs: behind.count, inputs: graph.inputCount)
    for row in stride(from: 0, to: data.rows, by: step) {
      sums.add(scaling.standardise(data.row(row)), graph, behind)
    }
    let count = Double(sums.count)
    self.graph = graph
    let moments = (0..<graph.unitCount).map { sums.moments($0) }
    deviation = moments.map(\.deviation)
    lines = moments.map { ($0.offset, $0.slope, $0.residual) }
    meanArgument = (0..<graph.unitCount).map { sums.meanArgument($0) }
    responseSize = sums.responseSquares.map { ($0 / count).squareRoot() }
    meanResponse = sums.responses.map { $0 / count }
    meanJacobian = sums.jacobian.map { $0 / count }
    meanMagnitude = sums.magnitude.map { $0 / count }
  }

  /// Sums over samples; those of values and arguments from the first sample's, so that little cancels.
  private struct Sums {
    var count = 0
    var responseSquares: Matrix
    var responses: Matrix
    var jacobian: Matrix
    var magnitude: Matrix
    private var first: (z: [Double], value: [Double]) = ([], [])
    private var z: [Double]
    private var value: [Double]
    private var products: [(zz: Double, zv: Double, vv: Double)]

    init(units: Int, outputs: Int, inputs: Int) {
      z = Array(repeating: 0, count: units)
      value = z
      products = Array(repeating: (0, 0, 0), count: units)
      responseSquares = Matrix(rows: outputs, columns: units)
      responses = responseSquares
      jacobian = Matrix(rows: outputs, columns: inputs)
      magnitude = jacobian
    }

    mutating func add(_ input: [Double], _ graph: EdgeList, _ behind: [[Int]]) {
      var values = input + graph.bias
      var slopes = graph.bias
      var arguments = graph.bias
      for unit in 0..<graph.unitCount {
        var sum = graph.bias[unit]
        for edge in graph.edges(into: unit) {
          sum += graph.weight[edge] * values[graph.source[edge]]
        }
        arguments[unit] = sum
        values[input.count + unit] = graph.activation[unit].value(sum)
        slopes[unit] = graph.activation[unit].slope(sum)
      }
      if count == 0 { first = (arguments, Array(values[input.count...])) }
      count += 1
      for unit in arguments.indices {
        let (a, b) = (
          arguments[unit] - first.z[unit], values[input.count + unit] - first.value[unit]
        )
        z[unit] += a
        value[unit] += b
        products[unit].zz += a * a
        products[unit].zv += a * b
        products[unit].vv += b * b
      }
      for output in behind.indices { sweep(output, graph, behind[output], slopes) }
    }

    private mutating func sweep(
      _ output: Int, _ graph: EdgeList, _ behind: [Int], _ slopes: [Double]
    ) {
      var deltas = [Double](repeating: 0, count: graph.inputCount + graph.unitCount)
      deltas[graph.inputCount + graph.outputs[output]] = 1
      for unit in behind {
        let delta = deltas[graph.inputCount + unit]
        responseSquares[output, unit] += delta * delta
        let response = delta * slopes[unit]
        responses[output, unit] += response
        for edge in graph.edges(into: unit) {
          deltas[graph.source[edge]] += graph.weight[edge] * response
        }
      }
      for input in 0..<graph.inputCount {
        jacobian[output, input] += deltas[input]
        magnitude[output, input] += abs(deltas[input])
      }
    }

    func meanArgument(_ unit: Int) -> Double { first.z[unit] + z[unit] / Double(count) }

    func moments(_ unit: Int) -> (
      deviation: Double, offset: Double, slope: Double, residual: Double
    ) {
      let all = Double(count)
      let (a, b) = (z[unit] / all, value[unit] / all)
      let (sum, squares) = (products[unit], 1 / all)
      let zz = max(0, sum.zz * squares - a * a)
      let vv = max(0, sum.vv * squares - b * b)
      let zv = sum.zv * squares - a * b
      let slope = zz > 0 ? zv / zz : 0
      let residual = max(0, vv - slope * zv).squareRoot()
      let offset = first.value[unit] + b - slope * (first.z[unit] + a)
      return (vv.squareRoot(), offset, slope, residual)
    }
  }
}

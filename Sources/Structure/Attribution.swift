import Dynamics
import LinearAlgebra
import Networks

/// What inputs contribute, by measures other than the Jacobian. Each answers a different question, and can mislead
/// in its own way.
public struct Attribution: Equatable, Sendable {
  public enum Measure: String, CaseIterable, Sendable, Codable {
    /// z_i J_oi with z = (x − μ)/σ: the slope at the sample times the distance from the training mean. Where the
    /// function is curved it is neither the effect of a small change nor that of the whole distance.
    case gradientInput = "gradient-input"
    /// z_i ∫₀¹ J_oi(t z) dt along the straight line from the training mean; Σ_i is f_o(z) − f_o(0) (Sundararajan,
    /// Taly, Yan 2017). It depends on where the line begins, and the line may pass through states that never occur.
    case integratedGradients = "integrated-gradients"
    /// Rise of the mean squared error of the rates, in units of their variances, when the samples of an input are
    /// shuffled (Breiman 2001). Shuffling one of several correlated inputs creates states that never occur, and
    /// information that several inputs share counts for none of them.
    case permutation
  }

  public var measure: Measure
  /// Outputs × inputs in standardised units: the mean magnitude of an attribution, or the rise in error.
  public var mean: Matrix
  public var samples: Int
  /// Integrated gradients: the largest |Σ_i − (f(z) − f(0))| of any sample, ideally zero.
  public var completenessGap: Double?

  // MARK: Along slopes

  /// - Parameters:
  ///   - model: whose rates are explained.
  ///   - inputs: samples × inputs in physical units, at least one.
  public static func gradientInput(_ model: Model, over inputs: Matrix) -> Attribution {
    let evaluator = JacobianEvaluator(model.network)
    return average(.gradientInput, model, inputs) { z in
      let jacobian = evaluator.jacobian(z)
      return (Matrix(rows: jacobian.rows, columns: z.count) { z[$1] * jacobian[$0, $1] }, 0)
    }
  }

  /// Exact for ReLU: the slopes are constant between the points at which a unit switches. For smooth activations
  /// Gauss-Legendre quadrature of eight points on 1, 2, 4, … 256 stretches, until the sum is right to 1e-9.
  ///
  /// - Parameters:
  ///   - model: whose rates are explained.
  ///   - inputs: samples × inputs in physical units, at least one.
  public static func integratedGradients(_ model: Model, over inputs: Matrix) -> Attribution {
    let way = StraightWay(model.network)
    return average(.integratedGradients, model, inputs) { way.attribution(of: $0) }
  }

  private static func average(
    _ measure: Measure, _ model: Model, _ inputs: Matrix,
    _ attribution: ([Double]) -> (Matrix, gap: Double)
  ) -> Attribution {
    var sum = Matrix(rows: model.outputs.count, columns: model.inputs.count)
    var gap = 0.0
    for row in 0..<inputs.rows {
      let (found, missing) = attribution(model.inputScaling.standardise(inputs.row(row)))
      sum += found.map(abs)
      gap = max(gap, missing)
    }
    let count = Double(inputs.rows)
    return Attribution(
      measure: measure, mean: sum.map { $0 / count }, samples: inputs.rows,
      completenessGap: measure == .integratedGradients ? gap : nil)
  }

  // MARK: By shuffling

  /// - Parameters:
  ///   - model: whose rates are explained.
  ///   - inputs: samples × inputs in physical units.
  ///   - rates: samples × outputs: the true values of the outputs, in physical units.
  ///   - orders: permutations of the samples, over which the mean is taken.
  public static func permutation(
    _ model: Model, over inputs: Matrix, rates: Matrix, orders: [[Int]]
  ) -> Attribution {
    let evaluator = JacobianEvaluator(model.network)
    var workspace = JacobianEvaluator.Workspace(evaluator)
    let outputs = model.outputs.count
    let standardised = (0..<inputs.rows).map { model.inputScaling.standardise(inputs.row($0)) }
    let targets = (0..<inputs.rows).map { model.outputScaling.standardise(rates.row($0)) }
    /// Mean squared errors of the outputs with the values of an input from other samples.
    func errors(_ input: Int, _ order: [Int]) -> [Double] {
      var sums = [Double](repeating: 0, count: outputs)
      for (row, var z) in standardised.enumerated() {
        z[input] = standardised[order[row]][input]
        let values = evaluator.values(z, workspace: &workspace)
        for output in 0..<outputs {
          let error = values[output] - targets[row][output]
          sums[output] += error * error
        }
      }
      return sums.map { $0 / Double(standardised.count) }
    }
    let base = errors(0, Array(standardised.indices))
    var rise = Matrix(rows: outputs, columns: model.inputs.count)
    for input in model.inputs.indices {
      for order in orders {
        for (output, error) in errors(input, order).enumerated() {
          rise[output, input] += (error - base[output]) / Double(orders.count)
        }
      }
    }
    return Attribution(measure: .permutation, mean: rise, samples: inputs.rows)
  }
}

/// The straight line from the origin to a point, and the mean slopes along it.
private struct StraightWay {
  private let evaluator: JacobianEvaluator
  private let graph: EdgeList
  /// Whether all slopes are constant between switches of units.
  private let isPiecewise: Bool

  init(_ network: Network) {
    evaluator = JacobianEvaluator(network)
    graph = EdgeList(LiveStructure(network).network)
    isPiecewise = graph.activation.allSatisfy { [.relu, .identity].contains($0) }
  }

  func attribution(of z: [Double]) -> (Matrix, gap: Double) {
    var workspace = JacobianEvaluator.Workspace(evaluator)
    let end = evaluator.values(z, workspace: &workspace)
    let begin = evaluator.values(z.map { _ in 0 }, workspace: &workspace)
    func gap(_ found: Matrix) -> Double {
      found.rowsSummed.enumerated().reduce(0) {
        max($0, abs($1.element - (end[$1.offset] - begin[$1.offset])))
      }
    }
    if isPiecewise {
      let points = [0] + switches(z) + [1]
      let found = integral(
        z, nodes: zip(points, points.dropFirst()).map { (($0 + $1) / 2, $1 - $0) })
      return (found, gap(found))
    }
    let scale = zip(begin, end).reduce(1) { max($0, abs($1.1 - $1.0)) }
    var stretches = 1
    while true {
      let found = integral(z, nodes: Self.gaussLegendre(stretches))
      let missing = gap(found)
      if missing <= 1e-9 * scale || stretches == 256 { return (found, missing) }
      stretches *= 2
    }
  }

  /// z_i Σ weight · J_oi(t z).
  private func integral(_ z: [Double], nodes: [(t: Double, weight: Double)]) -> Matrix {
    var workspace = JacobianEvaluator.Workspace(evaluator)
    var jacobian = Matrix(rows: evaluator.outputCount, columns: z.count)
    var sum = jacobian
    for (t, weight) in nodes {
      evaluator.evaluate(z.map { t * $0 }, workspace: &workspace, into: &jacobian)
      for index in sum.elements.indices { sum.elements[index] += weight * jacobian.elements[index] }
    }
    return Matrix(rows: sum.rows, columns: sum.columns) { z[$1] * sum[$0, $1] }
  }

  /// Where on the line, 0 < t < 1, a ReLU switches. Between two switches every pre-activation is linear in t.
  private func switches(_ z: [Double]) -> [Double] {
    var found: [Double] = []
    var t = 0.0
    while let next = nextSwitch(z, after: t), next < 1 {
      // Units may switch together, to rounding.
      t = max(next, t.nextUp)
      found.append(t)
    }
    return found
  }

  private func nextSwitch(_ z: [Double], after t: Double) -> Double? {
    // Values and their change with t just after t, inputs first.
    var value = z.map { t * $0 } + graph.bias
    var change = z + graph.bias.map { _ in 0 }
    var next: Double?
    for unit in 0..<graph.unitCount {
      var (sum, slope, size) = (graph.bias[unit], 0.0, abs(graph.bias[unit]))
      for edge in graph.edges(into: unit) {
        let term = graph.weight[edge] * value[graph.source[edge]]
        sum += term
        size += abs(term)
        slope += graph.weight[edge] * change[graph.source[edge]]
      }
      let node = z.count + unit
      guard graph.activation[unit] == .relu else {
        (value[node], change[node]) = (sum, slope)
        continue
      }
      // What is zero to rounding has switched just now.
      let isAtKink = abs(sum) <= 1e-13 * size
      let isOn = isAtKink ? slope > 0 : sum > 0
      (value[node], change[node]) = isOn ? (sum, slope) : (0, 0)
      if !isAtKink && sum * slope < 0 {
        let switches = t - sum / slope
        next = min(next ?? .infinity, switches)
      }
    }
    return next
  }

  /// Nodes and weights on [0, 1] in equal stretches of eight points.
  private static func gaussLegendre(_ stretches: Int) -> [(t: Double, weight: Double)] {
    let half: [(x: Double, weight: Double)] = [
      (0.183_434_642_495_649_8, 0.362_683_783_378_362_0),
      (0.525_532_409_916_329_0, 0.313_706_645_877_887_3),
      (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
      (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
    ]
    let width = 1 / Double(stretches)
    var nodes: [(t: Double, weight: Double)] = []
    for stretch in 0..<stretches {
      for node in half {
        for x in [-node.x, node.x] {
          let t = (Double(stretch) + (1 + x) / 2) * width
          nodes.append((t, node.weight / 2 * width))
        }
      }
    }
    return nodes
  }
}

extension Matrix {
  fileprivate var rowsSummed: [Double] { (0..<rows).map { row($0).reduce(0, +) } }
}

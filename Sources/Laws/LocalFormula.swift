import Dynamics
import LinearAlgebra
import Networks
import Reporting
import Structure

/// The affine formula of a model at a point, y = c + Σ aᵢ xᵢ in physical units, with how far it holds.
public struct LocalFormula: Encodable, Sendable {
  public struct Output: Encodable, Sendable {
    public var output: String
    public var value: Double
    public var constant: Double
    /// Per input of the model.
    public var slopes: [Double]
    /// The shortest way along one input, in its deviations, over which the slopes (standardised) change by a tenth of
    /// their length; nil where none up to `reach` does.
    public var distance: Double?
    /// Which input that is.
    public var along: String?
  }

  /// How far is looked, in deviations.
  public static let reach = 3.0

  public let inputs: [String]
  public let point: [Double]
  public let outputs: [Output]

  /// - Parameters:
  ///   - ensemble: whose members' mean is taken.
  ///   - point: of its inputs, in physical units.
  public init(_ ensemble: Ensemble, at point: [Double]) {
    let slopes = MeanSlopes(ensemble)
    let here = slopes.at(point)
    let values = MeanModel(ensemble).outputs(point)
    let distances = slopes.distances(from: point, here)
    inputs = ensemble.inputs.map(\.name)
    self.point = point
    outputs = values.indices.map { output in
      let own = Array(here.row(output))
      var constant = values[output]
      for (slope, value) in zip(own, point) { constant -= slope * value }
      return Output(
        output: ensemble.outputs[output].name, value: values[output], constant: constant,
        slopes: own, distance: distances[output]?.length,
        along: (distances[output]?.input).map { ensemble.inputs[$0].name })
    }
  }

  /// One row per output.
  public func table(_ ensemble: Ensemble) -> Table {
    var table = Table(
      title: "Affine formulas at the point, in physical units (mean of the members)",
      columns: ["constant"] + inputs + ["holds over", "along"],
      rows: outputs.enumerated().map { index, output in
        (
          ensemble.members[0].label(ofOutput: index),
          [.number(output.constant)]
            + output.slopes.map { $0 == 0 ? .trueZero : .number($0) }
            + [
              output.distance.map { .number($0) } ?? .text("> \(Int(Self.reach))"),
              output.along.map { .text($0) } ?? .missing,
            ]
        )
      })
    table.hasThreeDigits = true
    table.notes = [
      "Holds over: the shortest way along one input, in its standard deviations, over which the slopes change by a "
        + "tenth."
    ]
    return table
  }
}

/// The mean of the members' Jacobians in physical units.
private struct MeanSlopes {
  private let members: [(model: Model, evaluator: JacobianEvaluator)]
  private let deviations: [Double]

  /// Lengths at which slopes are looked at, in deviations: a geometric grid finds the first change, wherever slopes
  /// change back later.
  private static let lengths = (0...40).map {
    LocalFormula.reach * Double.exp(-0.2 * Double(40 - $0))
  }

  init(_ ensemble: Ensemble) {
    members = ensemble.members.map { ($0, JacobianEvaluator($0.network)) }
    deviations = ensemble.members[0].inputScaling.deviation
  }

  /// Outputs × inputs.
  func at(_ point: [Double]) -> Matrix {
    let all = members.map { model, evaluator in
      model.physical(evaluator.jacobian(model.inputScaling.standardise(point)))
    }
    return all.dropFirst().reduce(all[0]) { $0 + $1 }.map { $0 / Double(all.count) }
  }

  /// Per output the shortest way along one input over which its slopes change by a tenth of their length.
  func distances(from point: [Double], _ here: Matrix) -> [(length: Double, input: Int)?] {
    let ways = point.indices.flatMap { [($0, -1.0), ($0, 1.0)] }
    var shortest = [(length: Double, input: Int)?](repeating: nil, count: here.rows)
    for (input, direction) in ways {
      for length in Self.lengths {
        let open = shortest.indices.filter { shortest[$0].map { length < $0.length } ?? true }
        if open.isEmpty { break }
        var moved = point
        moved[input] += direction * length * deviations[input]
        let change = at(moved) - here
        for output in open where size(change, output) > 0.1 * size(here, output) {
          shortest[output] = (length, input)
        }
      }
    }
    return shortest
  }

  /// The length of an output's slopes, standardised by the inputs.
  private func size(_ slopes: Matrix, _ output: Int) -> Double {
    var sum = 0.0
    for (column, deviation) in deviations.enumerated() {
      let part = slopes[output, column] * deviation
      sum += part * part
    }
    return sum.squareRoot()
  }
}

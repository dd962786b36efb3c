import Dynamics
import Evidence
import LinearAlgebra

/// A network with everything that makes it a model of a plant: the variables, their standardisation, the time step.
/// In physical units it computes rate = μ_y + σ_y · f((z − μ_z)/σ_z).
public struct Model: Equatable, Sendable {
  public var network: Network
  /// What the network reads, in order: states, then controls.
  public var inputs: [Variable]
  /// What it predicts: rates of the states, in order, unless `predicts` says otherwise. An output carries the name
  /// of its state.
  public var outputs: [Variable]
  public var inputScaling: Standardisation
  public var outputScaling: Standardisation
  /// Δt in seconds of the training data, if known.
  public var timeStep: Double?
  /// Least and largest value of each input in the training data, in its unit, if known.
  public var inputRanges: [ClosedRange<Double>]?
  /// The options of its training, for captions and records.
  public var recipe: [String: String]
  /// Whether names were made up because the file has none.
  public var hasMadeUpNames = false
  /// What its outputs are.
  public var predicts = Prediction.rate

  public init(
    network: Network, inputs: [Variable], outputs: [Variable], inputScaling: Standardisation,
    outputScaling: Standardisation, timeStep: Double?, recipe: [String: String] = [:]
  ) {
    precondition(network.inputCount == inputs.count && inputs.count == inputScaling.count)
    precondition(network.outputCount == outputs.count && outputs.count == outputScaling.count)
    self.network = network
    self.inputs = inputs
    self.outputs = outputs
    self.inputScaling = inputScaling
    self.outputScaling = outputScaling
    self.timeStep = timeStep
    self.recipe = recipe
  }

  /// Rates of the states per second, from states and controls, in physical units.
  public func rates(_ input: some Collection<Double>) -> [Double] {
    outputScaling.restore(network.evaluate(inputScaling.standardise(input)))
  }

  /// Samples far outside the training data: further beyond an input's range than a tenth of its width. There the
  /// model extrapolates.
  ///
  /// - Parameter points: samples × inputs in physical units.
  /// - Returns: the share of samples outside, in total and for each input; nil if the ranges are unknown.
  public func outside(_ points: Matrix) -> (share: Double, byInput: [Double])? {
    guard let inputRanges, points.rows > 0 else { return nil }
    let bounds = inputRanges.map { range in
      let margin = 0.1 * (range.upperBound - range.lowerBound)
      return (range.lowerBound - margin)...(range.upperBound + margin)
    }
    var count = 0
    var counts = [Int](repeating: 0, count: bounds.count)
    for row in 0..<points.rows {
      var isOutside = false
      for (column, value) in points.row(row).enumerated() where !bounds[column].contains(value) {
        counts[column] += 1
        isOutside = true
      }
      if isOutside { count += 1 }
    }
    let all = Double(points.rows)
    return (Double(count) / all, counts.map { Double($0) / all })
  }

  public func cut(_ magnitude: Double) -> Model {
    var result = self
    result.network = network.cut(magnitude)
    return result
  }
}

/// Models of the same variables, trained alike except for their random streams.
public struct Ensemble: Sendable {
  public var name: String
  public var members: [Model]
  /// What was found, folded and assumed when the first member's file was read, line by line.
  public var report: [String] = []
  /// Whether the members were found without a list of them.
  public var isGuessed = false
  /// Whether each member learnt from a random half of the trajectories.
  public var isOfHalves = false
  /// The members' common evidence on every pair from their training.
  public var evidence: EnsembleEvidence?

  /// - Precondition: at least one member.
  public init(name: String, members: [Model]) {
    precondition(!members.isEmpty)
    self.name = name
    self.members = members
  }

  public var inputs: [Variable] { members[0].inputs }
  public var outputs: [Variable] { members[0].outputs }

  /// The first member whose variables differ from those of member 0, if any.
  public var oddMember: Int? {
    members.firstIndex {
      $0.inputs.map(\.name) != inputs.map(\.name) || $0.outputs.map(\.name) != outputs.map(\.name)
    }
  }
}

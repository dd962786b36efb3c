import LinearAlgebra
import Networks

/// The networks of a member that are delivered, and why.
struct FreeRunDelivery: Sendable {
  var trained: [GroupTraining.Trained]
  /// Nil where there was no choice.
  var choice: FreeRunChoice?
}

extension EnsembleTraining {
  /// Lets free runs decide what a member delivers. Networks that keep to the data less well than a line, or than no
  /// change, are replaced by what keeps to them better.
  ///
  /// - Parameters:
  ///   - finished: the member's networks.
  ///   - all: those of all members before inputs were eliminated.
  ///   - member: its number.
  ///   - material: what it learns from.
  /// - Throws: `CancellationError`.
  func deliver(
    _ finished: [GroupTraining.Trained], before all: [GroupTraining.Trained], of member: Int,
    _ material: Material
  ) throws -> FreeRunDelivery {
    let networks = finished.compactMap(\.network)
    guard recipe.isCrossFitted, let refinement = material.refinement, let judge = refinement.judge,
      !networks.isEmpty, networks.count == finished.count
    else { return FreeRunDelivery(trained: finished) }
    try Task.checkCancellation()
    let refiner = Refinement(recipe: recipe, material: refinement)
    func error(_ networks: [Network]) -> Double { judge.error(of: model(networks, material.set)) }
    let line = refiner.line(networks)
    var candidates = [FreeRunChoice.Kind.networks: networks, .line: line]
    var errors = [
      FreeRunChoice.Kind.networks: error(networks), .line: error(line),
      .persistence: judge.error(
        of: .persistence(inputs: material.set.features, outputs: material.set.targets)),
    ]
    if !FreeRunChoice.suffices(errors) {
      (candidates[.steadied], errors[.steadied]) = try refiner.steadied(networks, error: error)
      let dense = all.filter { $0.history.problem.member == member }.compactMap(\.network)
        .map(\.inSinglePrecision)
      if dense.count == networks.count {
        (candidates[.dense], errors[.dense]) = (dense, error(dense))
      }
    }
    let choice = FreeRunChoice(
      member: member, errors: errors, delivered: FreeRunChoice.best(errors))
    var trained = finished
    for (index, network) in (candidates[choice.delivered] ?? networks).enumerated() {
      trained[index].network = network
    }
    return FreeRunDelivery(trained: trained, choice: choice)
  }
}

extension Refinement.Material {
  /// Nil for lagged data, and for those in which there is no run.
  fileprivate var judge: FreeRunJudge? {
    guard smoothing.data.laggedFeatures == nil else { return nil }
    return FreeRunJudge(
      smoothing.data, scale: Array(set.inputScaling.deviation.prefix(set.targets.count)))
  }
}

extension Refinement {
  /// Of each network the direct weights from the inputs that it reads, by least squares.
  fileprivate func line(_ networks: [Network]) -> [Network] {
    var first = 0
    return networks.map { network in
      let targets = first..<(first + network.outputCount)
      first = targets.upperBound
      return fitting(2)
        .fit(network.linearPart(of: network.readInputs), material.all.targets(targets))
        .network.inSinglePrecision
    }
  }

  /// The networks fitted to the way back from where their free runs stray to, in three rounds, each with the rows of
  /// those before; the round with the least error, and that error.
  ///
  /// - Throws: `CancellationError`.
  fileprivate func steadied(_ networks: [Network], error: ([Network]) -> Double) throws
    -> ([Network]?, Double?)
  {
    var best: ([Network]?, Double?) = (nil, nil)
    var current = networks
    var rows = material.all
    let steadying = Steadying(
      data: material.smoothing.data, inputScaling: material.set.inputScaling,
      outputScaling: material.set.outputScaling)
    for _ in 0..<3 {
      guard let strayed = steadying.rows({ rates(current, $0) }) else { break }
      rows = rows.followed(by: strayed)
      current = try fit(current, rows, attempts: recipe.finish).map(\.inSinglePrecision)
      let found = error(current)
      if found < best.1 ?? .infinity { best = (current, found) }
    }
    return best
  }
}

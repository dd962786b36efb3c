import LinearAlgebra
import Networks

/// How the networks that one member delivers were chosen by their free runs.
public struct FreeRunChoice: Equatable, Sendable {
  /// What a member can deliver, from what is preferred to what is the last resort.
  public enum Kind: String, CaseIterable, Sendable {
    /// The networks as they are after elimination and the last fit.
    case networks
    /// The same, fitted also to the way back from where their free runs strayed to.
    case steadied
    /// The networks with all inputs, before elimination.
    case dense = "before elimination"
    /// Direct weights from the same inputs.
    case line
    /// That nothing changes: never delivered, but what is must beat it.
    case persistence = "no change"
  }

  public var member: Int
  /// The mean of |e|/σ of free runs (see `FreeRunJudge`), of those that were tried.
  public var errors: [Kind: Double]
  public var delivered: Kind

  /// A candidate takes the place of one that is preferred if its error is below this share of the other's.
  static let gain = 1 / 1.05
  /// Errors below this are never worth a replacement.
  static let negligible = 0.01

  /// - Parameter errors: of those that were tried.
  package static func best(_ errors: [Kind: Double]) -> Kind {
    Kind.allCases.filter { $0 != .persistence }.reduce(.networks) { chosen, next in
      guard let now = errors[chosen], let other = errors[next], now > negligible else {
        return chosen
      }
      return other < gain * now ? next : chosen
    }
  }

  /// Whether networks need no replacement: they are hardly worse than a line, and than that nothing changes.
  package static func suffices(_ errors: [Kind: Double]) -> Bool {
    let networks = errors[.networks] ?? .infinity
    let others = [errors[.line], errors[.persistence]].compactMap { $0 }
    return networks <= negligible || others.allSatisfy { networks <= $0 / gain }
  }
}

/// The networks of a member that are delivered, and why.
struct FreeRunDelivery: Sendable {
  var trained: [GroupTraining.Trained]
  /// Nil where there was no choice.
  var choice: FreeRunChoice?
}

extension EnsembleTraining {
  /// Lets free runs decide what a member delivers. Networks that run away, or keep to the data less well than a line or
  /// than no change, are replaced by what keeps to them better.
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
    var candidates = [FreeRunChoice.Kind.networks: networks, .line: refiner.line(networks)]
    var errors = candidates.mapValues(error)
    let (inputs, outputs) = (material.set.features, material.set.targets)
    let still = judge.error(of: .persistence(inputs: inputs, outputs: outputs))
    errors[.persistence] = still
    if !FreeRunChoice.suffices(errors) {
      candidates[.steadied] = try refiner.steadied(networks, error: error)
      candidates[.dense] = all.filter { $0.history.problem.member == member }.compactMap(\.network)
        .map { $0.mapParameters { Double(Float($0)) } }
      errors = candidates.filter { $1.count == networks.count }.mapValues(error)
      errors[.persistence] = still
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
  var judge: FreeRunJudge? {
    guard smoothing.data.laggedFeatures == nil else { return nil }
    return FreeRunJudge(
      smoothing.data, scale: Array(set.inputScaling.deviation.prefix(set.targets.count)))
  }
}

extension Refinement {
  /// Of each network the direct weights from the inputs that it reads, by least squares.
  func line(_ networks: [Network]) -> [Network] {
    var first = 0
    return networks.map { network in
      let targets = first..<(first + network.outputCount)
      first = targets.upperBound
      return fitting(2)
        .fit(network.linearPart(of: network.readInputs), material.all.targets(targets))
        .network.mapParameters { Double(Float($0)) }
    }
  }

  /// The networks fitted to the way back from where their free runs stray to, in a few rounds, each with the rows of
  /// those before; the round with the least error.
  func steadied(_ networks: [Network], error: ([Network]) -> Double) throws -> [Network] {
    var (best, least) = (networks, error(networks))
    var current = networks
    var rows = material.all
    let steadying = Steadying(
      data: material.smoothing.data, inputScaling: material.set.inputScaling,
      outputScaling: material.set.outputScaling)
    for _ in 0..<3 {
      guard let strayed = steadying.rows({ rates(current, $0) }) else { break }
      rows = rows.followed(by: strayed)
      current = try fit(current, rows, attempts: recipe.finish)
        .map { $0.mapParameters { Double(Float($0)) } }
      let found = error(current)
      if found < least { (best, least) = (current, found) }
    }
    return best
  }
}

import LinearAlgebra
import Networks

/// What makes weights vanish during training: a name, what it does to Adam's steps, and what it does besides.
///
/// Each is a value in a file of its own, listed in `allCases`; one that follows from a `Penalty` needs nothing else:
/// see `init(name:meaning:penalty:)`.
public struct Sparsifier: Sendable {
  /// What says how many weights vanish.
  public enum Amount: Sendable {
    case nothing
    /// λ, `Recipe.strength`.
    case strength
    /// The share that stays, `Recipe.density`.
    case density
  }

  /// At which steps the gradient of every weight is computed and the mask may change; see `Trainer`.
  enum FullSteps: Sendable {
    case all
    /// The first of an epoch and every `Recipe.revisit`-th after it.
    case revisits
    /// These, and all of the last epoch, so that the weights that survive are those that survive ordinary steps.
    case revisitsAndLastEpoch
  }

  public let name: String
  /// In a few words, for lists of all.
  public let meaning: String
  public let amount: Amount
  /// Whether weights become exactly zero, so that it pays to train on the others alone.
  public let selects: Bool
  /// What Adam's own step does.
  var adam = AdamStep.Penalty.none
  var fullSteps = FullSteps.revisitsAndLastEpoch
  /// The share of the steps after which the mask stays.
  var settles = 0.0
  /// Whether a training starts with a random `Recipe.density` of each layer's weights.
  var startsThinned = false
  /// What it does at full steps, for one network and its amount; nil where Adam's own step does everything.
  var pruner: @Sendable (WiredNetwork, Double) -> (any Pruner)? = { _, _ in nil }

  /// Whether λ Σ|w| is added to the loss.
  var isL1: Bool { adam != .none }
}

extension Sparsifier: CaseIterable {
  public static let allCases: [Sparsifier] = [
    .none, .l1, .proximal, .concave, .groupLasso, .magnitude, .rigl, .softThreshold,
  ]

  /// - Returns: nil for a name that no listed sparsifier has.
  public init?(name: String) {
    guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = known
  }
}

extension Sparsifier {
  /// A penalty R(w) of one's own. Adam's steps see the loss alone; each full step ends at the penalty's proximal
  /// point in Adam's metric (Yun, Lozano & Yang 2021), so weights become exactly zero where the penalty has a kink.
  ///
  /// - Parameters:
  ///   - name: of letters, digits and dashes; none of those in `allCases`. A recipe that is decoded finds only these.
  ///   - meaning: in a few words.
  ///   - penalty: R for a network and its λ.
  public init(
    name: String, meaning: String,
    penalty: @escaping @Sendable (PenalisedWeights, _ strength: Double) -> any Penalty
  ) {
    self.init(
      name: name, meaning: meaning, amount: .strength, selects: true,
      pruner: { ProximalSteps(penalty: penalty(PenalisedWeights($0), $1)) })
  }

  /// Nothing: a dense network.
  public static let none = Sparsifier(
    name: "none", meaning: "a dense network", amount: .nothing, selects: false)
}

extension Sparsifier: Hashable {
  public static func == (a: Sparsifier, b: Sparsifier) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Sparsifier: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let known = Sparsifier(name: name) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "there is no sparsifier \"\(name)\"")
    }
    self = known
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}

/// Where the weights of a network stand among its parameters, for a penalty on them.
public struct PenalisedWeights: Sendable {
  /// Of parameters in all, biases included.
  public let count: Int
  /// The weights of each layer.
  public let byLayer: [[Int]]
  /// The weights that read each input.
  public let byInput: [[Int]]
  /// The weights that read units.
  public let others: [Int]

  public var all: [Int] { byLayer.flatMap { $0 } }

  init(_ wired: WiredNetwork) {
    let inputs = wired.network.inputCount
    // Row 0 is the biases' one; the inputs' rows follow.
    let rows = wired.factorRows(firstUnitRow: 1 + inputs)
    count = wired.parameterCount
    byLayer = wired.weightsByLayer
    byInput = (1...inputs).map { input in rows.indices.filter { rows[$0] == input } }
    others = rows.indices.filter { rows[$0] > inputs }
  }
}

/// One independent problem: a member's trunk or one of its towers.
public struct TrainingProblem: Hashable, Codable, Sendable {
  public var member: Int
  /// The output that the tower predicts; nil for a shared trunk.
  public var tower: Int?

  public init(member: Int, tower: Int? = nil) {
    self.member = member
    self.tower = tower
  }
}

/// What happened, problem by problem.
public struct TrainingProgress: Sendable {
  public var problem: TrainingProblem
  public var record: EpochRecord
  /// Epochs that will not be run, because the held-out trajectories ended the training of the problem.
  public var epochsLeftOut = 0
}

public struct TrainingHistory: Equatable, Codable, Sendable {
  public var problem: TrainingProblem
  /// Of the last attempt.
  public var epochs: [EpochRecord]
  /// Of each attempt that diverged: none, or one, or two if the problem was given up.
  public var divergences: [Divergence]
  /// What came after the stochastic training, if anything did.
  public var refinement: Refinement.Record?
}

/// One epoch of one training problem.
public struct EpochRecord: Equatable, Codable, Sendable {
  public var epoch: Int
  public var learningRate: Double
  /// Mean squared error over the epoch's minibatches and the problem's outputs, standardised, each before its step.
  public var trainingLoss: Double
  /// λ Σ|w| at the end of the epoch.
  public var penalty: Double
  public var validationLoss: Double?
  public var survivingWeights: Int
}

/// Where and how the loss or the weights of a training became infinite or NaN.
public struct Divergence: Error, Equatable, Codable, Sendable {
  public enum Cause: String, Codable, Sendable {
    /// The squared error of a minibatch is infinite or NaN.
    case loss
    /// A weight is infinite or NaN.
    case weights
  }

  public var cause: Cause
  public var epoch: Int
  /// The step within the epoch, from 1.
  public var step: Int
  /// Mean squared error of the minibatch before it; nil in the first step of an epoch.
  public var lossBefore: Double?
  public var learningRate: Double
}

extension Divergence: CustomStringConvertible {
  public var description: String {
    let what =
      switch cause {
      case .loss: "the loss of a minibatch is no finite number"
      case .weights: "a weight is no finite number"
      }
    let before = lossBefore.map { ", a step before it was \(Float($0))" } ?? ""
    return "in epoch \(epoch), step \(step): \(what)\(before); learning rate \(Float(learningRate))"
  }
}

/// What to do with a problem whose loss or weights became infinite or NaN.
public enum OnDivergence: String, Codable, CaseIterable, Sendable {
  /// Train it once more from other weights and in another order; if that diverges too, leave out the member.
  case restart
  case leaveOut = "leave-out"
  case stop
}

/// A training whose loss or weights became infinite or NaN.
public struct TrainingFailure: Error, Equatable, CustomStringConvertible {
  public let problem: TrainingProblem
  public let output: String?
  public let divergences: [Divergence]

  init(_ history: TrainingHistory, outputs: [String]) {
    problem = history.problem
    output = history.problem.tower.map { outputs[$0] }
    divergences = history.divergences
  }

  public var description: String {
    let place = "member \(problem.member)" + (output.map { ", tower \"\($0)\"," } ?? "")
    let again = divergences.count > 1 ? " twice, at last" : ""
    guard let last = divergences.last else { return "\(place) diverged" }
    return "\(place) diverged\(again) \(last); a lower `learning-rate` usually helps"
  }
}

/// A saved state that does not belong to the network to be trained.
public struct StateMismatch: Error, CustomStringConvertible {
  public let problem: TrainingProblem

  public var description: String {
    "the kept state of member \(problem.member)" + (problem.tower.map { ", tower \($0)," } ?? "")
      + " does not fit its network; start over with `force` and without `resume`"
  }
}

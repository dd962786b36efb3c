import Foundation
import LinearAlgebra

/// How the outputs share hidden layers.
public enum Towers: String, Codable, CaseIterable, Sendable {
  /// One trunk for all outputs.
  case shared
  /// A network of its own for each output: an independent problem.
  case perOutput = "per-output"
}

/// How a model is made.
public enum Method: String, Codable, CaseIterable, Sendable {
  /// A network, by gradients: all other fields of a recipe concern this method.
  case gradient
  /// A polynomial by sequentially thresholded least squares (SINDy); see `LibraryRegression`.
  case stlsq
  /// A polynomial by the lasso.
  case lasso
}

/// How the learning rate falls over the training.
public enum Schedule: String, Codable, CaseIterable, Sendable {
  case constant
  /// The initial rate for the first 60 % of the steps, then the final one.
  case step
  /// Half a cosine from the initial to the final rate.
  case cosine

  /// - Parameter progress: share of the steps already taken, in [0, 1].
  func rate(initial: Double, final: Double, progress: Double) -> Double {
    switch self {
    case .constant: initial
    case .step: progress < 0.6 ? initial : final
    case .cosine: final + (initial - final) * (1 + Double.cos(.pi * progress)) / 2
    }
  }
}

/// How long the stochastic training lasts.
public enum Length: Equatable, Sendable {
  /// Passes over the data.
  case epochs(Int)
  /// Whole passes that make at least this many optimiser steps: as many for little data as for much.
  case steps(Int)

  /// - Parameter rows: of the data.
  func epochs(rows: Int, batch: Int) -> Int {
    switch self {
    case .epochs(let count): return count
    case .steps(let count):
      let perEpoch = max(1, rows / min(batch, rows))
      return (count + perEpoch - 1) / perEpoch
    }
  }
}

extension Length: CustomStringConvertible {
  public var description: String {
    switch self {
    case .epochs(let count): count == 1 ? "1 epoch" : "\(count) epochs"
    case .steps(let count): count == 1 ? "1 step" : "\(count) steps"
    }
  }
}

extension Length: Codable {
  private enum Key: String, CodingKey { case epochs, steps }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .epochs(let count): try container.encode(count, forKey: .epochs)
    case .steps(let count): try container.encode(count, forKey: .steps)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    if let count = try container.decodeIfPresent(Int.self, forKey: .epochs) {
      self = .epochs(count)
    } else {
      self = .steps(try container.decode(Int.self, forKey: .steps))
    }
  }
}

/// Everything that decides a training except data and seed.
public struct Recipe: Equatable, Codable, Sendable {
  public var method = Method.gradient
  /// Of the polynomials that stlsq and lasso choose terms from.
  public var degree = 2
  public var towers = Towers.perOutput
  public var hidden = [20]
  public var activation = Activation.silu
  /// A linear connection from the inputs straight to the output.
  public var skip = true
  /// The inputs joined to what every hidden layer after the first and the output read (InputSkip; Lundby et
  /// al., arXiv 2301.00582).
  public var inputSkip = false
  public var sparsifier = Sparsifier.proximal
  /// A proximal training computes the gradients of weights at zero every `revisit` steps, so that they can come
  /// back; 1 is every step. See `Trainer`.
  public var revisit = 16
  /// λ: the loss is the squared error, averaged over the batch and the outputs of one tower, plus λ Σ|w| over all
  /// weights of that tower, biases excluded; for `groupLasso` and `softThreshold` see there.
  public var strength = 3e-4
  /// λ of the weights that read inputs, for the sparsifiers l1 and proximal; nil for `strength`.
  public var inputStrength: Double?
  /// The share of the weights that the sparsifiers magnitude and rigl keep.
  public var density = 0.2
  public var learningRate = 2e-3
  public var finalLearningRate = 1e-4
  public var schedule = Schedule.cosine
  public var length = Length.steps(10_000)
  public var batch = 128
  /// Weights of smaller magnitude become zero after the training (and where the mask is frozen).
  public var cut = 0.0
  /// Share of the steps at the end in which weights at zero stay there and nothing pulls the others towards
  /// it (the relaxed lasso, Meinshausen 2007).
  public var freeze = 0.0
  /// Whether the result is the mean of the parameters over the frozen steps (Izmailov et al. 2018).
  public var average = false
  /// The training ends after this many consecutive epochs without a smaller error on the held-out trajectories, and
  /// its best epoch counts; 0 for never.
  public var patience = 0
  /// Attempts of Levenberg-Marquardt on the weights that survive the stochastic training; 0 for none.
  public var refine = 50
  /// Attempts of Levenberg-Marquardt after each input that is removed (see `PooledElimination`); 0 removes none.
  public var eliminate = 16
  /// Attempts of Levenberg-Marquardt after each round in which weights are removed (see `WeightElimination`); 0
  /// removes none.
  public var thin = 8
  /// Attempts at the end on all trajectories, those held out included; 0 for none.
  public var finish = 60
  /// How often the states are then smoothed again with the rates that the networks predict, and the networks fitted
  /// to the result; has no effect where no noise was removed, or without `finish`.
  public var resmooth = 2
  /// Whether measurement noise is removed from the states first (see `Smoother`); exact data stay unchanged.
  public var smooth = true
  /// Share of the trajectories held out for validation.
  public var validation = 0.2

  public init() {}

  /// The learning rate once this share of the steps has been taken.
  func rate(progress: Double) -> Double {
    schedule.rate(initial: learningRate, final: finalLearningRate, progress: progress)
  }

  /// Whether units that keep most of their weights may be computed with all of them, those at zero included,
  /// which move then like the others until the next full step.
  var keepsZeros: Bool { sparsifier.adam == .proximal && freeze == 0 }

  /// The first of `epochs` epochs whose result may be that of the training: before it there are more weights than
  /// requested.
  func firstEligibleEpoch(of epochs: Int) -> Int {
    let share = freeze > 0 ? 1 - freeze : sparsifier.settles
    return min(epochs, Int((share * Double(epochs)).rounded(.up)) + 1)
  }

  /// Weights and biases of one network at the start.
  package func parameters(inputs: Int, outputs: Int) -> Int {
    let outputs = towers == .shared ? outputs : 1
    let widths = [inputs] + hidden + [outputs]
    let chain = zip(widths, widths.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
    guard !hidden.isEmpty else { return chain }
    let joined = inputSkip ? inputs * hidden.dropFirst().reduce(0, +) : 0
    return chain + joined + (skip || inputSkip ? inputs * outputs : 0)
  }

  /// Replaces λ, and scales that of the weights that read inputs in proportion.
  public mutating func take(strength: Double) {
    inputStrength = inputStrength.map { $0 * strength / self.strength }
    self.strength = strength
  }

  /// Whether anything follows the stochastic training.
  public var isRefined: Bool {
    method == .gradient && (refine > 0 || eliminate > 0 || thin > 0 || finish > 0)
  }

  /// Whether members hold out different trajectories and decide together which inputs act.
  public var isCrossFitted: Bool { method == .gradient && eliminate > 0 && validation > 0 }

  /// The number of passes over data of `rows` rows.
  public func epochs(rows: Int) -> Int { length.epochs(rows: rows, batch: batch) }
}

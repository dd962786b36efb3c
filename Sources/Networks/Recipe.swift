import Foundation
import LinearAlgebra

/// How the outputs share hidden layers.
public enum Towers: String, Codable, CaseIterable, Sendable {
  /// One trunk for all outputs.
  case shared
  /// A network of its own for each output: an independent problem.
  case perOutput = "per-output"
}

/// What makes weights vanish during training.
public enum Sparsifier: String, Codable, CaseIterable, Sendable {
  /// Nothing: a dense network.
  case none
  /// λ Σ|w| added to the loss, its subgradient to the gradient (the published recipe). Leaves no
  /// exact zeros; use with a cut.
  case l1
  /// The proximal step of λ Σ|w| in Adam's own metric (Yun, Lozano & Yang 2021): after the Adam step
  /// w ← sign(w) max(|w| − ηλ/(√v̂ + ε), 0). Exact zeros.
  case proximal

  /// Whether weights become exactly zero, so that it pays to train on the others alone.
  var selects: Bool { self == .proximal }

  var penalty: AdamStep.Penalty {
    switch self {
    case .none: .none
    case .l1: .l1Gradient
    case .proximal: .proximal
    }
  }
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
    case .cosine: final + (initial - final) * (1 + cos(.pi * progress)) / 2
    }
  }
}

/// How long the stochastic training lasts.
public enum Length: Equatable, Sendable {
  /// Passes over the data.
  case epochs(Int)
  /// Whole passes that make at least so many optimiser steps: as long for little data as for much.
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

/// Everything that decides a training but data and seed.
public struct Recipe: Equatable, Codable, Sendable {
  public var towers = Towers.perOutput
  public var hidden = [20]
  public var activation = Activation.silu
  /// A linear connection from the inputs straight to the output.
  public var skip = true
  public var sparsifier = Sparsifier.proximal
  /// Every so many steps a proximal training computes the gradients of the weights at zero, so that
  /// they can come back; 1 is every step. See `Trainer`.
  public var revisit = 16
  /// λ: the loss is the squared error, averaged over batch and outputs of one tower, plus λ Σ|w| over
  /// all weights of that tower, biases free.
  public var strength = 3e-4
  public var learningRate = 2e-3
  public var finalLearningRate = 1e-4
  public var schedule = Schedule.cosine
  public var length = Length.steps(10_000)
  public var batch = 128
  /// Weights of smaller magnitude become zero after the training.
  public var cut = 0.0
  /// Attempts of Levenberg-Marquardt on what survives the stochastic training; 0 for none.
  public var refine = 50
  /// Attempts of Levenberg-Marquardt after each input that is taken out (see `InputElimination`); 0
  /// takes none out.
  public var eliminate = 16
  /// Attempts of Levenberg-Marquardt after each round in which weights are taken out (see
  /// `WeightElimination`); 0 takes none out.
  public var thin = 8
  /// Attempts at the end on all trajectories, those held out included; 0 for none.
  public var finish = 60
  /// Whether measurement noise is taken out of the states first (see `Smoother`); data that are exact
  /// stay as they are.
  public var smooth = true
  /// Share of the trajectories held out for validation.
  public var validation = 0.1

  public init() {}

  /// The learning rate once this share of the steps has been taken.
  func rate(progress: Double) -> Double {
    schedule.rate(initial: learningRate, final: finalLearningRate, progress: progress)
  }

  /// The options that distinguish this recipe, in the words of the command line.
  public var description: [String: String] {
    [
      "towers": towers.rawValue,
      "hidden": hidden.isEmpty ? "none" : hidden.map(String.init).joined(separator: ","),
      "activation": activation.rawValue, "skip": String(skip), "sparsifier": sparsifier.rawValue,
      "strength": sparsifier == .none ? "0" : "\(strength)",
      "revisit": sparsifier.selects ? String(revisit) : "1", "learning-rate": "\(learningRate)",
      "final-learning-rate": "\(finalLearningRate)", "schedule": schedule.rawValue,
      "length": length.description, "batch": String(batch), "cut": "\(cut)",
      "refine": String(refine), "eliminate": String(eliminate), "thin": String(thin),
      "finish": String(finish),
      "smooth": String(smooth),
      "validation": "\(validation)",
    ]
  }

  /// What is impossible about this recipe, in words, or nil.
  public var problem: String? {
    if hidden.contains(where: { $0 < 1 || $0 > 65536 }) {
      return "--hidden \(hidden.map(String.init).joined(separator: ",")): every hidden layer needs "
        + "1 to 65536 units, for example --hidden 20,20"
    }
    if hidden.isEmpty && !skip {
      return "--hidden none is a linear model; it needs --skip"
    }
    func check<Value>(
      _ option: String, _ value: Value, _ allowed: ClosedRange<Value>, _ words: String
    ) -> String? {
      allowed.contains(value) ? nil : "\(option) \(value): must be \(words)"
    }
    let limit = Double.greatestFiniteMagnitude
    let tiny = Double.leastNonzeroMagnitude
    let problems = [
      check("--strength", strength, 0...limit, "zero or positive"),
      check("--learning-rate", learningRate, tiny...10, "above 0 and at most 10"),
      check("--final-learning-rate", finalLearningRate, 0...10, "between 0 and 10"),
      lengthProblem,
      check("--batch", batch, 1...1_000_000, "between 1 and 1000000"),
      check("--revisit", revisit, 1...1_000_000, "between 1 and 1000000"),
      check("--cut", cut, 0...limit, "zero or positive"),
      check("--refine", refine, 0...100_000, "between 0 (none) and 100000"),
      check("--eliminate", eliminate, 0...100_000, "between 0 (none) and 100000"),
      check("--thin", thin, 0...100_000, "between 0 (none) and 100000"),
      check("--finish", finish, 0...100_000, "between 0 (none) and 100000"),
      check("--validation", validation, 0...0.9, "between 0 (none) and 0.9"),
      eliminationProblem,
    ]
    return problems.compactMap { $0 }.first
  }

  private var eliminationProblem: String? {
    let judging = eliminate > 0 ? "--eliminate \(eliminate)" : "--thin \(thin)"
    return (eliminate > 0 || thin > 0) && validation == 0
      ? "\(judging) judges by held-out trajectories; it needs --validation above 0 "
        + "(or --eliminate 0 --thin 0)" : nil
  }

  private var lengthProblem: String? {
    switch length {
    case .epochs(let count) where !(1...10_000_000).contains(count):
      "--epochs \(count): must be between 1 and 10000000"
    case .steps(let count) where !(1...1_000_000_000).contains(count):
      "--steps \(count): must be between 1 and 1000000000"
    default: nil
    }
  }

  /// Weights and biases of one network at the start.
  func parameters(inputs: Int, outputs: Int) -> Int {
    let outputs = towers == .shared ? outputs : 1
    let widths = [inputs] + hidden + [outputs]
    let chain = zip(widths, widths.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
    return hidden.isEmpty ? chain : chain + (skip ? inputs * outputs : 0)
  }

  /// Whether anything follows the stochastic training.
  public var isRefined: Bool { refine > 0 || eliminate > 0 || thin > 0 || finish > 0 }

  /// Passes over data of so many rows.
  public func epochs(rows: Int) -> Int { length.epochs(rows: rows, batch: batch) }
}

extension Network {
  /// A network to start from: weights normal with variance 2/fan-in (1/fan-in for tanh; He et al.
  /// 2015, Glorot & Bengio 2010), biases zero. With a skip the last layer's weights start at 0.3 of
  /// that and the skip's at zero, so that the linear part is found first.
  ///
  /// - Parameter name: prefix of the layers' names, for example the output's name.
  public static func initial(
    recipe: Recipe, inputs: Int, outputs: Int, name: String, stream: inout RandomStream
  ) -> Network {
    var layers: [Layer] = []
    var source = Source.inputs
    var width = inputs
    for (index, units) in (recipe.hidden + [outputs]).enumerated() {
      let isLast = index == recipe.hidden.count
      let gain = recipe.activation == .tanh || isLast && recipe.activation == .identity ? 1.0 : 2.0
      let scale = (gain / Double(width)).squareRoot() * (isLast && recipe.skip ? 0.3 : 1)
      // Drawn as Float: training starts from exactly this.
      let weight = Matrix(
        rows: units, columns: width,
        elements: (0..<(units * width)).map { _ in Double(Float(stream.normal() * scale)) })
      var connections = [Connection(source: source, weight: weight)]
      if isLast && recipe.skip {
        let skip = Connection(source: .inputs, weight: Matrix(rows: outputs, columns: inputs))
        connections = recipe.hidden.isEmpty ? [skip] : connections + [skip]
      }
      layers.append(
        Layer(
          name: isLast ? name : name.isEmpty ? "h\(index + 1)" : "\(name).h\(index + 1)",
          activation: isLast ? .identity : recipe.activation,
          bias: Array(repeating: 0, count: units), connections: connections))
      source = .layer(index)
      width = units
    }
    return Network(inputCount: inputs, layers: layers, outputLayers: [layers.count - 1])
  }
}

import Dynamics
import Foundation
import Interchange
import Networks
import Structure
import Training

/// A study: its data, its recipes and the questions put to the models.
public struct StudyPlan: Equatable, Sendable {
  /// Where trajectories come from.
  public enum Source: Equatable, Sendable {
    case simulation(trajectories: Int, samples: Int, seed: UInt64)
    case file(String)
  }

  public struct NamedRecipe: Equatable, Sendable {
    public var name: String
    public var recipe: Recipe
    /// Weights of smaller magnitude count as zero: each model is judged at each of these.
    public var cuts: [Double]
    /// Those of the plan's sizes and levels of noise that it is trained on, if not all.
    public var sizes: [Int]?
    public var noise: [Double]?
  }

  /// The plant that is simulated and against which structure is scored; nil for data from files.
  public var plant: String?
  /// Seed of a plant of the same kind with other constants.
  public var vary: UInt64?
  public var train: Source
  public var test: Source
  /// Names of the inputs, for files that do not name them.
  public var inputs: [String]?
  /// Noise of the training data, as fractions of the states' standard deviations.
  public var noise: [Double] = [0]
  /// Further disturbances of the measurements in the training data; see `Simulation`.
  public var noiseCorrelation = 0.0
  public var controlNoise = 0.0
  public var missing = 0.0
  /// Numbers of training trajectories, the first ones of the training data.
  public var sizes: [Int]
  public var members = 10
  public var seed: UInt64 = 1
  public var horizons = [100, 1000, 2500, 5000]
  /// Relevance above which a connected pair of input and output counts.
  public var threshold = PairSelection.usualThreshold

  /// The rule by which pairs count.
  public var selection: PairSelection { .relevant(above: threshold) }
  /// Samples of the test data over which Jacobians are taken, evenly spaced.
  public var relevanceSamples = 10_000
  public var recipes: [NamedRecipe]
  /// The title of the report, and its opening text.
  public var title: String?
  public var about: String?
  public var comparison: Comparison?
  /// For the engines that are clusters.
  public var cluster = ClusterSettings()

  /// Which recipes the report's claims are about.
  public struct Comparison: Equatable, Sendable {
    /// By number, as is each of the others; at its first cut.
    public var reference: Int
    public var sparse: [(recipe: Int, cut: Double)]

    public static func == (a: Comparison, b: Comparison) -> Bool {
      a.reference == b.reference && a.sparse.elementsEqual(b.sparse, by: ==)
    }
  }

  /// Whether data come from files.
  public var readsFiles: Bool {
    [train, test].contains { if case .file = $0 { true } else { false } }
  }

  /// Members that are trained on the same data by the same recipe.
  public struct Cell: Hashable, Sendable {
    public var recipe: Int
    public var size: Int
    public var noise: Double

    public init(recipe: Int, size: Int, noise: Double) {
      self.recipe = recipe
      self.size = size
      self.noise = noise
    }
  }

  /// Size by size within a recipe and a level of noise.
  public var cells: [Cell] {
    recipes.indices.flatMap { index in
      let recipe = recipes[index]
      return (recipe.noise ?? noise).flatMap { noise in
        (recipe.sizes ?? sizes).map { Cell(recipe: index, size: $0, noise: noise) }
      }
    }
  }

  /// "dense, 10 trajectories, noise 0.001"
  public func name(_ cell: Cell) -> String {
    let trajectories = cell.size == 1 ? "trajectory" : "trajectories"
    return "\(recipes[cell.recipe].name), \(cell.size) \(trajectories)"
      + (noise.count > 1 || cell.noise > 0 ? ", noise \(cell.noise)" : "")
  }
}

/// Everything that is wrong with a plan.
public struct PlanProblems: Error, Equatable, CustomStringConvertible {
  public struct Problem: Equatable, Sendable {
    public var line: Int?
    public var text: String
  }

  public let path: String
  public var problems: [Problem]

  /// One for each problem, by its place.
  public var lines: [String] {
    problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }.map { problem in
      "\(path)\(problem.line.map { ":\($0)" } ?? ""): \(problem.text)"
    }
  }

  public var summary: String {
    "the plan has \(problems.count == 1 ? "a problem" : "\(problems.count) problems"); nothing was run"
  }

  public var description: String { ([summary] + lines).joined(separator: "\n  ") }
}

import LinearAlgebra
import Networks

/// The options that make a recipe, of `filigree-train` and of the plans of studies.
public struct RecipeOptions: ParsableArguments {
  @Option(help: "shared: one trunk for all outputs; per-output: a network for each.")
  public var towers = Recipe().towers

  @Option(help: "Units of the hidden layers, separated by commas; none for a linear model.")
  public var hidden = Recipe().hidden.map(String.init).joined(separator: ",")

  @Option(help: "relu, silu or tanh.")
  public var activation = Recipe().activation

  @Flag(inversion: .prefixedNo, help: "A linear connection from the inputs to the output.")
  public var skip = Recipe().skip

  @Option(
    help: """
      What makes weights vanish: none, l1 (λ Σ|w| in the loss, as published; no exact zeros) or \
      proximal (exact zeros).
      """)
  public var sparsifier = Recipe().sparsifier

  @Option(parsing: .unconditional, help: "λ: weight of Σ|w| in the loss of each network.")
  public var strength = Recipe().strength

  @Option(
    parsing: .unconditional,
    help: """
      A proximal training computes the gradients of weights at zero at every so many steps; 1 is \
      every step, slower.
      """)
  public var revisit = Recipe().revisit

  @Option(parsing: .unconditional, help: "Learning rate of Adam at the start.")
  public var learningRate = Recipe().learningRate

  @Option(
    parsing: .unconditional, help: "Learning rate at the end, for the schedules step and cosine.")
  public var finalLearningRate = Recipe().finalLearningRate

  @Option(help: "constant, step (the final rate for the last 40 % of the steps) or cosine.")
  public var schedule = Recipe().schedule

  @Option(parsing: .unconditional, help: "Passes over the data.")
  public var epochs = Recipe().epochs

  @Option(parsing: .unconditional, help: "Samples per optimiser step.")
  public var batch = Recipe().batch

  @Option(
    parsing: .unconditional, help: "Weights of smaller magnitude become zero after the training.")
  public var cut = Recipe().cut

  @Option(
    parsing: .unconditional,
    help: """
      Attempts of Levenberg-Marquardt (least squares in double precision, on at most 10000 samples) \
      on the weights that survive; 0 for none.
      """)
  public var refine = Recipe().refine

  @Option(
    parsing: .unconditional,
    help: """
      Share of the trajectories held out for validation, at least one; a single trajectory is split \
      in time. 0 trains on everything.
      """)
  public var validation = Recipe().validation

  public init() {}

  public func validate() throws { _ = try recipe() }

  /// - Throws: `ValidationError` for what is no recipe.
  public func recipe() throws -> Recipe {
    let isLinear = hidden == "none"
    let units =
      isLinear
      ? []
      : hidden.split(separator: ",", omittingEmptySubsequences: false).map {
        Int($0.trimmingCharacters(in: .whitespaces))
      }
    guard isLinear || units.allSatisfy({ $0 != nil }) else {
      throw ValidationError(
        "--hidden \(hidden): must be whole numbers separated by commas, for example 20,20.")
    }
    var recipe = Recipe()
    recipe.towers = towers
    recipe.hidden = units.compactMap { $0 }
    recipe.activation = activation
    recipe.skip = skip
    recipe.sparsifier = sparsifier
    recipe.strength = strength
    recipe.revisit = revisit
    recipe.learningRate = learningRate
    recipe.finalLearningRate = finalLearningRate
    recipe.schedule = schedule
    recipe.epochs = epochs
    recipe.batch = batch
    recipe.cut = cut
    recipe.refine = refine
    recipe.validation = validation
    if let problem = recipe.problem { throw ValidationError(problem + ".") }
    return recipe
  }
}

extension Towers: ExpressibleByArgument {}
extension Sparsifier: ExpressibleByArgument {}
extension Schedule: ExpressibleByArgument {}
extension Activation: ExpressibleByArgument {
  public static var allValueStrings: [String] { ["relu", "silu", "tanh"] }
}

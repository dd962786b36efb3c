import LinearAlgebra
import Networks
import Training

/// The options that make a recipe, for `filigree-train` and for the plans of studies: a shipped recipe by name, and
/// what differs from it.
public struct RecipeOptions: ParsableArguments {
  /// The options that are switched on and off rather than given a value.
  public static let flags: Set = ["skip", "smooth", "input-skip", "average"]

  private static let standard = Recipe()

  private static func usual(_ value: some CustomStringConvertible) -> String {
    "(\(value) in the default recipe)"
  }

  @Option(
    help: ArgumentHelp(
      "Where to start from: "
        + ShippedRecipe.all.map { "\($0.name) (\($0.meaning))" }.joined(separator: "; ")
        + ". The other options change it.", valueName: "name"))
  public var recipe = ShippedRecipe.all[0].name

  @Option(
    help: """
      gradient: networks, the default; stlsq (SINDy) or lasso: sparse polynomials, for comparison. For \
      these only --degree, --smooth and --validation count.
      """)
  public var method: Training.Method?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Degree of the polynomials, 1 to 3 \(usual(standard.degree))."))
  public var degree: Int?

  @Option(
    help: "shared: one trunk for all outputs; per-output: a network for each, the default.")
  public var towers: Towers?

  @Option(
    help: ArgumentHelp(
      "Units of the hidden layers, separated by commas; none for a linear model "
        + usual(standard.hidden.map(String.init).joined(separator: ",")) + "."))
  public var hidden: String?

  @Option(help: ArgumentHelp("relu, silu or tanh \(usual(standard.activation.rawValue))."))
  public var activation: Activation?

  @Flag(
    inversion: .prefixedNo,
    help: "A linear connection from the inputs to the output, as the default recipe has.")
  public var skip: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: "Join the inputs to what every hidden layer after the first and the output read.")
  public var inputSkip: Bool?

  @Option(
    help: ArgumentHelp(
      """
      What makes weights vanish: none; l1 (λ Σ|w| in the loss, as published; no exact zeros); \
      proximal (the same with exact zeros, the default); group-lasso (whole inputs); magnitude (the \
      smallest, more and more); rigl (the smallest, others grow); soft-threshold (thresholds that are \
      learned).
      """))
  public var sparsifier: Sparsifier?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      λ: weight of the sparsifier's penalty in the loss of each network \(usual(standard.strength)).
      """))
  public var strength: Double?

  @Option(
    parsing: .unconditional,
    help: "λ of the weights that read inputs, for l1 and proximal; else that of all.")
  public var inputStrength: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Share of the weights that magnitude and rigl leave \(usual(standard.density))."))
  public var density: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Share of the steps, at the end, in which weights at zero stay there and no penalty pulls on the \
      others \(usual(standard.freeze)).
      """))
  public var freeze: Double?

  @Flag(
    inversion: .prefixedNo, help: "Average the parameters over the steps that --freeze says.")
  public var average: Bool?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      End a network's stochastic training after so many epochs in turn that do not lower its error on \
      the held-out trajectories, and take its best epoch; 0 for never \(usual(standard.patience)).
      """))
  public var patience: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The gradients of weights at zero are computed at every so many steps; 1 is every step, slower "
        + "\(usual(standard.revisit))."))
  public var revisit: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Learning rate of Adam at the start \(usual(standard.learningRate))."))
  public var learningRate: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Learning rate at the end, for the schedules step and cosine "
        + "\(usual(standard.finalLearningRate))."))
  public var finalLearningRate: Double?

  @Option(
    help: ArgumentHelp(
      "constant, step (the final rate for the last 40 % of the steps) or cosine "
        + "\(usual(standard.schedule.rawValue))."))
  public var schedule: Schedule?

  @Option(parsing: .unconditional, help: "Passes over the data; else as many as make --steps.")
  public var epochs: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Optimiser steps, rounded up to whole passes over the data \(usual(standard.length))."))
  public var steps: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Samples per optimiser step \(usual(standard.batch))."))
  public var batch: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Weights of smaller magnitude become zero after the stochastic training "
        + "\(usual(standard.cut))."))
  public var cut: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Attempts of Levenberg-Marquardt (least squares in double precision on some thousand samples) \
      on the weights that survive; 0 for none \(usual(standard.refine)).
      """))
  public var refine: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Attempts of Levenberg-Marquardt after each input that is taken out of a network, as long as the \
      held-out trajectories do not mind; 0 takes none out \(usual(standard.eliminate)).
      """))
  public var eliminate: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Attempts of Levenberg-Marquardt after each round in which weights are taken out, as long as the \
      held-out trajectories do not mind; 0 takes none out \(usual(standard.thin)).
      """))
  public var thin: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Attempts of Levenberg-Marquardt at the end, on samples of all trajectories; 0 for none \
      \(usual(standard.finish)).
      """))
  public var finish: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      How often, at the end, noisy states are smoothed again with what the model says of their rates, and \
      the model is fitted to that; 0 for never \(usual(standard.resmooth)).
      """))
  public var resmooth: Int?

  @Flag(
    inversion: .prefixedNo,
    help: """
      Take measurement noise out of the states first, as the default recipe does; exact data stay as \
      they are.
      """)
  public var smooth: Bool?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Share of the trajectories held out for validation, at least one; a single trajectory is split \
      in time. 0 trains on everything and takes no inputs or weights out \(usual(standard.validation)).
      """))
  public var validation: Double?

  public init() {}

  public func validate() throws { _ = try made() }

  /// The recipe that the options make.
  /// - Throws: `ValidationError` for an impossible recipe.
  public func made() throws -> Recipe {
    guard let shipped = ShippedRecipe.named(recipe) else {
      throw ValidationError(
        "--recipe \(recipe): there is "
          + ShippedRecipe.all.map(\.name).joined(separator: ", ") + ".")
    }
    var result = shipped.recipe
    func set<Value>(_ place: WritableKeyPath<Recipe, Value>, _ value: Value?) {
      if let value { result[keyPath: place] = value }
    }
    set(\.method, method)
    set(\.degree, degree)
    set(\.towers, towers)
    set(\.hidden, try hidden.map(Self.units))
    set(\.activation, activation)
    set(\.skip, skip)
    set(\.sparsifier, sparsifier)
    set(\.inputSkip, inputSkip)
    set(\.strength, strength)
    set(\.inputStrength, inputStrength)
    set(\.density, density)
    set(\.freeze, freeze)
    set(\.average, average)
    set(\.patience, patience)
    set(\.revisit, revisit)
    set(\.learningRate, learningRate)
    set(\.finalLearningRate, finalLearningRate)
    set(\.schedule, schedule)
    set(\.length, try length)
    set(\.batch, batch)
    set(\.cut, cut)
    set(\.refine, refine)
    set(\.eliminate, eliminate)
    set(\.thin, thin)
    set(\.finish, finish)
    set(\.resmooth, resmooth)
    set(\.smooth, smooth)
    set(\.validation, validation)
    // Without held-out trajectories nothing can judge a removal.
    if eliminate == nil && validation == 0 { result.eliminate = 0 }
    if thin == nil && validation == 0 { result.thin = 0 }
    if let problem = result.problem { throw ValidationError(problem + ".") }
    return result
  }

  /// The options that were given but have no effect beside the others, each with the reason.
  public func ineffective(in recipe: Recipe) -> [String] {
    guard recipe.method == .gradient else {
      let given: [(String, Any?)] = [
        ("towers", towers), ("hidden", hidden), ("activation", activation), ("skip", skip),
        ("input-skip", inputSkip), ("sparsifier", sparsifier), ("strength", strength),
        ("steps", steps), ("epochs", epochs), ("refine", refine), ("eliminate", eliminate),
        ("thin", thin), ("finish", finish), ("resmooth", resmooth),
      ]
      return given.filter { $0.1 != nil }.map {
        "--\($0.0): --method \(recipe.method.rawValue) trains no network"
      }
    }
    let kind = "--sparsifier \(recipe.sparsifier.rawValue)"
    let noise = recipe.smooth ? "there is no --finish to follow" : "--no-smooth leaves noise in"
    let reasons: [(isGiven: Bool, hasEffect: Bool, text: String)] = [
      (degree != nil, false, "--degree: it belongs to --method stlsq and lasso"),
      (density != nil, recipe.sparsifier.hasDensity, "--density: \(kind) goes by --strength"),
      (
        strength != nil, recipe.sparsifier != .none && !recipe.sparsifier.hasDensity,
        "--strength: \(kind) has none"
      ),
      (revisit != nil, recipe.sparsifier.selects, "--revisit: \(kind) leaves no zeros"),
      (
        finalLearningRate != nil, recipe.schedule != .constant,
        "--final-learning-rate: the schedule is constant"
      ),
      (
        resmooth ?? 0 > 0, recipe.smooth && recipe.finish > 0, "--resmooth: \(noise)"
      ),
    ]
    return reasons.filter { $0.isGiven && !$0.hasEffect }.map(\.text)
  }

  private var length: Length? {
    get throws {
      if epochs != nil && steps != nil {
        throw ValidationError("--epochs and --steps both say how long; one of them is enough.")
      }
      return epochs.map { .epochs($0) } ?? steps.map { .steps($0) }
    }
  }

  private static func units(_ text: String) throws -> [Int] {
    if text == "none" { return [] }
    let units = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    guard units.allSatisfy({ $0 != nil }) else {
      throw ValidationError(
        "--hidden \(text): must be whole numbers separated by commas, for example 20,20.")
    }
    return units.compactMap { $0 }
  }
}

extension Towers: ExpressibleByArgument {}
extension Training.Method: ExpressibleByArgument {}
extension Sparsifier: ExpressibleByArgument {}
extension Schedule: ExpressibleByArgument {}
extension Activation: ExpressibleByArgument {
  public static var allValueStrings: [String] { ["relu", "silu", "tanh"] }

  /// Accepts only the functions that the training loops have.
  public init?(argument: String) {
    guard let known = Activation(rawValue: argument), known.isTrainable else { return nil }
    self = known
  }
}

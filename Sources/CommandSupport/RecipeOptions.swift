import LinearAlgebra
import Networks
import Training

/// The options that make a recipe, for `filigree-train` and for the plans of studies: a shipped recipe by name, and
/// what differs from it.
public struct RecipeOptions: ParsableArguments {
  /// The options that are switched on and off rather than given a value.
  public static let flags = Set(RecipeField.all.filter(\.isSwitch).map(\.name))

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

  @Option(
    help: ArgumentHelp(
      "The function of hidden units: \(Activation.allValueStrings.joined(separator: ", ")) "
        + "\(usual(standard.activation.rawValue))."))
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
      "What makes weights vanish: "
        + Sparsifier.allCases.map { "\($0.name) (\($0.meaning))" }.joined(separator: "; ") + "."))
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
    for change in try changes { change.make(&result) }
    // Without held-out trajectories nothing can judge a removal.
    if eliminate == nil && validation == 0 { result.eliminate = 0 }
    if thin == nil && validation == 0 { result.thin = 0 }
    if let problem = RecipeField.problem(in: result) {
      throw ValidationError(problem.text.settingsAsOptions + ".")
    }
    return result
  }

  /// The options that were given but have no effect beside the others, each with the reason.
  /// - Throws: `ValidationError` for an impossible recipe.
  public func ineffective(in recipe: Recipe) throws -> [String] {
    let fields = Dictionary(uniqueKeysWithValues: RecipeField.all.map { ($0.name, $0) })
    return try changes.filter(\.isGiven).compactMap { change in
      fields[change.field]?.idle(in: recipe).map { "`\(change.option)`: \($0)" }
    }
  }

  /// What one option does to a recipe.
  private struct Change {
    var option: String
    var field: String
    var isGiven: Bool
    var make: (inout Recipe) -> Void

    init<Value>(
      _ field: String, option: String? = nil, _ place: WritableKeyPath<Recipe, Value>,
      _ value: Value?
    ) {
      self.option = option ?? field
      self.field = field
      isGiven = value != nil
      make = { recipe in value.map { recipe[keyPath: place] = $0 } }
    }

    init<Value>(_ field: String, _ place: WritableKeyPath<Recipe, Value?>, _ value: Value?) {
      option = field
      self.field = field
      isGiven = value != nil
      make = { recipe in value.map { recipe[keyPath: place] = $0 } }
    }
  }

  private var changes: [Change] {
    get throws {
      [
        Change("method", \.method, method), Change("degree", \.degree, degree),
        Change("towers", \.towers, towers), Change("hidden", \.hidden, try hidden.map(Self.units)),
        Change("activation", \.activation, activation), Change("skip", \.skip, skip),
        Change("input-skip", \.inputSkip, inputSkip),
        Change("sparsifier", \.sparsifier, sparsifier), Change("strength", \.strength, strength),
        Change("input-strength", \.inputStrength, inputStrength),
        Change("density", \.density, density), Change("revisit", \.revisit, revisit),
        Change("cut", \.cut, cut), Change("freeze", \.freeze, freeze),
        Change("average", \.average, average),
        Change("learning-rate", \.learningRate, learningRate),
        Change("final-learning-rate", \.finalLearningRate, finalLearningRate),
        Change("schedule", \.schedule, schedule),
        Change("length", option: steps == nil ? "epochs" : "steps", \.length, try length),
        Change("batch", \.batch, batch), Change("patience", \.patience, patience),
        Change("refine", \.refine, refine), Change("eliminate", \.eliminate, eliminate),
        Change("thin", \.thin, thin), Change("finish", \.finish, finish),
        Change("resmooth", \.resmooth, resmooth), Change("smooth", \.smooth, smooth),
        Change("validation", \.validation, validation),
      ]
    }
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
extension Sparsifier: ExpressibleByArgument {
  public static var allValueStrings: [String] { allCases.map(\.name) }
  public var defaultValueDescription: String { name }
  public init?(argument: String) { self.init(name: argument) }
}
extension Schedule: ExpressibleByArgument {}
extension Activation: ExpressibleByArgument {
  public static var allValueStrings: [String] {
    allCases.filter(\.isTrainable).map(\.rawValue)
  }

  /// Accepts only the functions that the training loops have.
  public init?(argument: String) {
    guard let known = Activation(rawValue: argument), known.isTrainable else { return nil }
    self = known
  }
}

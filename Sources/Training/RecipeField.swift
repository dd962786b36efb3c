/// One field of a recipe: its name as plans and options spell it, its value as text, which values are possible, and
/// when it counts. What describes a recipe, checks it and warns of fields without effect goes by this one table.
///
/// Texts name other fields as `field`, between backquotes, so that a program can write them as its options.
public struct RecipeField: Sendable {
  public let name: String
  /// Whether it is either true or false.
  public let isSwitch: Bool
  /// Which methods it concerns.
  private let concern: Concern
  /// As text, and as what models and studies carry.
  public let text: @Sendable (Recipe) -> String
  /// Name and value as one would set them.
  let setting: @Sendable (Recipe) -> String
  /// What its value must be and is not, or which other field it lacks; nil where all is well.
  let problem: @Sendable (Recipe) -> RecipeProblem.Reason?
  /// Why it has no effect on a training that it concerns; nil where it has.
  let idleness: @Sendable (Recipe) -> String?

  enum Concern: Sendable { case networks, polynomials, all }

  init(
    _ name: String, isSwitch: Bool = false, concerns: Concern = .networks,
    text: @escaping @Sendable (Recipe) -> String,
    setting: (@Sendable (Recipe) -> String)? = nil,
    problem: @escaping @Sendable (Recipe) -> RecipeProblem.Reason? = { _ in nil },
    idleness: @escaping @Sendable (Recipe) -> String? = { _ in nil }
  ) {
    self.name = name
    self.isSwitch = isSwitch
    concern = concerns
    self.text = text
    self.setting = setting ?? { isSwitch ? "`\(name)`" : "`\(name)` \(text($0))" }
    self.problem = problem
    self.idleness = idleness
  }

  /// Whether a recipe's description names it: those of networks leave out what concerns polynomials alone.
  private func isDescribed(_ recipe: Recipe) -> Bool {
    concerns(recipe.method) && (recipe.method != .gradient || name != "method")
  }

  /// Whether a method goes by it.
  public func concerns(_ method: Method) -> Bool {
    switch concern {
    case .all: true
    case .networks: method == .gradient
    case .polynomials: method != .gradient
    }
  }

  /// Why it has no effect in a recipe, or nil.
  public func idle(in recipe: Recipe) -> String? {
    if concerns(recipe.method) { return idleness(recipe) }
    return concern == .networks
      ? "`method` \(recipe.method.rawValue) trains no network"
      : "it belongs to `method` stlsq and lasso"
  }
}

/// What is impossible about a recipe.
public struct RecipeProblem: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// The value must be this.
    case value(mustBe: String)
    /// What it does, and which other fields that needs.
    case lacks(String)
  }

  public var field: String
  /// The field with its value, or whatever sets it.
  public var setting: String
  public var reason: Reason

  init(field: RecipeField, _ reason: Reason, _ recipe: Recipe) {
    self.field = field.name
    setting = field.setting(recipe)
    self.reason = reason
  }

  /// The problem in words, fields between backquotes.
  public var text: String {
    switch reason {
    case .value(let mustBe): "\(setting): must be \(mustBe)"
    case .lacks(let words): "\(setting) \(words)"
    }
  }
}

extension RecipeField {
  /// The fields that distinguish a recipe from others, as text by their names.
  public static func texts(of recipe: Recipe) -> [String: String] {
    var texts: [String: String] = [:]
    for field in all where field.isDescribed(recipe) { texts[field.name] = field.text(recipe) }
    return texts
  }

  /// What is impossible about a recipe, or nil.
  public static func problem(in recipe: Recipe) -> RecipeProblem? {
    for field in all {
      if let problem = field.problem(recipe) { return RecipeProblem(field: field, problem, recipe) }
    }
    return nil
  }
}

// MARK: - The table

extension RecipeField {
  public static let all: [RecipeField] = kind + shape + vanishing + steps + afterwards

  private static let kind = [
    RecipeField(
      "method", concerns: .all, text: { $0.method.rawValue },
      problem: {
        $0.method != .gradient && $0.validation == 0
          ? .lacks("chooses by held-out trajectories; it needs `validation` above 0") : nil
      }),
    number("degree", \.degree, 1...3, "1, 2 or 3", concerns: .polynomials),
  ]

  private static let shape = [
    RecipeField("towers", text: { $0.towers.rawValue }),
    RecipeField(
      "hidden",
      text: { $0.hidden.isEmpty ? "none" : $0.hidden.map(String.init).joined(separator: ",") },
      problem: { recipe in
        recipe.hidden.contains { !(1...65536).contains($0) }
          ? .value(mustBe: "1 to 65536 units for every hidden layer, for example 20,20")
          : recipe.hidden.isEmpty && !recipe.skip
            ? .lacks("is a linear model; it needs `skip`") : nil
      }),
    RecipeField("activation", text: { $0.activation.rawValue }),
    RecipeField("skip", isSwitch: true, text: { String($0.skip) }),
    RecipeField("input-skip", isSwitch: true, text: { String($0.inputSkip) }),
  ]

  private static let vanishing = [
    RecipeField("sparsifier", text: { $0.sparsifier.name }),
    RecipeField(
      "strength", text: { $0.sparsifier == .none ? "0" : "\($0.strength)" },
      problem: outside(0...largest, "zero or positive") { $0.strength },
      idleness: { $0.sparsifier.amount == .strength ? nil : "\(kind($0)) has none" }),
    RecipeField(
      "input-strength", text: { $0.inputStrength.map { "\($0)" } ?? "as strength" },
      problem: { recipe in
        guard let strength = recipe.inputStrength else { return nil }
        guard recipe.sparsifier.isL1 else {
          return .lacks("belongs to `sparsifier` l1 and proximal")
        }
        return outside(0...largest, "zero or positive") { _ in strength }(recipe)
      }),
    RecipeField(
      "density", text: { $0.sparsifier.amount == .density ? "\($0.density)" : "1" },
      problem: outside(least...1, "above 0 and at most 1") { $0.density },
      idleness: { $0.sparsifier.amount == .density ? nil : "\(kind($0)) goes by `strength`" }),
    RecipeField(
      "revisit", text: { $0.sparsifier.selects ? String($0.revisit) : "1" },
      problem: outside(1...1_000_000, "between 1 and 1000000") { $0.revisit },
      idleness: { $0.sparsifier.selects ? nil : "\(kind($0)) leaves no zeros" }),
    number("cut", \.cut, 0...largest, "zero or positive"),
    number("freeze", \.freeze, 0...0.9, "between 0 (nothing is frozen) and 0.9"),
    RecipeField(
      "average", isSwitch: true, text: { String($0.average) },
      problem: {
        $0.average && $0.freeze == 0
          ? .lacks("averages over the frozen steps; it needs `freeze`, for example `freeze` 0.25")
          : nil
      }),
  ]

  private static let steps = [
    number("learning-rate", \.learningRate, least...10, "above 0 and at most 10"),
    RecipeField(
      "final-learning-rate", text: { "\($0.finalLearningRate)" },
      problem: outside(0...10, "between 0 and 10") { $0.finalLearningRate },
      idleness: { $0.schedule == .constant ? "the schedule is constant" : nil }),
    RecipeField("schedule", text: { $0.schedule.rawValue }),
    RecipeField(
      "length", text: { $0.length.description },
      setting: { recipe in
        switch recipe.length {
        case .epochs(let count): "`epochs` \(count)"
        case .steps(let count): "`steps` \(count)"
        }
      },
      problem: { recipe in
        switch recipe.length {
        case .epochs(let count):
          outside(1...10_000_000, "between 1 and 10000000") { _ in count }(recipe)
        case .steps(let count):
          outside(1...1_000_000_000, "between 1 and 1000000000") { _ in count }(recipe)
        }
      }),
    number("batch", \.batch, 1...1_000_000, "between 1 and 1000000"),
    number(
      "patience", \.patience, 0...10_000_000, "between 0 (none) and 10000000",
      judgesHeldOut: { $0.patience > 0 }),
  ]

  private static let afterwards = [
    number("refine", \.refine, 0...100_000, "between 0 (none) and 100000"),
    number(
      "eliminate", \.eliminate, 0...100_000, "between 0 (none) and 100000",
      judgesHeldOut: { $0.eliminate > 0 }),
    number(
      "thin", \.thin, 0...100_000, "between 0 (none) and 100000", judgesHeldOut: { $0.thin > 0 }),
    number("finish", \.finish, 0...100_000, "between 0 (none) and 100000"),
    RecipeField(
      "resmooth", text: { String($0.resmooth) },
      problem: outside(0...1000, "between 0 (none) and 1000") { $0.resmooth },
      idleness: { recipe in
        recipe.resmooth == 0 || recipe.smooth && recipe.finish > 0
          ? nil : recipe.smooth ? "there is no `finish` to follow" : "`no-smooth` leaves noise in"
      }),
    RecipeField("smooth", isSwitch: true, concerns: .all, text: { String($0.smooth) }),
    number("validation", \.validation, 0...0.9, "between 0 (none) and 0.9", concerns: .all),
  ]

  private static let largest = Double.greatestFiniteMagnitude
  private static let least = Double.leastNonzeroMagnitude

  private static func kind(_ recipe: Recipe) -> String { "`sparsifier` \(recipe.sparsifier.name)" }

  private static func outside<Value: Comparable & Sendable>(
    _ allowed: ClosedRange<Value>, _ words: String, _ value: @escaping @Sendable (Recipe) -> Value
  ) -> @Sendable (Recipe) -> RecipeProblem.Reason? {
    { allowed.contains(value($0)) ? nil : .value(mustBe: words) }
  }

  private static func number<Value: Comparable & Sendable>(
    _ name: String, _ place: any KeyPath<Recipe, Value> & Sendable, _ allowed: ClosedRange<Value>,
    _ words: String, concerns: Concern = .networks,
    judgesHeldOut: @escaping @Sendable (Recipe) -> Bool = { _ in false }
  ) -> RecipeField {
    RecipeField(
      name, concerns: concerns, text: { "\($0[keyPath: place])" },
      problem: { recipe in
        judgesHeldOut(recipe) && recipe.validation == 0
          ? .lacks("judges by held-out trajectories; it needs `validation` above 0")
          : outside(allowed, words) { $0[keyPath: place] }(recipe)
      })
  }
}

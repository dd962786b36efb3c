/// Recipes by name.
public struct ShippedRecipe: Sendable {
  public let name: String
  public let meaning: String
  public let recipe: Recipe

  public static func named(_ name: String) -> ShippedRecipe? { all.first { $0.name == name } }

  public static let all: [ShippedRecipe] = [
    ShippedRecipe(
      name: "filigree",
      meaning: "smooth sparse towers, Levenberg-Marquardt, inputs eliminated; the default",
      recipe: Recipe()),
    ShippedRecipe(
      name: "proximal", meaning: "smooth towers, exact zeros by proximal Adam alone",
      recipe: .with {
        $0.strength = 4e-3
        $0.length = .epochs(60)
        $0.stochasticOnly()
      }),
    ShippedRecipe(
      name: "group-lasso", meaning: "the same with inputs that vanish as a whole",
      recipe: .with {
        $0.sparsifier = .groupLasso
        $0.strength = 3e-3
        $0.stochasticOnly()
      }),
    ShippedRecipe(
      name: "magnitude", meaning: "the same with the smallest weights pruned, step by step",
      recipe: .with {
        $0.sparsifier = .magnitude
        $0.stochasticOnly()
      }),
    ShippedRecipe(
      name: "rigl", meaning: "the same with a fixed number of weights that change places",
      recipe: .with {
        $0.sparsifier = .rigl
        $0.density = 0.3
        $0.revisit = 100
        $0.stochasticOnly()
      }),
    ShippedRecipe(
      name: "soft-threshold", meaning: "the same with thresholds that are learned",
      recipe: .with {
        $0.sparsifier = .softThreshold
        $0.strength = 1e-3
        $0.stochasticOnly()
      }),
    ShippedRecipe(
      name: "smooth-dense", meaning: "the default's towers without any sparsity, fitted as well",
      recipe: .with {
        $0.sparsifier = .none
        ($0.eliminate, $0.thin) = (0, 0)
      }),
    ShippedRecipe(
      name: "linear", meaning: "linear least squares, what a network has to beat",
      recipe: .with {
        $0.hidden = []
        $0.sparsifier = .none
        $0.length = .epochs(1)
        ($0.refine, $0.eliminate, $0.thin, $0.finish) = (0, 0, 0, 4)
      }),
    ShippedRecipe(
      name: "sparse-linear", meaning: "the same with inputs eliminated",
      recipe: .with {
        $0.hidden = []
        $0.sparsifier = .none
        $0.length = .epochs(1)
        ($0.refine, $0.eliminate, $0.thin, $0.finish) = (4, 4, 0, 4)
      }),
    ShippedRecipe(
      name: "sindy", meaning: "sparse polynomials of degree 2 by thresholded least squares",
      recipe: .with { $0.method = .stlsq }),
    ShippedRecipe(
      name: "lasso", meaning: "the same chosen by the lasso",
      recipe: .with { $0.method = .lasso }),
    ShippedRecipe(
      name: "dense", meaning: "the published dense network: a shared ReLU trunk",
      recipe: .with { $0.isAsPublished() }),
    ShippedRecipe(
      name: "l1", meaning: "the published sparse network: the same with λ Σ|w| in the loss",
      recipe: .with {
        $0.isAsPublished()
        $0.sparsifier = .l1
        $0.strength = 1e-4
      }),
  ]
}

extension Recipe {
  static func with(_ change: (inout Recipe) -> Void) -> Recipe {
    var recipe = Recipe()
    change(&recipe)
    return recipe
  }

  /// Nothing before or after the stochastic training.
  mutating func stochasticOnly() {
    (refine, eliminate, thin, finish) = (0, 0, 0, 0)
    smooth = false
  }

  /// Lundby, Rasheed, Halvorsen & Gravdahl, arXiv 2209.05832.
  fileprivate mutating func isAsPublished() {
    stochasticOnly()
    towers = .shared
    hidden = [20, 20, 20, 20]
    activation = .relu
    skip = false
    sparsifier = .none
    learningRate = 1e-3
    schedule = .constant
    length = .epochs(100)
    validation = 0
  }
}

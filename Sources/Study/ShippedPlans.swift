/// Plans that come with the program.
public enum ShippedPlans {
  public static let all: [(name: String, meaning: String, text: String)] = [
    ("quick", "dense and sparse networks on ten trajectories; some ten seconds", quick),
    ("paper", "the published comparison with its baselines, at three sizes; under an hour", paper),
    ("own", "linear, dense and sparse models of your own data; needs train.csv and test.csv", own),
    ("recipes", "every recipe at three sizes and four levels of noise; under an hour", recipes),
    ("other-cells", "the default and its baselines on a cell with other constants", otherCells),
    (
      "plants", "the default and its baselines on plants of the literature; one with --plant",
      plants
    ),
  ]

  /// The text of a plan, with another plant in place of its own.
  ///
  /// - Parameters:
  ///   - name: of a shipped plan.
  ///   - plant: nil for the plan's own.
  /// - Returns: nil where there is no such plan, or it simulates no plant.
  public static func text(_ name: String, plant: String?) -> String? {
    guard let text = all.first(where: { $0.name == name })?.text else { return nil }
    guard let plant else { return text }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.contains(where: { $0.hasPrefix("plant: ") }) else { return nil }
    return lines.map { $0.hasPrefix("plant: ") ? "plant: \(plant)" : String($0) }
      .joined(separator: "\n")
  }

  public static let quick = """
    # Dense and sparse networks of the electrolysis cell, from ten trajectories.
    # Run it with: filigree-study run quick.yaml --output Reports/quick

    plant: electrolysis
    train: {trajectories: 10, samples: 5000, seed: 1}
    test: {trajectories: 10, samples: 5000, seed: 1001}
    sizes: [10]                         # training trajectories, the first of those above
    members: 4
    horizons: [100, 1000, 2500, 5000]   # samples
    threshold: 0.01                     # mean |J| above which a connected pair counts as relevant

    title: Sparse and dense networks of an aluminium electrolysis cell
    # The report's claims: sparse recipes, each at a cut (weights below it count as zero), beside a dense one.
    compare: {reference: dense, sparse: {sparse: 0}}

    # Any option of filigree-train, without the dashes; what is not said is the default.
    recipes:
      dense: {recipe: dense, epochs: 60}
      sparse: {}

    """

  public static let paper = """
    # The published comparison, and what surpasses it: dense networks and networks with an l1 penalty in the
    # loss, other sparsifiers, the default recipe and baselines, from 10, 20 and 40 trajectories, ten members
    # each, judged on 100 fresh ones.
    # Lundby, Rasheed, Halvorsen, Gravdahl: Sparse deep neural networks for modeling aluminum electrolysis
    # dynamics, arXiv 2209.05832.

    plant: electrolysis
    # Seeds that no choice of this program was made on.
    train: {trajectories: 40, samples: 5000, seed: 8001}
    test: {trajectories: 100, samples: 5000, seed: 9001}
    noise: [0, 0.001, 0.01]             # of each state's deviation, white
    sizes: [10, 20, 40]
    members: 10
    seed: 23
    horizons: [100, 1000, 2500, 5000]
    threshold: 0.01

    title: Sparse networks of an aluminium electrolysis cell
    about: >-
      Lundby, Rasheed, Halvorsen and Gravdahl (arXiv 2209.05832) claim that networks of this cell trained with an
      l1 penalty are far smaller than dense ones, generalise better from little data, and agree on their structure.
      Here their recipe is carried out anew, beside other sparsifiers, baselines, and the default recipe of
      Filigree.
    compare: {reference: dense, sparse: {l1: 1e-2, filigree: 0}}

    recipes:
      # As published. The penalty leaves no exact zeros: weights below the cuts count as zero.
      dense: {recipe: dense}
      l1: {recipe: l1, cuts: [0, 1e-3, 1e-2, 1e-1]}
      # The default: small smooth towers, proximal l1, Levenberg-Marquardt, elimination of inputs.
      filigree: {}
      # What is tried before a network.
      linear: {recipe: linear}
      sindy: {recipe: sindy, noise: 0}
      lasso: {recipe: lasso, noise: 0}
      # Is it the towers, is it the smoothness?
      dense-towers: {recipe: dense, towers: per-output, noise: 0}
      smooth-dense: {recipe: smooth-dense, noise: 0}
      # Each sparsifier alone, on the default's towers.
      proximal: {recipe: proximal, noise: 0}
      group-lasso: {recipe: group-lasso, noise: 0}
      magnitude: {recipe: magnitude, noise: 0}
      rigl: {recipe: rigl, noise: 0}
      soft-threshold: {recipe: soft-threshold, noise: 0}

    """

  public static let own = """
    # Linear, dense and sparse models of your own data, and what they say of it.
    # Run it with: filigree-study run own.yaml --output Reports/own

    title: My plant
    train: {file: train.csv}            # relative to this plan; NetCDF as well
    test: {file: test.csv}              # other days: trajectories that are not among those
    inputs: [valve]                     # the columns that are set from outside; all others are states
    # sizes: [3, 6]                     # numbers of training trajectories; all of them if not given
    members: 5
    horizons: [50, 100, 300]            # samples; those longer than the test trajectories are left out
    threshold: 0.01                     # mean |J| above which a connected pair counts as relevant

    compare: {reference: dense, sparse: {sparse: 0}}

    # Any option of filigree-train, without the dashes; what is not said is the default.
    recipes:
      linear: {recipe: linear}
      dense: {recipe: smooth-dense}
      sparse: {}

    """

  public static let recipes = """
    # Which training finds the plant's true structure and forecasts best: every recipe that comes with the
    # program, and variants, from 10, 20 and 40 trajectories and with measurement noise.

    plant: electrolysis
    train: {trajectories: 40, samples: 5000, seed: 4001}
    test: {trajectories: 40, samples: 5000, seed: 5001}
    noise: [0, 0.0001, 0.001, 0.01]     # of each state's deviation, white
    sizes: [10, 20, 40]
    members: 10
    seed: 7
    horizons: [100, 1000, 2500, 5000]
    threshold: 0.01

    recipes:
      # What is tried before a network.
      linear: {recipe: linear}
      sparse-linear: {recipe: sparse-linear}
      sindy: {recipe: sindy}
      sindy-cubic: {recipe: sindy, degree: 3}
      lasso: {recipe: lasso}
      # As published.
      dense: {recipe: dense}
      l1: {recipe: l1, cuts: [0, 1e-2]}
      # Each sparsifier alone, on the default's towers, without what follows the stochastic training.
      proximal: {recipe: proximal}
      group-lasso: {recipe: group-lasso}
      magnitude: {recipe: magnitude}
      rigl: {recipe: rigl}
      soft-threshold: {recipe: soft-threshold}
      # The default, and what each of its stages does.
      filigree: {}
      not-smoothed: {smooth: false, noise: [1e-4, 1e-3, 1e-2]}
      smoothed-once: {resmooth: 0, noise: [1e-4, 1e-3, 1e-2]}
      stochastic-only: {refine: 0, eliminate: 0, thin: 0, finish: 0}
      smooth-dense: {recipe: smooth-dense}
      not-eliminated: {eliminate: 0, thin: 0}
      not-thinned: {thin: 0, noise: 0}
      # Variants of it.
      sparser: {strength: 1.2e-3, noise: [0, 1e-2]}
      denser: {strength: 1e-4, noise: 0}
      groups-first: {sparsifier: group-lasso, noise: [0, 1e-2]}
      thresholds-first: {sparsifier: soft-threshold, strength: 1e-3, noise: 0}
      frozen: {freeze: 0.25, average: true, noise: 0}
      patient: {patience: 2, noise: 0}
      inputs-harder: {input-strength: 1.2e-3, noise: 0}
      small: {hidden: 10, noise: 0}
      wide: {hidden: 30, noise: [0, 1e-2]}
      two-layers: {hidden: [10, 10], noise: 0}
      joined: {hidden: [10, 10], input-skip: true, noise: 0}
      relu: {activation: relu, noise: 0}
      tanh: {activation: tanh, noise: 0}

    """

  public static let otherCells = """
    # Does the default hold on plants that it was not chosen on? Constants of the cell are drawn at random
    # within 20 % of its own; another number draws another cell, and `plant: duffing` is the oscillator.

    plant: electrolysis
    vary: 1
    train: {trajectories: 40, samples: 5000, seed: 6001}
    test: {trajectories: 40, samples: 5000, seed: 7001}
    noise: [0, 0.01]
    sizes: [10, 40]
    members: 5
    seed: 11
    horizons: [100, 1000, 2500, 5000]
    threshold: 0.01

    recipes:
      linear: {recipe: linear}
      sindy: {recipe: sindy}
      dense: {recipe: smooth-dense}
      filigree: {}

    """

  public static let plants = """
    # What the default and its baselines find in a plant of the literature: exact and with measurement noise, from
    # twelve trajectories and from three. filigree-study plan plants --plant stirred-tank prints this for another plant.

    plant: quadruple-tank
    train: {trajectories: 12, samples: 1500, seed: 8101}
    test: {trajectories: 10, samples: 1500, seed: 9101}
    noise: [0, 0.001, 0.01]             # of each state's deviation, white
    sizes: [3, 12]
    members: 5
    seed: 31
    horizons: [50, 250, 1500]
    threshold: 0.01

    title: A plant of the literature
    recipes:
      linear: {recipe: linear}
      lasso: {recipe: lasso}
      sindy: {recipe: sindy}
      dense: {recipe: smooth-dense}
      filigree: {}

    """
}

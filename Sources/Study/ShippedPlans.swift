/// Plans that come with the program.
public enum ShippedPlans {
  public static let all: [(name: String, meaning: String, text: String)] = [
    ("quick", "dense and sparse networks on ten trajectories; some ten seconds", quick),
    ("paper", "the published dense and ℓ1 networks at three sizes, ten members each", paper),
  ]

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

    # Any option of filigree-train, without the dashes; what is not said is the default.
    recipes:
      dense:
        towers: shared
        hidden: [20, 20, 20, 20]
        activation: relu
        skip: false
        sparsifier: none
        learning-rate: 1e-3
        schedule: constant
        epochs: 60
      sparse:
        cut: 0.005

    """

  public static let paper = """
    # The published comparison: dense networks and networks with an l1 penalty in the loss, from 10, 20 and
    # 40 trajectories, ten members each, judged on 100 fresh ones.
    # Lundby, Rasheed, Halvorsen, Gravdahl: Sparse deep neural networks for modeling aluminum electrolysis
    # dynamics, arXiv 2209.05832.

    plant: electrolysis
    train: {trajectories: 40, samples: 5000, seed: 1}
    test: {trajectories: 100, samples: 5000, seed: 1001}
    sizes: [10, 20, 40]
    members: 10
    horizons: [100, 1000, 2500, 5000]
    threshold: 0.01

    recipes:
      dense:
        towers: shared
        hidden: [20, 20, 20, 20]
        activation: relu
        skip: false
        sparsifier: none
        learning-rate: 1e-3
        schedule: constant
        epochs: 100
        batch: 128
        validation: 0
      l1:
        towers: shared
        hidden: [20, 20, 20, 20]
        activation: relu
        skip: false
        sparsifier: l1
        strength: 1e-4
        learning-rate: 1e-3
        schedule: constant
        epochs: 100
        batch: 128
        validation: 0
        # The penalty leaves no exact zeros: weights below these count as zero.
        cuts: [0, 1e-3, 1e-2, 1e-1]

    """
}

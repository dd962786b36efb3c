// Trains with a penalty of one's own, on the number of weights (ℓ0): what is below a threshold vanishes, what is above
// it stays as it is.
import Dynamics
import Training

struct WeightCount: Penalty {
  var strength: Double
  var among: [Int]

  func value(at weights: [Double]) -> Double {
    strength * Double(among.count { weights[$0] != 0 })
  }
  func proximalPoint(of z: [Double], metric h: [Double]) -> [Double] {
    among.reduce(into: z) { w, i in if h[i] * w[i] * w[i] < 2 * strength { w[i] = 0 } }
  }
  func residual(at weights: [Double], gradient: [Double]) -> Double {
    among.reduce(0) { weights[$1] == 0 ? $0 : max($0, abs(gradient[$1])) }
  }
}

var recipe = Recipe()
recipe.sparsifier = Sparsifier(name: "count", meaning: "λ for every weight") {
  WeightCount(strength: $1, among: $0.all)
}
let train = try Simulation(plant: DuffingOscillator(), trajectories: 10, samples: 1000).run()
let training = EnsembleTraining(recipe: recipe, members: 2, seed: 1, threads: 2)
for model in try await training.run(on: train).models.map(\.model) {
  print(model.network.survivingWeightCount, "weights of", model.network.weightCount)
}

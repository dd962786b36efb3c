// Trains an ensemble on simulated trajectories of an oscillator, and says whether it found the true dependencies and
// how well it forecasts.
import Dynamics
import Forecasting
import Networks
import Structure
import Training

let plant = DuffingOscillator()
let train = try Simulation(plant: plant, trajectories: 10, samples: 1000).run()
var fresh = Simulation(plant: plant, trajectories: 5, samples: 1000)
fresh.seed = 1001
let test = try fresh.run()

let training = EnsembleTraining(recipe: Recipe(), members: 3, seed: 1, threads: 2)
let models = try await training.run(on: train).models.map(\.model)
let ensemble = Ensemble(name: "duffing", members: models)

let relevance = try await EnsembleRelevance(ensemble, over: test, threads: 2)
let selection = Selection(relevantPairsOf: ensemble, relevance)
let score = StructureScore(
  selected: selection.consensus, truth: try await PlantTruth(plant, over: test, threads: 2))
print("dependencies: \(score.found) found, \(score.missed) missed, \(score.spurious) spurious")

let forecasts = try await RollingForecast(ensemble, over: test).run(threads: 2)
if let summary = ForecastSummary(forecasts[0], horizon: 0, compared: forecasts) {
  print("error over \(summary.horizon) samples:", summary.undiverged.meanAbsolute ?? .nan)
  print("share that diverged:", summary.diverged)
}

import Dynamics
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

@Suite struct TrainingTests {
  private func data(trajectories: Int = 4, samples: Int = 300) async throws -> Trajectories {
    try await Simulation(plant: DuffingOscillator(), trajectories: trajectories, samples: samples)
      .run(threads: 2).data
  }

  private func quick(_ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe()
    (recipe.refine, recipe.eliminate, recipe.thin, recipe.finish) = (0, 0, 0, 0)
    recipe.hidden = [8]
    recipe.length = .epochs(3)
    recipe.batch = 50
    change(&recipe)
    return recipe
  }

  @Test(arguments: [Towers.shared, .perOutput])
  func theModelsAreTheSameForAnyNumberOfThreads(towers: Towers) async throws {
    let data = try await data()
    let recipe = quick { $0.towers = towers }
    var results: [[Model]] = []
    for threads in [1, 2, 3, 8] {
      let training = EnsembleTraining(recipe: recipe, members: 3, seed: 5, threads: threads)
      results.append(try await training.run(on: data).models.map(\.model))
    }
    #expect(results.allSatisfy { $0 == results[0] })
    #expect(results[0][0] != results[0][1])
  }

  @Test func membersDoNotDependOnHowManyThereAre() async throws {
    let data = try await data()
    let few = try await EnsembleTraining(recipe: quick(), members: 1, seed: 5, threads: 2)
      .run(on: data).models.map(\.model)
    let many = try await EnsembleTraining(recipe: quick(), members: 3, seed: 5, threads: 2)
      .run(on: data).models.map(\.model)
    #expect(few[0] == many[0])
  }

  @Test(arguments: Seeds.first(2)) func trainingReducesBothLosses(seed: UInt64) async throws {
    let data = try await data(trajectories: 6, samples: 1000)
    let recipe = quick {
      $0.hidden = [20]
      $0.length = .epochs(40)
      $0.sparsifier = .none
    }
    let histories = try await EnsembleTraining(recipe: recipe, members: 1, seed: seed, threads: 2)
      .run(on: data).histories
    for history in histories {
      let first = try #require(history.epochs.first)
      let last = try #require(history.epochs.last)
      let (before, after) = (try #require(first.validationLoss), try #require(last.validationLoss))
      let ratio = last.trainingLoss / first.trainingLoss
      Seeds.note("training lowers its loss: ratio", seed: seed, ratio, below: 0.7)
      Seeds.note("training lowers its held-out loss: ratio", seed: seed, after / before, below: 1)
      #expect(ratio < 0.7)
      #expect(after < before)
    }
  }

  /// The reported losses are those of the returned model on the validation data.
  @Test func theReportedValidationLossIsThatOfTheModel() async throws {
    let data = try await data()
    let recipe = quick { $0.towers = .shared }
    let outcome = try await EnsembleTraining(recipe: recipe, members: 1, seed: 1, threads: 1)
      .run(on: data)
    let (model, histories) = (outcome.models[0].model, outcome.histories)
    let validation = try #require(data.split(validationFraction: recipe.validation).validation)
    let regression = try Regression(validation)
    let (inputs, outputs) = (regression.inputs, regression.outputs)
    var sum = 0.0
    for row in 0..<regression.rows {
      let rates = model.rates(inputs.row(row))
      for (column, rate) in rates.enumerated() {
        let error = (rate - outputs[row, column]) / model.outputScaling.deviation[column]
        sum += error * error
      }
    }
    let loss = sum / Double(outputs.elements.count)
    #expect(abs(loss / (histories[0].epochs.last?.validationLoss ?? 0) - 1) < 1e-4)
  }

  /// At a minimum of the penalised problem |∂L| ≤ λ where a weight is zero and ∂L = −λ sign w where
  /// it is not: checked on small problems, full batch, run to convergence, with the gradients of zeros
  /// at every step and at every sixteenth.
  @Test(arguments: [1, 16], [[], [4]])
  func aConvergedProximalRunIsOptimal(revisit: Int, hidden: [Int]) throws {
    var stream = RandomStream(seed: 3)
    let features = Matrix(rows: 200, columns: 6) { _, _ in stream.normal() }
    let targets = Matrix(rows: 200, columns: 1) { row, _ in
      features[row, 0] - 0.5 * features[row, 2] + 0.05 * features[row, 4]
        + (hidden.isEmpty ? 0 : 0.5 * features[row, 1] * features[row, 1]) + 0.1 * stream.normal()
    }
    let set = TrainingSet(features: features, targets: targets)
    var recipe = Recipe()
    recipe.hidden = hidden
    recipe.strength = hidden.isEmpty ? 0.2 : 0.05
    recipe.revisit = revisit
    recipe.batch = 200
    recipe.length = .epochs(60)
    recipe.learningRate = 1e-2
    recipe.finalLearningRate = 1e-7
    // An epoch of full batches is one step; to have steps between full ones the rows are repeated.
    let repeated = set.repeated(400)
    var initial = RandomStream(seed: 4)
    var trainer = Trainer(
      networks: [.initial(recipe: recipe, inputs: 6, outputs: 1, name: "y", stream: &initial)],
      recipe: recipe, set: repeated, firstTarget: 0, orders: .inOrder)
    for epoch in 1...60 { _ = trainer.runEpoch(epoch, validation: nil) }
    let (weights, gradient) = trainer.weightsAndGradient(rows: 200)
    let penalty = L1Penalty(strengths: gradient.map { _ in recipe.strength })
    #expect(penalty.residual(at: weights, gradient: gradient) < 1e-4)
    let zeros = weights.count { $0 == 0 }
    #expect(zeros >= (hidden.isEmpty ? 4 : 10))
  }

  @Test func aBatchThatIsNoMultipleOfSixteenTrainsAsWell() async throws {
    let data = try await data(trajectories: 2, samples: 200)
    let recipe = quick { $0.batch = 37 }
    let models = try await EnsembleTraining(recipe: recipe, members: 1, seed: 1, threads: 1)
      .run(on: data).models.map(\.model)
    #expect(models[0].rates([0.5, 0, 0.1]).allSatisfy { $0.isFinite })
  }

  @Test func aDivergingTrainingSaysWhere() async throws {
    let data = try await data()
    let recipe = quick {
      $0.learningRate = 10
      $0.activation = .relu
      $0.hidden = Array(repeating: 20, count: 16)
      $0.sparsifier = .none
      $0.length = .epochs(20)
      $0.schedule = .constant
    }
    let training = EnsembleTraining(
      recipe: recipe, members: 1, seed: 1, threads: 1, onDivergence: .stop)
    let failure = await #expect(throws: TrainingFailure.self) { try await training.run(on: data) }
    #expect(failure?.problem.member == 0 && failure?.output == "position")
    #expect(failure?.divergences.count == 1)
    #expect(failure.map { "\($0)".contains("`learning-rate`") } == true)
  }

  @Test func statesWithoutControlsTrain() async throws {
    let data = try await data().excluding(["force"])
    let models = try await EnsembleTraining(recipe: quick(), members: 1, seed: 1, threads: 1)
      .run(on: data).models.map(\.model)
    #expect(models[0].inputs.map(\.name) == ["position", "velocity"])
  }

  @Test func theCutRemovesSmallWeightsOnly() async throws {
    let data = try await data()
    let whole = try await EnsembleTraining(recipe: quick(), members: 1, seed: 1, threads: 1)
      .run(on: data).models[0].model
    let cut = try await EnsembleTraining(
      recipe: quick { $0.cut = 0.1 }, members: 1, seed: 1, threads: 1
    ).run(on: data).models[0].model
    #expect(cut.network == whole.network.cut(0.1))
    #expect(cut.network.survivingWeightCount < whole.network.survivingWeightCount)
  }

  @Test func impossibleRecipesNameTheField() {
    let changes: [(String, (inout Recipe) -> Void)] = [
      ("`hidden` 20,0", { $0.hidden = [20, 0] }), ("`strength` -1.0", { $0.strength = -1 }),
      ("`strength` nan", { $0.strength = .nan }), ("`learning-rate` 0.0", { $0.learningRate = 0 }),
      ("`epochs` 0", { $0.length = .epochs(0) }), ("`batch` 0", { $0.batch = 0 }),
      ("`cut` -0.1", { $0.cut = -0.1 }), ("`validation` 1.0", { $0.validation = 1 }),
      ("`average` averages", { $0.average = true }),
      ("`eliminate` 16 judges", { $0.validation = 0 }),
      ("`input-strength` 1.0 belongs", { ($0.sparsifier, $0.inputStrength) = (.rigl, 1) }),
      ("`method` lasso chooses", { ($0.method, $0.validation) = (.lasso, 0) }),
    ]
    for (words, change) in changes {
      var recipe = Recipe()
      change(&recipe)
      #expect(
        RecipeField.problem(in: recipe)?.text.hasPrefix(words) == true,
        "\(words): \(RecipeField.problem(in: recipe)?.text ?? "")")
    }
    #expect(RecipeField.problem(in: Recipe()) == nil)
    for shipped in ShippedRecipe.all {
      #expect(RecipeField.problem(in: shipped.recipe) == nil, "\(shipped.name)")
    }
  }

  /// A field that is added to a recipe and not to the table would be neither checked nor described.
  @Test func theTableOfFieldsHoldsEveryField() {
    let stored = Mirror(reflecting: Recipe()).children.compactMap(\.label).map { label in
      label.replacing(/[A-Z]/) { "-" + $0.0.lowercased() }
    }
    #expect(Set(stored) == Set(RecipeField.all.map(\.name)))
    #expect(Set(stored).count == RecipeField.all.count)
  }

  @Test func fieldsWithoutEffectSayWhy() throws {
    func reason(_ name: String, _ change: (inout Recipe) -> Void) -> String? {
      var recipe = Recipe()
      change(&recipe)
      return RecipeField.all.first { $0.name == name }?.idle(in: recipe)
    }
    #expect(reason("learning-rate", { $0.method = .lasso }) == "`method` lasso trains no network")
    #expect(reason("degree", { _ in })?.contains("stlsq") == true)
    #expect(reason("density", { _ in })?.contains("`strength`") == true)
    #expect(reason("strength", { $0.sparsifier = .rigl }) == "`sparsifier` rigl has none")
    #expect(reason("revisit", { $0.sparsifier = .l1 })?.contains("no zeros") == true)
    #expect(reason("resmooth", { $0.smooth = false })?.contains("`no-smooth`") == true)
    for field in RecipeField.all where field.concerns(.gradient) && field.name != "density" {
      #expect(field.idle(in: Recipe()) == nil, "\(field.name)")
    }
  }
}

import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Members that decide together, trained by steps whose results went through files.
@Suite struct JointTrainingTests {
  private static func throughFile<Value: Codable>(_ value: Value) throws -> Value {
    try SealedJSON.value(Value.self, from: SealedJSON.bytes(value, isCompact: true))
  }

  private func data(noise: Double) async throws -> Trajectories {
    var simulation = Simulation(plant: DuffingOscillator(), trajectories: 6, samples: 300)
    simulation.noise = noise
    return try await simulation.run(threads: 2).data
  }

  private var recipe: Recipe {
    var recipe = Recipe()
    recipe.length = .steps(400)
    recipe.hidden = [6]
    return recipe
  }

  /// Without noise nothing is smoothed; with it members are fitted anew to whitened rows and rehearsed.
  @Test(arguments: [0, 0.01]) func stepsGiveTheSameBitsAsOneRun(noise: Double) async throws {
    let training = EnsembleTraining(recipe: recipe, members: 3, seed: 7, threads: 2)
    let smoothing = try await Smoother(threads: 2).run(data(noise: noise))
    let whole = try await training.run(on: smoothing)
    let joint = try JointTraining(training, on: smoothing)
    // In another order, as a cluster makes them.
    var fits: [Int: JointTraining.Fit] = [:]
    for member in [2, 0, 1] { fits[member] = try Self.throughFile(joint.fit(member)) }
    let all = try (0..<3).map { try #require(fits[$0]) }
    let decision = try Self.throughFile(joint.decide(all))
    let refits = try (0..<3).reversed().map {
      try Self.throughFile(JointTraining(training, on: smoothing).refit($0, all[$0], decision))
    }
    let outcome = try joint.outcome(decision, refits.reversed())
    #expect(outcome.models.count == 3 && outcome.evidence != nil)
    for (a, b) in zip(outcome.models, whole.models) {
      #expect(try a.model.onnx(path: "a") == b.model.onnx(path: "a"))
    }
    #expect(
      try CanonicalJSON.bytes(outcome.evidence) == CanonicalJSON.bytes(whole.evidence))
    #expect(outcome.freeRuns == whole.freeRuns)
    #expect(outcome.histories.map(\.epochs) == whole.histories.map(\.epochs))
  }

  /// What a file says of a network is not believed.
  @Test func stepsOfAnotherShapeAreNoticed() async throws {
    let training = EnsembleTraining(recipe: recipe, members: 2, seed: 7, threads: 1)
    let joint = try await JointTraining(training, on: Smoothing(data(noise: 0)))
    let fit = try joint.fit(0)
    #expect(joint.fits(fit, of: 0) && !joint.fits(fit, of: 1))
    let text = String(decoding: try CanonicalJSON.bytes(fit, isCompact: true), as: UTF8.self)
    // A weight of negative zero, and the smallest number, come back as they were.
    let odd = try #require(text.firstMatch(of: /"weights":\[[^,\]]*/)).output
    for number in ["-0.0", "5e-324", "-1.7976931348623157e+308"] {
      let changed = text.replacing(odd, with: "\"weights\":[\(number)", maxReplacements: 1)
      let read = try CanonicalJSON.value(JointTraining.Fit.self, from: Array(changed.utf8))
      let again = try CanonicalJSON.value(
        JointTraining.Fit.self, from: CanonicalJSON.bytes(read, isCompact: true))
      #expect(again == read)
      let back = String(decoding: try CanonicalJSON.bytes(again, isCompact: true), as: UTF8.self)
      let weight = try #require(back.firstMatch(of: /"weights":\[([^,\]]*)/)?.1)
      #expect(Double(weight)?.bitPattern == Double(number)?.bitPattern, "\(weight)")
    }
    for (old, new) in [
      ("\"weights\":[", "\"weights\":[1,"), ("\"inputs\":3", "\"inputs\":4"),
      ("\"columns\":3", "\"columns\":9223372036854775807"), ("\"outputs\":[", "\"outputs\":[77,"),
      ("\"bias\":[", "\"bias\":[0,"),
    ] {
      let changed = text.replacing(old, with: new, maxReplacements: 1)
      #expect(changed != text, "\(old)")
      let read = try? CanonicalJSON.value(JointTraining.Fit.self, from: Array(changed.utf8))
      #expect(read.map { !joint.fits($0, of: 0) } ?? true, "\(old)")
    }
    let other = try await JointTraining(
      EnsembleTraining(recipe: recipe, members: 3, seed: 7, threads: 1),
      on: Smoothing(data(noise: 0)))
    let decision = try joint.decide([fit, joint.fit(1)])
    #expect(joint.fits(decision) && !other.fits(decision))
  }
}

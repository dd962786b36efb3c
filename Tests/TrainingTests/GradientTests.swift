import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Gradients and optimiser steps against PyTorch (float64); see Fixtures/PROVENANCE.md.
@Suite struct GradientTests {
  static let reference = try? Fixture.json("networks/gradients.json", as: GradientReference.self)
  static let names = reference?.cases.map(\.name) ?? []

  @Test(arguments: names, Kernels.available.map(\.instructionSet))
  func gradientsAgreeWithPyTorch(name: String, set: InstructionSet) throws {
    let reference = try #require(Self.reference)
    let expected = try #require(reference.cases.first { $0.name == name })
    var trainer = Trainer(
      networks: [expected.network], recipe: Recipe(), set: expected.trainingSet, firstTarget: 0,
      orders: SampleOrders(seed: 1), kernels: try #require(Kernels(set)))
    let rows = (0..<UInt32(expected.features.count)).map { $0 }
    let (loss, gradient) = trainer.gradient(rows: rows)
    #expect(abs(loss / expected.loss - 1) < 1e-5)
    for (ours, theirs) in zip(gradient.layers, expected.gradientNetwork.layers) {
      for (a, b) in zip(ours.connections, theirs.connections) {
        #expect(a.weight.deviation(from: b.weight) < 1e-5)
      }
      #expect(row(ours.bias).deviation(from: row(theirs.bias)) < 1e-5)
    }
  }

  @Test(arguments: names)
  func evaluationInDoubleAgreesWithPyTorch(name: String) throws {
    let reference = try #require(Self.reference)
    let expected = try #require(reference.cases.first { $0.name == name })
    let ours = Matrix(expected.features.map(expected.network.evaluate))
    #expect(ours.deviation(from: Matrix(expected.prediction)) < 1e-10)
  }

  /// The trainer's own gradient by central differences of its loss in `Double`.
  @Test func gradientsAgreeWithDifferences() throws {
    let reference = try #require(Self.reference)
    let expected = try #require(reference.cases.first { $0.name == "5-7-2 tanh" })
    let network = expected.network
    func loss(_ network: Network) -> Double {
      let errors = zip(expected.features, expected.targets).flatMap { x, y in
        zip(network.evaluate(x), y).map { ($0 - $1) * ($0 - $1) }
      }
      return errors.mean
    }
    var trainer = Trainer(
      networks: [network], recipe: Recipe(), set: expected.trainingSet, firstTarget: 0,
      orders: SampleOrders(seed: 1))
    let gradient = trainer.gradient(rows: (0..<24).map { UInt32($0) }).network
    for index in [0, 3, 17, 34] {
      let h = 1e-5
      var up = network
      var down = network
      up.layers[0].connections[0].weight.elements[index] += h
      down.layers[0].connections[0].weight.elements[index] -= h
      let difference = (loss(up) - loss(down)) / (2 * h)
      #expect(abs(gradient.layers[0].connections[0].weight.elements[index] - difference) < 1e-5)
    }
  }

  @Test(arguments: ["none", "l1", "proximal", "group-lasso", "soft-threshold"])
  func twentyStepsOfAdamFollowPyTorch(sparsifier: String) throws {
    let reference = try #require(Self.reference)
    let run = try #require(reference.optimiser.first { $0.sparsifier == sparsifier })
    let start = try #require(reference.cases.first { $0.name == run.case })
    var recipe = Recipe()
    recipe.sparsifier = try #require(Sparsifier(name: sparsifier))
    recipe.strength = run.lambda
    recipe.revisit = 1
    recipe.learningRate = run.learningRate
    recipe.schedule = .constant
    recipe.length = .epochs(run.steps)
    recipe.batch = start.features.count
    var trainer = Trainer(
      networks: [start.network], recipe: recipe, set: start.trainingSet, firstTarget: 0,
      orders: SampleOrders(seed: 1))
    for (epoch, loss) in run.loss.enumerated() {
      let record = try trainer.runEpoch(epoch + 1, validation: nil)[0].get()
      #expect(abs(record.trainingLoss / loss - 1) < 1e-4)
    }
    for (ours, theirs) in zip(trainer.result().layers, run.network(like: start).layers) {
      for (a, b) in zip(ours.connections, theirs.connections) {
        #expect((a.weight - b.weight).elements.allSatisfy { abs($0) < 2e-4 })
        #expect(a.weight.elements.map { $0 == 0 } == b.weight.elements.map { $0 == 0 })
      }
    }
  }

  @Test func theSparseRunHasExactZerosAndTheOthersNone() throws {
    let reference = try #require(Self.reference)
    let zeros = reference.optimiser.map { run in
      (run.sparsifier, run.layers.flatMap { $0.weight.joined() }.count { $0 == 0 })
    }
    #expect(zeros.first { $0.0 == "proximal" }?.1 ?? 0 > 0)
    #expect(zeros.first { $0.0 == "l1" }?.1 == 0)
  }

  private func row(_ values: [Double]) -> Matrix {
    Matrix(rows: 1, columns: values.count, elements: values)
  }
}

struct GradientReference: Decodable {
  struct Layer: Decodable {
    var weight: [[Double]]
    var bias: [Double]
  }

  struct Parameters: Decodable {
    var layers: [Layer]
    var skipWeight: [[Double]]?
  }

  struct Case: Decodable {
    var name: String
    var activation: String
    var layers: [Layer]
    var skipWeight: [[Double]]?
    var features: [[Double]]
    var targets: [[Double]]
    var prediction: [[Double]]
    var loss: Double
    var gradient: Parameters

    var network: Network { assemble(layers, skipWeight) }
    var gradientNetwork: Network { assemble(gradient.layers, gradient.skipWeight) }
    var trainingSet: TrainingSet {
      TrainingSet(features: Matrix(features), targets: Matrix(targets))
    }

    func assemble(_ layers: [Layer], _ skip: [[Double]]?) -> Network {
      Network(
        inputCount: features[0].count,
        layers: layers.enumerated().map { index, layer in
          let isLast = index == layers.count - 1
          var connections = [
            Network.Connection(
              source: index == 0 ? .inputs : .layer(index - 1), weight: Matrix(layer.weight))
          ]
          if isLast, let skip {
            connections.append(Network.Connection(source: .inputs, weight: Matrix(skip)))
          }
          return Network.Layer(
            name: "layer \(index)",
            activation: isLast ? .identity : Activation(rawValue: activation) ?? .identity,
            bias: layer.bias, connections: connections)
        },
        outputLayers: [layers.count - 1])
    }
  }

  struct Run: Decodable {
    var `case`: String
    var sparsifier: String
    var lambda: Double
    var learningRate: Double
    var steps: Int
    var loss: [Double]
    var layers: [Layer]
    var skipWeight: [[Double]]?

    func network(like start: Case) -> Network { start.assemble(layers, skipWeight) }
  }

  var cases: [Case]
  var optimiser: [Run]
}

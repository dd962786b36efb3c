import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

@Suite("ONNX files of our own")
struct ONNXTests {
  @Test(
    "A trained network comes back equal",
    arguments: Activation.allCases, [[], [5], [4, 3], [2, 6, 2]])
  func roundTrip(activation: Activation, hidden: [Int]) throws {
    for towers in Towers.allCases {
      for skip in [false, true] {
        var recipe = Recipe()
        (recipe.towers, recipe.skip) = (towers, skip)
        (recipe.activation, recipe.hidden) = (activation, hidden)
        let model = model(of: randomNetwork(recipe, seed: 1), recipe: RecipeField.texts(of: recipe))
        #expect(try written(model) == model, "\(towers), skip \(skip)")
      }
    }
  }

  /// A layer without an activation may be folded into those that read it.
  @Test("A graph of layers that no recipe makes comes back as the same function")
  func anyGraph() throws {
    let model = model(of: branchingNetwork)
    let found = try written(model)
    #expect(found.inputs == model.inputs && found.outputs == model.outputs)
    #expect(found.inputScaling == model.inputScaling)
    var stream = RandomStream(seed: 6)
    for _ in 0..<50 {
      let input = (0..<3).map { _ in 3 * stream.normal() }
      for (a, b) in zip(found.rates(input), model.rates(input)) {
        #expect(abs(a - b) <= 1e-12 * max(1, abs(b)))
      }
    }
    #expect(try written(found) == found)
  }

  @Test("A pruned network keeps its zeros")
  func pruned() throws {
    let model = model(of: randomNetwork(Recipe(), seed: 2)).cut(0.4)
    #expect(model.network.survivingWeightCount < model.network.weightCount)
    #expect(try written(model) == model)
  }

  @Test("Names, units, meanings and the recipe come back, whatever is in them")
  func metadata() throws {
    var model = model(of: branchingNetwork, recipe: ["a \"b\"\n": "日本", "": "\\N"])
    let names = ["", "a/b\n", "e\u{301} \u{1} 🫖"]
    for (index, name) in names.enumerated() {
      model.inputs[index] = Variable(name, unit: name, longName: name, role: .state)
    }
    model.outputs[0].name = "\u{0}nul"
    model.timeStep = nil
    let found = try written(model)
    #expect(found.inputs == model.inputs && found.outputs == model.outputs)
    #expect(found.recipe == model.recipe && found.timeStep == nil)
    #expect(found.inputs.map { Array($0.name.utf8) } == model.inputs.map { Array($0.name.utf8) })
    #expect(!found.hasMadeUpNames)
  }

  @Test("The same model gives the same bytes")
  func reproducible() throws {
    let model = model(of: randomNetwork(Recipe(), seed: 3), recipe: RecipeField.texts(of: Recipe()))
    #expect(try model.onnx(path: "a.onnx") == model.onnx(path: "b.onnx"))
  }

  @Test("A number too large for 32 bits is refused with the tensor it is in")
  func overflow() throws {
    var model = model(of: branchingNetwork)
    model.network.layers[1].connections[0].weight[0, 0] = 1e39
    let problem = try problem { try model.onnx(path: "a.onnx") }
    #expect(problem.kind == .cannotCreate)
    #expect(problem.words.contains("layer1_weight0 holds 1e+39"))
  }

  @Test("Without our metadata names are made up")
  func madeUpNames() throws {
    let model = try written(model(of: branchingNetwork))
    for key in ["filigree.inputs", "filigree.outputs"] {
      let bytes = try patched(try model.onnx(path: ""), key, "fILIGREE." + key.dropFirst(9))
      let found = try Model(onnx: bytes, path: "")
      #expect(found.hasMadeUpNames)
      #expect(found.network == model.network)
      if key == "filigree.inputs" { #expect(found.inputs.map(\.name) == ["x1", "x2", "x3"]) }
    }
  }

  @Test("A time step that is none is left out", arguments: ["nan", "inf", "-.5", "0.0", "abc"])
  func timeStep(text: String) throws {
    let bytes = try model(of: branchingNetwork).onnx(path: "")
    #expect(try Model(onnx: bytes, path: "").timeStep == 0.5)
    #expect(try Model(onnx: patched(bytes, "\u{3}0.5", "\u{3}" + text), path: "").timeStep == nil)
  }

  @Test("A file that is cut off anywhere is refused, or lacks no part of the network")
  func cutOff() throws {
    let model = try written(model(of: branchingNetwork))
    let bytes = try model.onnx(path: "")
    var readable = 0
    for length in 0..<bytes.count {
      do {
        let found = try Model(onnx: Array(bytes.prefix(length)), path: "cut.onnx")
        #expect(found.network == model.network, "cut at \(length)")
        readable += 1
      } catch {
        #expect(error.kind == .malformed && error.description.hasPrefix("cut.onnx: "))
      }
    }
    #expect(readable < 10)
  }

  @Test("Damaged files never crash", arguments: 0...7 as ClosedRange<UInt64>)
  func damage(part: UInt64) throws {
    var recipe = Recipe()
    (recipe.towers, recipe.hidden) = (part % 2 == 0 ? .shared : .perOutput, [3])
    let bytes = try model(of: randomNetwork(recipe, seed: 4)).onnx(path: "")
    for seed in 0..<500 {
      do {
        let changed = damaged(bytes, seed: 1000 * part + UInt64(seed))
        let found = try Model(onnx: changed, path: "")
        #expect(found.network.layers.allSatisfy { $0.bias.allSatisfy(\.isFinite) })
      } catch {
        #expect(error.kind == .malformed)
      }
    }
  }
}

// MARK: Values

private func written(_ model: Model) throws -> Model {
  try Model(onnx: try model.onnx(path: "a.onnx"), path: "a.onnx")
}

/// Three inputs, two outputs.
private func model(of network: Network, recipe: [String: String] = [:]) -> Model {
  Model(
    network: network,
    inputs: [
      Variable("T", unit: "K", longName: "temperature", role: .state), Variable("m", role: .state),
      Variable("u", unit: "A", role: .control),
    ],
    outputs: [Variable("T", unit: "K/s", role: .state), Variable("m", unit: "1/s", role: .state)],
    inputScaling: Standardisation(mean: [900.1, -0.3, 1e6], deviation: [12.5, 1e-4, 3]),
    outputScaling: Standardisation(mean: [0.1, -2], deviation: [1e-3, 40]), timeStep: 0.5,
    recipe: recipe)
}

private func randomNetwork(_ recipe: Recipe, seed: UInt64) -> Network {
  var stream = RandomStream(seed: seed)
  var network: Network
  switch recipe.towers {
  case .shared:
    network = .initial(recipe: recipe, inputs: 3, outputs: 2, name: "", stream: &stream)
  case .perOutput:
    network = .joined(
      ["T", "m"].map {
        .initial(recipe: recipe, inputs: 3, outputs: 1, name: $0, stream: &stream)
      })
  }
  for layer in network.layers.indices {
    network.layers[layer].bias = network.layers[layer].bias.map { _ in
      Double(Float(stream.normal()))
    }
  }
  return network
}

/// Linear layers that several others read, skips over layers, outputs in another order than layers.
private let branchingNetwork: Network = {
  func matrix(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix {
    var stream = RandomStream(seed: seed)
    return Matrix(rows: rows, columns: columns) { _, _ in Double(Float(stream.normal())) }
  }
  func connection(_ source: Network.Source, _ weight: Matrix) -> Network.Connection {
    Network.Connection(source: source, weight: weight)
  }
  return Network(
    inputCount: 3,
    layers: [
      Network.Layer(
        name: "linear", activation: .identity, bias: [1, 2],
        connections: [connection(.inputs, matrix(2, 3, 1))]),
      Network.Layer(
        name: "", activation: .silu, bias: [0.5, -1, 3],
        connections: [
          connection(.layer(0), matrix(3, 2, 2)), connection(.inputs, matrix(3, 3, 3)),
        ]),
      Network.Layer(
        name: "second", activation: .identity, bias: [0.25],
        connections: [connection(.layer(1), matrix(1, 3, 4))]),
      Network.Layer(
        name: "first", activation: .tanh, bias: [0],
        connections: [
          connection(.layer(0), matrix(1, 2, 5)), connection(.layer(1), matrix(1, 3, 6)),
          connection(.layer(2), matrix(1, 1, 7)), connection(.inputs, matrix(1, 3, 8)),
        ]),
    ],
    outputLayers: [3, 2])
}()

/// The bytes with the only occurrence of a text replaced by one of equal length.
private func patched(_ bytes: [UInt8], _ old: String, _ new: String) throws -> [UInt8] {
  let (old, new) = (Array(old.utf8), Array(new.utf8))
  let places = bytes.indices.filter { bytes[$0...].starts(with: old) }
  let place = try #require(places.first)
  try #require(places.count == 1 && old.count == new.count)
  var result = bytes
  result.replaceSubrange(place..<(place + old.count), with: new)
  return result
}

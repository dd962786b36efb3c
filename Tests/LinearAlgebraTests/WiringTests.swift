import Foundation
import LinearAlgebra
import Testing

/// The kernels that walk through a network, in every instruction set that this processor has, against
/// plain loops in `Double`.
@Suite struct WiringTests {
  /// Layers, share of the weights that are not zero, samples.
  static let cases: [(layers: [Int], density: Double, batch: Int)] = [
    ([1, 1, 1], 1, 16), ([3, 5, 2], 0.5, 32), ([13, 20, 20, 20, 8], 1, 128),
    ([13, 20, 20, 1], 0.08, 128), ([9, 17, 11, 3], 0.8, 144), ([6, 18, 18, 2], 0.35, 272),
    ([4, 9, 1], 0, 48),
  ]

  @Test(arguments: Kernels.available.map(\.instructionSet), cases.indices)
  func valuesAndGradientsAgreeWithPlainLoops(set: InstructionSet, number: Int) throws {
    let kernels = try #require(Kernels(set))
    let (layers, density, batch) = Self.cases[number]
    for activation in Activation.allCases where activation.isTrainable {
      var work = Workspace(layers, density: density, batch: batch, activation: activation)
      let expected = work.reference()
      work.run(kernels, onlyLive: true)
      #expect(work.deviation(of: work.outputs, from: expected.outputs) < 2e-5)
      #expect(work.gradientDeviation(expected, whole: false) < 2e-5)
      work.run(kernels, onlyLive: false)
      #expect(work.gradientDeviation(expected, whole: true) < 2e-5)
    }
  }

  @Test(
    arguments: Kernels.available.map(\.instructionSet), Activation.allCases.filter(\.isTrainable))
  func activationsAgreeWithTheLibraryFunctions(set: InstructionSet, activation: Activation) throws {
    let kernels = try #require(Kernels(set))
    var work = Workspace([1, 1, 1], density: 1, batch: 4096, activation: activation)
    work.weights = [[1], [1], [0]]
    work.biases = [[0], [0]]
    work.inputs = (0..<4096).map { Float($0 - 2048) / 100 }
    work.inputs[0] = -1000
    work.inputs[1] = 1000
    work.outputDelta = Array(repeating: 1, count: 4096)
    work.store()
    work.run(kernels, onlyLive: true)
    let slopes = work.hiddenDeltas
    for (index, input) in work.inputs.enumerated() {
      let (expected, expectedSlope) = Self.reference(activation, Double(input))
      #expect(abs(Double(work.outputs[index]) - expected) < 4e-7 * max(1, abs(expected)))
      #expect(abs(Double(slopes[index]) - expectedSlope) < 2e-6)
    }
  }

  /// φ and φ′
  static func reference(_ activation: Activation, _ z: Double) -> (Double, Double) {
    let sigmoid = 1 / (1 + exp(-z))
    return switch activation {
    case .identity: (z, 1)
    case .relu: (max(0, z), z > 0 ? 1 : 0)
    case .silu: (z * sigmoid, sigmoid + z * sigmoid * (1 - sigmoid))
    case .tanh: (tanh(z), 1 - tanh(z) * tanh(z))
    case .square: (z * z, 2 * z)
    default: (.nan, .nan)  // not trained in single precision
    }
  }

  /// The selection leads to the same values whichever weights at zero it carries along, to rounding.
  @Test func aSelectionComputesWhatTheWholeDoes() throws {
    for (layers, density, batch) in Self.cases {
      var work = Workspace(layers, density: density, batch: batch, activation: .silu)
      work.run(.active, onlyLive: true)
      let selected = work.outputs
      work.selectAll()
      work.run(.active, onlyLive: true)
      #expect(work.deviation(of: selected, from: work.outputs.map { Double($0) }) < 1e-5)
    }
  }

  @Test func aSelectionCountsWhatIsLive() {
    // Two inputs, hidden units a, b, c, output y. b is read by nobody, c reads nothing.
    var work = Workspace([2, 3, 1], density: 1, batch: 16, activation: .relu)
    work.weights = [[1, 1, 1, 1, 0, 0], [1, 0, 2], [0, 0]]
    work.store()
    #expect(work.selection.unitCount == 4)
    #expect(work.selection.liveUnitCount == 3)
    // The biases of y, c and a, two weights of y and two of a; then b with its bias and two weights.
    #expect(work.selection.liveParameterCount == 7)
    #expect(work.selection.parameterCount == 10)
    // Three weights of five do not make y keep all, four do.
    work.weights[2] = [1, 0]
    work.store()
    #expect(work.selection.liveParameterCount == 8)
    work.weights[2] = [1, 1]
    work.store()
    #expect(work.selection.liveUnitCount == 4 && work.selection.parameterCount == 13)
  }
}

/// A chain of layers with a linear skip from the inputs to the last, laid out for the kernels.
private struct Workspace: ~Copyable {
  let layers: [Int]
  let batch: Int
  let activation: Activation
  /// Per layer outputs × inputs, the skip last; then biases.
  var weights: [[Float]]
  var biases: [[Float]]
  var inputs: [Float]
  var outputDelta: [Float]
  var whole: Wiring
  var selection: Wiring
  private var arena: Arena<Float>
  private var indices: Arena<UInt32>
  private let parameters: Region
  private let chosen: Region
  private let gradient: Region
  private let values: Region
  private let slopes: Region
  private let deltas: Region
  private var gradientOfWhole = false

  init(_ layers: [Int], density: Double, batch: Int, activation: Activation) {
    self.layers = layers
    self.batch = batch
    self.activation = activation
    var stream = RandomStream(seed: UInt64(layers.reduce(0) { $0 * 31 + $1 }))
    func numbers(_ count: Int, _ density: Double) -> [Float] {
      (0..<count).map { _ in
        let value = Float(stream.normal()) / 2
        return stream.uniform() < density ? value : 0
      }
    }
    weights = (1..<layers.count).map { numbers(layers[$0] * layers[$0 - 1], density) }
    weights.append(numbers((layers.last ?? 0) * layers[0], density))
    biases = (1..<layers.count).map { numbers(layers[$0], 1) }
    inputs = numbers(layers[0] * batch, 1)
    outputDelta = numbers((layers.last ?? 0) * batch, 1)
    let units = layers.dropFirst().reduce(0, +)
    let count = weights.reduce(0) { $0 + $1.count } + units
    var layout = ArenaLayout()
    var wiringLayout = ArenaLayout()
    let rows = 1 + layers[0] + units
    whole = Wiring(rows: rows, units: units, parameters: count, in: &wiringLayout)
    selection = Wiring(rows: rows, units: units, parameters: count, in: &wiringLayout)
    parameters = layout.reserve(count)
    chosen = layout.reserve(count)
    gradient = layout.reserve(count)
    values = layout.reserve(rows * batch)
    slopes = layout.reserve(rows * batch)
    deltas = layout.reserve(rows * batch)
    arena = Arena(layout)
    indices = Arena(wiringLayout)
    var described: [Wiring.Unit] = []
    for layer in 1..<layers.count {
      let isLast = layer == layers.count - 1
      let before = described.count - (layer == 1 ? 0 : layers[layer - 1])
      let below: [Wiring.Source] = (0..<layers[layer - 1]).map {
        layer == 1 ? .input($0) : .unit(before + $0)
      }
      let skip: [Wiring.Source] = isLast ? (0..<layers[0]).map { .input($0) } : []
      described += Array(
        repeating: Wiring.Unit(
          activation: isLast ? .identity : activation, isOutput: isLast, layer: layer,
          sources: below + skip),
        count: layers[layer])
    }
    whole.describe(described, firstUnitRow: 1 + layers[0], batch: batch, in: &indices)
    store()
  }

  /// Weights and biases in the order of the wiring: later units first.
  private var ordered: [Float] {
    var result: [Float] = []
    for layer in (1..<layers.count).reversed() {
      for unit in (0..<layers[layer]).reversed() {
        let width = layers[layer - 1]
        result.append(biases[layer - 1][unit])
        result += weights[layer - 1][(unit * width)..<((unit + 1) * width)]
        if layer == layers.count - 1 {
          result += weights[layer][(unit * layers[0])..<((unit + 1) * layers[0])]
        }
      }
    }
    return result
  }

  mutating func store() {
    arena[parameters] = ordered
    selection.select(from: whole, parameters: parameters, arena, in: &indices)
    collect()
  }

  mutating func selectAll() {
    selection.select(from: whole, parameters: nil, arena, in: &indices)
    collect()
  }

  private mutating func collect() {
    arena.collect(
      parameters, at: selection.home, of: indices, count: selection.parameterCount, into: chosen)
  }

  mutating func run(_ kernels: Kernels, onlyLive: Bool) {
    arena.fill(values, with: .nan)
    arena.fill(deltas, with: .nan)
    arena.fill(gradient)
    arena.fill(values.part(0, batch), with: 1)
    arena[values.part(batch, inputs.count)] = inputs
    kernels.forward(
      arena, indices, selection, onlyLive: onlyLive, batch: batch, parameters: chosen,
      values: values, slopes: slopes)
    arena[deltas.part(deltas.count - outputDelta.count, outputDelta.count)] = outputDelta
    kernels.backward(
      arena, indices, selection, gradientsOf: onlyLive ? nil : whole, batch: batch,
      parameters: chosen, values: values, slopes: slopes, deltas: deltas, gradient: gradient)
  }

  /// Of the only hidden unit.
  var hiddenDeltas: [Float] { arena[deltas.part(2 * batch, batch)] }

  var outputs: [Float] {
    arena[values.part(values.count - outputDelta.count, outputDelta.count)]
  }

  func deviation(of ours: [Float], from theirs: [Double]) -> Double {
    let scale = theirs.map(abs).max() ?? 0
    let largest = zip(ours, theirs).map { abs(Double($0) - $1) }.max() ?? 0
    return largest / max(scale, 1)
  }

  func gradientDeviation(_ expected: (outputs: [Double], gradient: [Double]), whole: Bool) -> Double
  {
    let scale = max(1, expected.gradient.map(abs).max() ?? 0)
    let count = whole ? expected.gradient.count : selection.liveParameterCount
    let home = indices[selection.home]
    return (0..<count).map { k in
      abs(Double(arena[gradient, k]) - expected.gradient[whole ? k : Int(home[k])]) / scale
    }.max() ?? 0
  }

  /// Outputs and the gradient of every parameter, by plain loops.
  func reference() -> (outputs: [Double], gradient: [Double]) {
    var gradient = [Double](repeating: 0, count: parameters.count)
    var outputs = [Double](repeating: 0, count: outputDelta.count)
    for sample in 0..<batch {
      var rows: [[Double]] = [(0..<layers[0]).map { Double(inputs[$0 * batch + sample]) }]
      var slopesOf: [[Double]] = []
      for layer in 1..<layers.count {
        let isLast = layer == layers.count - 1
        let sums = (0..<layers[layer]).map { unit -> Double in
          var sum = Double(biases[layer - 1][unit])
          for source in 0..<layers[layer - 1] {
            let weight = weights[layer - 1][unit * layers[layer - 1] + source]
            sum += Double(weight) * rows[layer - 1][source]
          }
          if isLast {
            for source in 0..<layers[0] {
              sum += Double(weights[layer][unit * layers[0] + source]) * rows[0][source]
            }
          }
          return sum
        }
        let pairs = sums.map { WiringTests.reference(isLast ? .identity : activation, $0) }
        rows.append(pairs.map(\.0))
        slopesOf.append(pairs.map(\.1))
      }
      for (unit, value) in rows[layers.count - 1].enumerated() {
        outputs[unit * batch + sample] = value
      }
      var delta = (0..<(layers.last ?? 0)).map { Double(outputDelta[$0 * batch + sample]) }
      var place = 0
      for layer in (1..<layers.count).reversed() {
        var below = [Double](repeating: 0, count: layers[layer - 1])
        for unit in (0..<layers[layer]).reversed() {
          gradient[place] += delta[unit]
          place += 1
          for source in 0..<layers[layer - 1] {
            gradient[place] += delta[unit] * rows[layer - 1][source]
            let weight = weights[layer - 1][unit * layers[layer - 1] + source]
            below[source] += delta[unit] * Double(weight)
            place += 1
          }
          if layer == layers.count - 1 {
            for source in 0..<layers[0] {
              gradient[place] += delta[unit] * rows[0][source]
              place += 1
            }
          }
        }
        if layer > 1 { delta = zip(below, slopesOf[layer - 2]).map { $0 * $1 } }
      }
    }
    return (outputs, gradient)
  }
}

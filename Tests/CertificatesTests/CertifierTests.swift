import Certificates
import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct CertifierTests {
  private func model(
    _ network: Network, inputs: Standardisation? = nil, outputs: Standardisation? = nil
  ) -> Model {
    func names(_ count: Int, _ letter: String) -> [Variable] {
      (0..<count).map { Variable("\(letter)\($0 + 1)", unit: "", role: .state) }
    }
    return Model(
      network: network, inputs: names(network.inputCount, "x"),
      outputs: names(network.outputCount, "y"),
      inputScaling: inputs ?? .identity(network.inputCount),
      // Not the identity, which would mean that there are no standardised units.
      outputScaling: outputs
        ?? Standardisation(
          mean: Array(repeating: 1, count: network.outputCount),
          deviation: Array(repeating: 1, count: network.outputCount)), timeStep: 1)
  }

  private func unit(_ count: Int, _ side: ClosedRange<Double> = -1...1) -> InputBox {
    InputBox(sides: Array(repeating: side, count: count))
  }

  /// A search that stops where a model scales nothing, though nothing varies.
  @Test func constantsEndTheSearch() throws {
    let line = ExampleNetworks.chain([Matrix([[0.1, 1e6]])], inputs: 2)
    let slope = try Certifier(model(line, outputs: .identity(1)), in: unit(2)).slope(
      output: 0, input: 0)
    #expect(slope.boxes == 2 && slope.isTight && slope.gap < 1e-15)
  }

  /// Of a large network fewer boxes are looked at, unless their number is given.
  @Test func largeNetworksHaveFewerBoxes() throws {
    var stream = RandomStream(seed: 37)
    let network = ExampleNetworks.random(
      [4, 30, 30, 1], density: 1, skip: false, activation: .relu, &stream)
    var options = Certifier.Options()
    options.tolerance = 1e-9
    let usual = try Certifier(model(network), in: unit(4), options: options).slope(
      output: 0, input: 0)
    #expect(usual.boxes < 10_000 && usual.lower <= usual.lowest.value)
    options.boxes = 5
    let few = try Certifier(model(network), in: unit(4), options: options).slope(
      output: 0, input: 0)
    #expect(few.boxes <= 14 && few.upper >= usual.upper)
  }

  private func tight(_ tolerance: Double = 1e-9, boxes: Int = 20_000) -> Certifier.Options {
    var options = Certifier.Options()
    options.tolerance = tolerance
    options.leastTolerance = tolerance
    options.boxes = boxes
    return options
  }

  /// y = tanh(2 x₁) − 3 x₂, without x₃.
  private var known: Network {
    ExampleNetworks.chain(
      [Matrix([[2, 0, 0]]), Matrix([[1]])], skip: Matrix([[0, -3, 0]]), inputs: 3,
      activation: .tanh)
  }

  @Test func knownBoundsAreFound() throws {
    let certifier = Certifier(model(known), in: unit(3), options: tight())
    let range = try certifier.output(0)
    let most = tanh(2.0) + 3
    #expect(abs(range.upper - most) < 1e-8 && range.upper >= most - 1e-12)
    #expect(abs(range.lower + most) < 1e-8 && range.isTight)
    #expect(range.highest.point[0] == 1 && range.highest.point[1] == -1)

    let slope = try certifier.slope(output: 0, input: 0)
    #expect(abs(slope.upper - 2) < 1e-8)
    #expect(abs(slope.lower - 2 * (1 - tanh(2.0) * tanh(2.0))) < 1e-8)
    let straight = try certifier.slope(output: 0, input: 1)
    #expect(straight.lower > -3 - 1e-12 && straight.upper < -3 + 1e-12)
    #expect(!certifier.isConnected(output: 0, input: 2))
    let size = try certifier.gradientSize(output: 0)
    #expect(abs(size.upper - 5) < 1e-8 && size.highest.value > 5 - 1e-8)
  }

  /// A function with its least value inside: (x₁ − ¼)² + (x₁ + x₂)².
  @Test func aMinimumInsideIsFound() throws {
    let network = ExampleNetworks.chain(
      [Matrix([[1, 0], [1, 1]]), Matrix([[1, 1]])], inputs: 2, biases: [[-0.25, 0], [0]],
      activation: .square)
    let certifier = Certifier(model(network), in: unit(2), options: tight(1e-6))
    let range = try certifier.output(0)
    #expect(range.lower <= 0 && range.lower > -1e-5 && range.lowest.value < 1e-5)
    #expect(abs(range.upper - (1.25 * 1.25 + 4)) < 1e-5)
  }

  @Test func verdictsFollowFromBounds() async throws {
    // Rises with x₁, falls with x₂, both with x₃ (through its square), nothing with x₄.
    let network = Network(
      inputCount: 4,
      layers: [
        .init(
          name: "h", activation: .square, bias: [0],
          connections: [.init(source: .inputs, weight: Matrix([[0, 0, 1, 0]]))]),
        .init(
          name: "y", activation: .identity, bias: [0],
          connections: [
            .init(source: .layer(0), weight: Matrix([[1]])),
            .init(source: .inputs, weight: Matrix([[0.5, -0.001, 0, 0]])),
          ]),
      ], outputLayers: [1])
    let own = model(network)
    let ensemble = Ensemble(name: "e", members: [own, own])
    let certificate = try await EnsembleCertificate(
      ensemble, in: unit(4), samples: nil, options: Certifier.Options(), threads: 2)
    let pairs = certificate.pairs
    #expect(pairs.map(\.claim) == [.rises, .falls, .oneSign, .none])
    #expect(pairs.map(\.verdict) == [.proved, .proved, .refuted, .proved])
    #expect(!pairs[0].members[0].isBelow(0.01) && pairs[1].members[0].isBelow(0.01))
    // The points that refute are in the box, and the slopes there have opposite signs.
    let slope = try #require(pairs[2].members[0].slope)
    #expect(2 * slope.lowest.point[2] < 0 && 2 * slope.highest.point[2] > 0)
    let report = CertificateReport(certificate, units: .standardised, place: "a box", share: nil)
    let text = report.tables[0].text(width: 80)
    #expect(text.contains("+ (-)  ±  ·"), "\(text)")
    let notes = report.tables[0].notes.joined()
    #expect(notes.contains("1 without a path") && notes.contains("1 of both signs"))
    #expect(report.pairsTable.rows.count == 4)
  }

  /// Members that contradict each other refute a sign, though each has one.
  @Test func membersOfOppositeSignsRefuteOneSign() async throws {
    func line(_ slope: Double) -> Model {
      model(ExampleNetworks.chain([Matrix([[slope]])], inputs: 1))
    }
    func verdict(_ slopes: [Double]) async throws -> (EffectClaim, ProofVerdict) {
      let ensemble = Ensemble(name: "e", members: slopes.map(line))
      let certificate = try await EnsembleCertificate(
        ensemble, in: unit(1), samples: nil, options: Certifier.Options(), threads: 1)
      return (certificate.pairs[0].claim, certificate.pairs[0].verdict)
    }
    #expect(try await verdict([1, -1]) == (.oneSign, .refuted))
    #expect(try await verdict([1, 2]) == (.rises, .proved))
    #expect(try await verdict([1, 0]) == (.rises, .proved))
    #expect(try await verdict([0, 0]) == (.none, .proved))
  }

  /// With sides in physical units, bounds and witnesses are those of the standardised network.
  @Test func sidesArePhysical() throws {
    let scaling = Standardisation(mean: [100, 10, 0], deviation: [10, 2, 1])
    let certifier = Certifier(
      model(known, inputs: scaling), in: InputBox(sides: [95...100, 10...12, 0...0]),
      options: tight())
    let range = try certifier.output(0)
    #expect(abs(range.upper) < 1e-8 && abs(range.lower - (-tanh(1) - 3)) < 1e-8)
    #expect(range.highest.point == [100, 10, 0])
    #expect(range.lowest.point == [95, 12, 0])
  }

  @Test func differencesOfModelsAreBounded() async throws {
    var stream = RandomStream(seed: 31)
    let network = ExampleNetworks.random(
      [3, 6, 2], density: 1, skip: true, activation: .silu, &stream)
    let first = model(network)
    // The same function, standardised otherwise, and a weight changed by a thousandth.
    let same = first.rescaled(
      inputs: Standardisation(mean: [0.3, -1, 2], deviation: [3, 0.7, 1.1]),
      outputs: Standardisation(mean: [5, -2], deviation: [2, 0.3]))
    let alike = try await DifferenceCertificate(
      first, same, in: unit(3), samples: nil, options: tight(0.05), threads: 1)
    #expect(alike.outputs.allSatisfy { $0.magnitude < 0.06 && $0.isTight })
    #expect(
      alike.outputs.allSatisfy { abs($0.lowest.value) < 1e-9 && abs($0.highest.value) < 1e-9 })
    var changed = network
    changed.layers[1].connections[1].weight[0, 0] += 0.001
    let other = try await DifferenceCertificate(
      first, model(changed), in: unit(3), samples: nil, options: tight(1e-7), threads: 1)
    #expect(abs(other.outputs[0].magnitude - 0.001) < 1e-5, "\(other.outputs[0])")
    #expect(other.outputs[1].magnitude < 1e-5)
    let report = DifferenceReport(
      other, names: ("a", "b"), within: 0.002, place: "a box", share: nil)
    #expect(report.tables[0].text(width: 100).contains("proved"))
  }

  @Test func functionsWithoutBoundsAreNamed() throws {
    let network = ExampleNetworks.chain(
      [Matrix([[1]]), Matrix([[1]])], inputs: 1, activation: .gelu)
    let certifier = Certifier(model(network), in: unit(1))
    #expect { try certifier.output(0) } throws: { "\($0)".contains("gelu") }
    // That nothing depends on the input needs no bounds.
    #expect(certifier.isConnected(output: 0, input: 0))
  }

  /// Everywhere: intervals of the slopes hold, as the path bounds of Structure do.
  @Test func everywhereIsBoundedByPaths() throws {
    var stream = RandomStream(seed: 32)
    for activation: Activation in [.relu, .silu, .tanh] {
      let network = ExampleNetworks.random(
        [3, 5, 2], density: 0.8, skip: true, activation: activation, &stream)
      let certifier = Certifier(model(network), in: .everything(3))
      let paths = PathAnalysis(network)
      for output in 0..<2 {
        for input in 0..<3 where certifier.isConnected(output: output, input: input) {
          let slope = try certifier.slope(output: output, input: input)
          #expect(slope.lower >= paths.derivativeLow[output, input] - 1e-9)
          #expect(slope.upper <= paths.derivativeHigh[output, input] + 1e-9)
          #expect(slope.lower <= slope.lowest.value && slope.highest.value <= slope.upper)
        }
        #expect(try certifier.output(output).upper > 5)
      }
    }
  }

  /// Threads decide nothing, and neither do samples, but for where a search begins.
  @Test func resultsAreTheSameForAnyNumberOfThreads() async throws {
    var stream = RandomStream(seed: 33)
    let ensemble = Ensemble(
      name: "e",
      members: (0..<3).map { _ in
        model(
          ExampleNetworks.random(
            [3, 6, 4, 2], density: 0.7, skip: true, activation: .silu, &stream))
      })
    var options = Certifier.Options()
    options.boxes = 50
    let one = try await EnsembleCertificate(
      ensemble, in: unit(3), samples: nil, options: options, threads: 1)
    let three = try await EnsembleCertificate(
      ensemble, in: unit(3), samples: nil, options: options, threads: 3)
    #expect(one.members == three.members)
  }

  /// A search out of time still proves something.
  @Test func aDeadlineLeavesSoundBounds() throws {
    var stream = RandomStream(seed: 34)
    let network = ExampleNetworks.random(
      [4, 8, 1], density: 1, skip: true, activation: .silu, &stream)
    var options = tight(1e-12)
    options.deadline = ContinuousClock.now
    let hasty = try Certifier(model(network), in: unit(4), options: options).output(0)
    let patient = try Certifier(model(network), in: unit(4), options: tight(0.05)).output(0)
    #expect(hasty.boxes <= 4 && hasty.lower <= patient.lowest.value)
    #expect(hasty.upper >= patient.highest.value && hasty.upper.isFinite)
  }

  /// Ten times as tight as plain intervals, on boxes as wide as data.
  @Test func divisionBringsBoundsCloser() throws {
    var stream = RandomStream(seed: 35)
    let network = ExampleNetworks.random(
      [3, 10, 1], density: 1, skip: true, activation: .silu, &stream)
    let plain = try Certifier(
      model(network), in: unit(3, -2...2), options: tight(1e-9, boxes: 1)
    ).output(0)
    let divided = try Certifier(model(network), in: unit(3, -2...2), options: tight(0.01)).output(0)
    #expect(divided.gap <= divided.tolerance)
    #expect(plain.gap > 2 * divided.gap)
  }

  @Test func boxesOfQuantilesHoldTheirShare() {
    var stream = RandomStream(seed: 36)
    let points = Matrix(rows: 1000, columns: 2) { _, _ in stream.normal() }
    let all = InputBox(quantiles: 0...1, of: points)
    #expect(all.share(of: points) == 1)
    let share = InputBox(quantiles: 0.05...0.95, of: points).share(of: points)
    #expect(abs(share - 0.81) < 0.05)
  }
}

import Certificates
import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

/// A thousand certificates of random networks in random boxes, and as many attempts at refuting each of them.
@Suite struct SoundnessTests {
  struct Case {
    var network: Network
    var box: [ClosedRange<Double>]
  }

  static let piecewise: [Activation] = [.relu, .leakyRelu(slope: Double(Float(0.1))), .clip]
  static let smooth: [Activation] = [.silu, .tanh, .sigmoid, .softplus, .square]

  /// A network of one to three layers with Float weights, and a box narrow or wide.
  private func example(_ activations: [Activation], _ stream: inout RandomStream) -> Case {
    let shapes = [
      [2, 4, 1], [3, 5, 2], [2, 4, 3, 1], [3, 4, 4, 2], [1, 5, 1], [2, 3, 3, 3, 1],
    ]
    let sizes = shapes[stream.integer(in: 0...(shapes.count - 1))]
    let activation = activations[stream.integer(in: 0...(activations.count - 1))]
    // Squares of squares soon leave the range.
    let used = activation == .square ? Array(sizes.prefix(2)) + [1] : sizes
    let network = ExampleNetworks.random(
      used, density: 0.8, skip: stream.uniform() < 0.5, activation: activation, &stream
    ).inSinglePrecision
    let width = Double.exp(2 * stream.normal() - 1)
    return Case(
      network: network,
      box: (0..<used[0]).map { _ in
        let middle = stream.normal()
        return (middle - width * stream.uniform())...(middle + width * stream.uniform())
      })
  }

  /// Corners, and points anywhere inside.
  private func points(_ box: [ClosedRange<Double>], _ count: Int, _ stream: inout RandomStream)
    -> [[Double]]
  {
    (0..<count).map { number in
      box.map { side in
        let share = stream.uniform()
        let inside = side.lowerBound + share * (side.upperBound - side.lowerBound)
        let value = number % 3 == 0 ? (share < 0.5 ? side.lowerBound : side.upperBound) : inside
        return min(side.upperBound, max(side.lowerBound, value))
      }
    }
  }

  /// Bounds below and above, from no more than so many boxes each.
  private func bounds<R: Rounding>(
    _ network: Network, _ output: Int, _ question: Expression<R>.Question,
    in sides: [ClosedRange<Double>], boxes: Int
  ) throws -> (inputs: [Int], lower: Double, upper: Double) {
    let expression = try Expression<R>(EdgeList(network), output: output, question)
    let box = Box<R>(
      expression.inputs.map {
        RoundedInterval(lower: sides[$0].lowerBound, upper: sides[$0].upperBound)
      })
    var search = BranchAndBound(expression)
    let options = BranchAndBound<R>.Options(tolerance: 0, boxes: boxes)
    let start = zip(box.low, box.high).map { ($0 + $1) / 2 }
    let low = search.minimise(in: box, sign: 1, from: start, options)
    let high = search.minimise(in: box, sign: -1, from: start, options)
    #expect(low.bound <= low.found && high.bound <= high.found || R.self != Outward.self)
    return (expression.inputs, low.bound, -high.bound)
  }

  private func isOutside(_ value: ExactNumber, _ lower: Double, _ upper: Double) -> Bool {
    lower.isFinite && value < ExactNumber(lower) || upper.isFinite && value > ExactNumber(upper)
  }

  /// Certificates of piecewise linear networks that exact arithmetic refutes, and how many there were.
  private func refutations<R: Rounding>(_ rounding: R.Type, networks: Int, seed: UInt64) throws
    -> (refuted: Int, certificates: Int)
  {
    var stream = RandomStream(seed: seed)
    var (refuted, certificates) = (0, 0)
    for _ in 0..<networks {
      let example = example(Self.piecewise, &stream)
      let boxes = [1, 3, 30][stream.integer(in: 0...2)]
      let answers = points(example.box, 20, &stream).map {
        ExactNetwork.evaluate(example.network, $0)
      }
      for output in 0..<example.network.outputCount {
        let value = try bounds(
          example.network, output, Expression<R>.Question.value, in: example.box, boxes: boxes)
        certificates += 1
        if answers.contains(where: { isOutside($0.outputs[output], value.lower, value.upper) }) {
          refuted += 1
        }
        for input in value.inputs {
          let slope = try bounds(
            example.network, output, Expression<R>.Question.slope(input), in: example.box,
            boxes: boxes)
          certificates += 1
          if answers.contains(where: { answer in
            answer.jacobian.map { isOutside($0[output][input], slope.lower, slope.upper) } ?? false
          }) {
            refuted += 1
          }
        }
      }
    }
    return (refuted, certificates)
  }

  @Test func exactArithmeticRefutesNoCertificate() throws {
    let result = try refutations(Outward.self, networks: 170, seed: 11)
    #expect(result.refuted == 0)
    #expect(result.certificates > 500, "\(result.certificates)")
  }

  /// The same search finds what is wrong when numbers are rounded to nearest instead: it would notice.
  @Test func withoutOutwardRoundingCertificatesAreRefuted() throws {
    #expect(try refutations(ToNearest.self, networks: 170, seed: 11).refuted > 5)
  }

  /// Of smooth networks values at points are enclosed by intervals, and held against the product's other Jacobian.
  @Test func smoothNetworksKeepTheirBounds() throws {
    var stream = RandomStream(seed: 12)
    var certificates = 0
    for _ in 0..<150 {
      let example = example(Self.smooth, &stream)
      let boxes = [1, 3, 30][stream.integer(in: 0...2)]
      let points = points(example.box, 20, &stream)
      let evaluator = JacobianEvaluator(example.network)
      for output in 0..<example.network.outputCount {
        let value = try bounds(
          example.network, output, Expression<Outward>.Question.value, in: example.box,
          boxes: boxes)
        certificates += 1
        for point in points {
          let found = example.network.evaluate(point)[output]
          let rounding = 1e-12 * (1 + abs(found) + value.upper.magnitude)
          #expect(value.lower <= found + rounding && found - rounding <= value.upper)
        }
        for input in value.inputs {
          let slope = try bounds(
            example.network, output, Expression<Outward>.Question.slope(input), in: example.box,
            boxes: boxes)
          certificates += 1
          var search = BranchAndBound(
            try Expression<Outward>(
              EdgeList(example.network), output: output, .slope(input)))
          for point in points {
            let own = value.inputs.map { point[$0] }
            // The point's own enclosure meets the bounds.
            #expect(slope.lower <= search.value(at: own, sign: 1))
            #expect(-search.value(at: own, sign: -1) <= slope.upper)
            let found = evaluator.jacobian(point)[output, input]
            let rounding = 1e-9 * (1 + abs(found))
            #expect(slope.lower <= found + rounding && found - rounding <= slope.upper)
            #expect(abs(search.value(at: own, sign: 1) - found) < rounding)
          }
        }
      }
    }
    #expect(certificates > 450, "\(certificates)")
  }

  /// The more boxes, the closer: what is proved with few holds with many.
  @Test func boundsOnlyImproveWithMoreBoxes() throws {
    var stream = RandomStream(seed: 13)
    for activations in [Self.piecewise, Self.smooth] {
      for _ in 0..<20 {
        let example = example(activations, &stream)
        var last = (lower: -Double.infinity, upper: Double.infinity)
        for boxes in [1, 5, 50, 300] {
          let found = try bounds(
            example.network, 0, Expression<Outward>.Question.value, in: example.box, boxes: boxes)
          #expect(found.lower >= last.lower && found.upper <= last.upper)
          last = (found.lower, found.upper)
        }
      }
    }
  }
}

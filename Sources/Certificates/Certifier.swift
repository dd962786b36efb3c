import LinearAlgebra
import Networks
import Structure

/// Proves bounds of what a model computes from any input of a box.
///
/// A bound speaks of the real function that the model's stored numbers define: weights, biases, means and deviations
/// are taken as exact, sums and activations as in mathematics. A runtime that rounds to single precision differs from
/// that function by its rounding. Where an activation has a kink, the slope there is everything between the slopes on
/// its sides (Clarke's), which is what monotony and Lipschitz constants need.
public struct Certifier: Sendable {
  public struct Options: Sendable {
    /// How far a bound may be from a value that is reached: as a share of the range of values found …
    public var tolerance = 0.05
    /// … but not less than this, in standardised units; of models that scale nothing a thousandth of the range that
    /// plain intervals leave instead.
    public var leastTolerance = 0.01
    /// How many boxes may be looked at for each bound; nil for the usual number, which is smaller for large networks.
    public var boxes: Int?
    /// When the search stops with what is known, by the clock: results then depend on the machine.
    public var deadline: ContinuousClock.Instant?

    public init() {}
  }

  /// A place inside the box, and what the model says there.
  public struct Witness: Equatable, Sendable {
    /// In physical units, in the order of the model's inputs.
    public var point: [Double]
    /// What is asked for, standardised, at that point: no larger than this in truth for a lowest, no smaller for a
    /// highest.
    public var value: Double
  }

  /// Proven bounds of a quantity over the box, with places that show how tight they are; standardised.
  public struct Bounds: Equatable, Sendable {
    /// It is never smaller.
    public var lower: Double
    /// It is never larger.
    public var upper: Double
    public var lowest: Witness
    public var highest: Witness
    /// How far bounds were allowed to be from the values found.
    public var tolerance: Double
    /// Whether only the upper bound was sought.
    public var isUpperAlone = false
    /// How many boxes were looked at.
    public var boxes: Int

    /// The larger distance of a bound that was sought from the value found on its side.
    public var gap: Double {
      isUpperAlone ? upper - highest.value : max(lowest.value - lower, upper - highest.value)
    }
    public var isTight: Bool { gap <= tolerance }
    /// The largest magnitude that is possible.
    public var magnitude: Double { max(abs(lower), abs(upper)) }
  }

  public let model: Model
  public let box: InputBox
  public var options: Options
  private let graph: EdgeList
  /// Points of the box at which searches begin, in physical units.
  private let starts: [[Double]]

  /// How many boxes are looked at for a bound unless another number is asked for, and how many weights at most in all
  /// of them together.
  public static let usualBoxes = 20_000
  private static let usualWork = 40_000_000
  /// How many samples are looked at for small and large values before a search.
  public static let usualStarts = 64
  /// How many boxes are looked at where a side has no end: dividing such a box gains little.
  private static let mostUnbounded = 200
  /// How far from the mean points are looked for where a side has no end, in deviations.
  private static let reach = 10.0

  /// - Parameters:
  ///   - model: of which bounds are proved.
  ///   - box: in which they hold.
  ///   - samples: points at which to look first, samples × inputs in physical units; those outside the box are left
  ///     out. They decide how soon a search ends, not what it proves.
  ///   - options: of the search.
  public init(
    _ model: Model, in box: InputBox, samples: Matrix? = nil, options: Options = Options()
  ) {
    self.model = model
    self.box = box
    self.options = options
    graph = EdgeList(model.network)
    guard let samples, samples.rows > 0 else {
      starts = []
      return
    }
    let step = max(1, samples.rows / Self.usualStarts)
    starts = stride(from: 0, to: samples.rows, by: step).map { Array(samples.row($0)) }
      .filter { zip($0, box.sides).allSatisfy { $1.contains($0) } }
  }

  /// Whether any path of weights leads from an input to an output: without one the output does not depend on it,
  /// whatever the state.
  public func isConnected(output: Int, input: Int) -> Bool {
    graph.inputsBehind(output).contains(input)
  }

  // MARK: Questions

  /// Bounds of an output, standardised.
  ///
  /// - Throws: `NoBounds` where the model has an activation without proven bounds.
  public func output(_ output: Int) throws -> Bounds {
    try bounds(Expression<Outward>(graph, output: output, .value), decidesSign: false)
  }

  /// Bounds of ∂f/∂x of an output and an input, standardised. They hold for its mean over any data inside the box,
  /// too.
  ///
  /// - Throws: `NoBounds`.
  public func slope(output: Int, input: Int) throws -> Bounds {
    try bounds(Expression<Outward>(graph, output: output, .slope(input)), decidesSign: true)
  }

  /// Bounds of Σ |∂f/∂x| over all inputs: its upper bound is the Lipschitz constant of the output for the largest
  /// change of any input, in deviations. The lower bound is that of a single box: nothing depends on it.
  ///
  /// - Throws: `NoBounds`.
  public func gradientSize(output: Int) throws -> Bounds {
    try bounds(
      Expression<Outward>(graph, output: output, .gradientSize), decidesSign: false,
      isUpperAlone: true)
  }

  /// Bounds of this model's output minus another's, in deviations of this model's output.
  ///
  /// - Parameters:
  ///   - other: with the same inputs and outputs, possibly standardised otherwise.
  ///   - output: whose values are compared in physical units.
  /// - Throws: `NoBounds`.
  public func difference(from other: Model, output: Int) throws -> Bounds {
    try bounds(
      Expression<Outward>(
        difference: (graph, model), (EdgeList(other.network), other), output: output),
      decidesSign: false)
  }

  // MARK: Search

  private func bounds(
    _ expression: Expression<Outward>, decidesSign: Bool, isUpperAlone: Bool = false
  ) throws -> Bounds {
    let inputs = expression.inputs
    let whole: Box<Outward> = box.standardised(inputs, model.inputScaling)
    let near = whole.within(Self.reach)
    var search = BranchAndBound(expression)
    let points =
      [near.middle] + starts.map { near.nearest(standardised($0, inputs)) }
      + scattered(in: near)
    let low = search.descend(from: points, in: near, sign: 1)
    let high = search.descend(from: points, in: near, sign: -1)
    let found = (
      low: search.value(at: low, sign: 1), high: -search.value(at: high, sign: -1)
    )
    let least = leastTolerance(search.pass.value(near), found)
    let tolerance = max(least, self.options.tolerance * (found.high - found.low))
    var options = BranchAndBound<Outward>.Options(
      tolerance: tolerance.isFinite ? tolerance : least,
      boxes: self.options.boxes
        ?? max(1, min(Self.usualBoxes, Self.usualWork / search.pass.work)),
      decidesSign: decidesSign)
    if !whole.isBounded { options.boxes = min(options.boxes, Self.mostUnbounded) }
    var lowerOptions = options
    if isUpperAlone { lowerOptions.boxes = 1 }
    let lowest = search.minimise(in: whole, sign: 1, from: low, lowerOptions, goesOn: goesOn)
    let highest = search.minimise(in: whole, sign: -1, from: high, options, goesOn: goesOn)
    let witnesses = (
      witness(lowest.point, &search, sign: 1), witness(highest.point, &search, sign: -1)
    )
    return Bounds(
      lower: lowest.bound, upper: -highest.bound, lowest: witnesses.0, highest: witnesses.1,
      tolerance: options.tolerance, isUpperAlone: isUpperAlone,
      boxes: lowest.boxes + highest.boxes)
  }

  private func leastTolerance(_ plain: Interval, _ found: (low: Double, high: Double)) -> Double {
    guard model.scalesNothing else { return options.leastTolerance }
    let rounding = 1e-9 * max(abs(found.low), abs(found.high))
    return max(plain.width.isFinite ? 1e-3 * plain.width : 0, rounding)
  }

  /// Points spread over a box at random, always the same ones.
  private func scattered(in box: Box<Outward>) -> [[Double]] {
    var stream = RandomStream(seed: 1)
    return (0..<Self.usualStarts).map { _ in
      box.low.indices.map { box.low[$0] + stream.uniform() * (box.high[$0] - box.low[$0]) }
    }
  }

  private func goesOn() -> Bool {
    options.deadline.map { ContinuousClock.now < $0 } ?? true
  }

  private func standardised(_ point: [Double], _ inputs: [Int]) -> [Double] {
    inputs.map {
      (point[$0] - model.inputScaling.mean[$0]) / model.inputScaling.deviation[$0]
    }
  }

  /// A standardised point as one in physical units inside the box, where the value is enclosed anew.
  private func witness(
    _ point: [Double], _ search: inout BranchAndBound<Outward>, sign: Double
  ) -> Witness {
    let inputs = search.pass.expression.inputs
    let physical = box.point(point, of: inputs, model.inputScaling)
    let place = Box<Outward>(
      inputs.map { InputBox.standardised(physical[$0], $0, model.inputScaling) })
    let value = search.pass.value(place)
    return Witness(point: physical, value: sign > 0 ? value.upper : value.lower)
  }
}

extension Expression {
  /// One model's output minus another's in deviations of the first's, over the first's standardised inputs:
  /// f₁(z) − (σ₂/σ₁) f₂((σ z + μ − μ′)/σ′) + (μ₂ − μ₁ …)/σ₁. Quotients of deviations are enclosed by intervals.
  init(
    difference first: (graph: EdgeList, model: Model), _ second: (graph: EdgeList, model: Model),
    output: Int
  ) throws {
    let read = Set(first.graph.inputsBehind(output)).union(second.graph.inputsBehind(output))
    self.init(inputs: read.sorted())
    let places = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ($1, $0) })
    let one = try add(first.graph, output: output) {
      places[$0].map { .node($0) } ?? .constant(.zero)
    }
    var moved: [Int: Term] = [:]
    for input in second.graph.inputsBehind(output) {
      guard let place = places[input] else { continue }
      let (a, b) = (first.model.inputScaling, second.model.inputScaling)
      if a.mean[input] == b.mean[input], a.deviation[input] == b.deviation[input] {
        moved[input] = .node(place)
      } else {
        let deviation = Bound(b.deviation[input])
        let scaled = product(
          .constant(Bound(a.deviation[input]) / deviation), .node(place))
        moved[input] = sum(
          [(1, scaled)], bias: (Bound(a.mean[input]) - Bound(b.mean[input])) / deviation)
      }
    }
    let two = try add(second.graph, output: output) { moved[$0] ?? .constant(.zero) }
    let (a, b) = (first.model.outputScaling, second.model.outputScaling)
    let unit = Bound(a.deviation[output])
    let ratio =
      a.deviation[output] == b.deviation[output] ? Bound(1) : Bound(b.deviation[output]) / unit
    let shift =
      a.mean[output] == b.mean[output]
      ? .zero : (Bound(a.mean[output]) - Bound(b.mean[output])) / unit
    // Units that both have are the same nodes, and what both make of them cancels.
    let other = product(.constant(ratio), two.result)
    let (plus, minus) = (expanded(one.result), expanded(other))
    finish(
      with: sum(
        plus.terms + minus.terms.map { (-$0.weight, $0.term) },
        bias: shift + (plus.bias - minus.bias)))
  }
}

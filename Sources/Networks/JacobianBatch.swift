import Dynamics
import LinearAlgebra

/// Exact Jacobians ∂f/∂x of a network at many samples: ∂f/∂x = Σ over paths of weights times slopes, by one
/// backward sweep per output over the weights that are not zero, side by side for `lanes` samples. `Double`
/// throughout; at a ReLU's kink the slope is 0.
///
/// Where all slopes are 0 or 1 (ReLU), samples with the same slopes have the same Jacobian: of consecutive samples
/// with equal slopes only the first is swept, and counts for all.
public struct JacobianBatch: ~Copyable {
  /// The number of samples swept together: the deltas of a hundred units stay in the first-level cache.
  public static let lanes = 32

  public let outputCount: Int
  public let inputCount: Int
  private let kernels: Kernels
  private let wiring: Wiring
  private let outputUnits: [Int]
  /// Whether slopes are piecewise constant.
  private let isPiecewise: Bool

  private let parameters: Region
  private let values: Region
  private let slopes: Region
  private let lastSlopes: Region
  /// Slopes of the samples to be swept, and how many samples each stands for.
  private let chosenSlopes: Region
  private let weights: Region
  private let deltas: Region
  private let jacobian: Region
  private let magnitudeSums: Region
  private let signedSums: Region
  private var arena: Arena<Double>
  private var indices: Arena<UInt32>
  private let dependencies: [Region]
  private let begins: Region
  private var lists: Arena<UInt32>
  private let rowOfUnit: [Int]
  /// Samples chosen but not yet swept.
  private var chosen = 0
  private var hasLast = false

  public init(_ network: Network, kernels: Kernels = .active) {
    self.kernels = kernels
    let wired = WiredNetwork(network)
    let all = wired.parameters
    let units = wired.units.count
    outputUnits = wired.outputUnits
    outputCount = outputUnits.count
    inputCount = network.inputCount
    isPiecewise = network.layers.allSatisfy { $0.activation.isPiecewiseLinear }
    let firstUnitRow = 1 + network.inputCount
    let rows = firstUnitRow + units
    var wiringLayout = ArenaLayout()
    var whole = Wiring(rows: rows, units: units, parameters: all.count, in: &wiringLayout)
    var selection = Wiring(rows: rows, units: units, parameters: all.count, in: &wiringLayout)
    indices = Arena(wiringLayout)
    whole.describe(wired.units, firstUnitRow: firstUnitRow, batch: Self.lanes, in: &indices)
    var maskLayout = ArenaLayout()
    let mask = maskLayout.reserve(all.count)
    var masks = Arena<Float>(maskLayout)
    masks[mask] = all.map { $0.isWeight && $0.value == 0 ? 0 : 1 }
    selection.select(from: whole, parameters: mask, keepingZeros: false, masks, in: &indices)
    wiring = selection
    // The selection keeps the order of the units that lead to an output, and their rows.
    let ancestors = outputUnits.map(wired.unitsBehind)
    let live = Set(ancestors.joined()).sorted()
    precondition(selection.liveUnitCount == live.count)
    rowOfUnit = live.map { firstUnitRow + $0 }
    let place = Dictionary(uniqueKeysWithValues: live.enumerated().map { ($1, $0) })
    let home = indices[selection.home].prefix(selection.liveParameterCount).map { Int($0) }

    var layout = ArenaLayout()
    parameters = layout.reserve(all.count)
    values = layout.reserve(rows * Self.lanes)
    slopes = layout.reserve(rows * Self.lanes)
    lastSlopes = layout.reserve(units)
    chosenSlopes = layout.reserve(rows * Self.lanes)
    weights = layout.reserve(Self.lanes)
    deltas = layout.reserve(rows * Self.lanes)
    jacobian = layout.reserve(outputCount * inputCount * Self.lanes)
    magnitudeSums = layout.reserve(outputCount * inputCount)
    signedSums = layout.reserve(outputCount * inputCount)
    arena = Arena(layout)
    arena.fill(values.part(0, Self.lanes), with: 1)
    for (place, index) in home.enumerated() { arena[parameters, place] = all[index].value }

    var listLayout = ArenaLayout()
    dependencies = ancestors.map { listLayout.reserve($0.count) }
    begins = listLayout.reserve(Self.lanes)
    lists = Arena(listLayout)
    for (region, found) in zip(dependencies, ancestors) {
      lists[region] = found.map { UInt32(place[$0] ?? 0) }
    }
  }

  // MARK: Sums over many samples

  /// Adds the Jacobians at rows of `samples` (samples × inputs, standardised first) to the sums.
  public mutating func add(
    _ samples: Matrix, rows: Range<Int>, _ scaling: Standardisation
  ) {
    precondition(samples.columns == inputCount && rows.upperBound <= samples.rows)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.lanes) {
      let count = min(Self.lanes, rows.upperBound - first)
      load(samples, first: first, count: count, scaling)
      if isPiecewise {
        takeRuns(count)
      } else {
        arena[weights] = (0..<Self.lanes).map { $0 < count ? 1 : 0 }
        sweep(slopes)
        sum()
      }
    }
  }

  /// Σ|J| and ΣJ over all samples so far, outputs × inputs.
  public mutating func sums() -> (magnitude: Matrix, signed: Matrix) {
    if chosen > 0 { sweepChosen() }
    hasLast = false
    return (
      Matrix(rows: outputCount, columns: inputCount, elements: arena[magnitudeSums]),
      Matrix(rows: outputCount, columns: inputCount, elements: arena[signedSums])
    )
  }

  /// The Jacobians (outputs × inputs) at up to `lanes` rows.
  public mutating func jacobians(
    _ samples: Matrix, rows: Range<Int>, _ scaling: Standardisation
  ) -> [Matrix] {
    precondition(rows.count <= Self.lanes && chosen == 0)
    load(samples, first: rows.lowerBound, count: rows.count, scaling)
    sweep(slopes)
    let all = arena[jacobian]
    return (0..<rows.count).map { lane in
      Matrix(rows: outputCount, columns: inputCount) {
        all[($0 * inputCount + $1) * Self.lanes + lane]
      }
    }
  }

  /// Visits all rows: `body` receives the Jacobians of a block, outputs × inputs × `lanes`, its first row, and how
  /// many of its lanes count.
  public mutating func forEachBlock(
    _ samples: Matrix, _ scaling: Standardisation,
    _ body: (_ jacobians: [Double], _ first: Int, _ count: Int) -> Void
  ) {
    for first in stride(from: 0, to: samples.rows, by: Self.lanes) {
      let count = min(Self.lanes, samples.rows - first)
      load(samples, first: first, count: count, scaling)
      sweep(slopes)
      body(arena[jacobian], first, count)
    }
  }

  /// ∂(output)/∂(input) at every row.
  public mutating func slopes(
    output: Int, input: Int, over samples: Matrix, _ scaling: Standardisation
  ) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(samples.rows)
    let region = jacobian.part((output * inputCount + input) * Self.lanes, Self.lanes)
    for first in stride(from: 0, to: samples.rows, by: Self.lanes) {
      let count = min(Self.lanes, samples.rows - first)
      load(samples, first: first, count: count, scaling)
      sweep(slopes)
      result += arena[region].prefix(count)
    }
    return result
  }

  /// For each list of units, numbered through all layers: the mean over the rows of the product of their slopes,
  /// and the share of rows at which all of them are positive.
  public mutating func activity(
    of lists: [[Int]], over samples: Matrix, _ scaling: Standardisation
  ) -> [(meanSlope: Double, activeShare: Double)] {
    var products = [Double](repeating: 0, count: lists.count)
    var active = [Int](repeating: 0, count: lists.count)
    for first in stride(from: 0, to: samples.rows, by: Self.lanes) {
      let count = min(Self.lanes, samples.rows - first)
      load(samples, first: first, count: count, scaling)
      for (index, units) in lists.enumerated() {
        for lane in 0..<count {
          var product = 1.0
          var isActive = true
          for unit in units {
            let slope = arena[slopes, (1 + inputCount + unit) * Self.lanes + lane]
            product *= slope
            isActive = isActive && slope > 0
          }
          products[index] += product
          if isActive { active[index] += 1 }
        }
      }
    }
    let all = Double(samples.rows)
    return zip(products, active).map { ($0 / all, Double($1) / all) }
  }

  /// Per unit, numbered through all layers: the share of rows at which its slope is above `threshold`. Values of
  /// units that reach no output are meaningless.
  public mutating func activeShares(
    over samples: Matrix, _ scaling: Standardisation, slopeAbove threshold: Double
  ) -> [Double] {
    let units = slopes.count / Self.lanes - 1 - inputCount
    var active = [Int](repeating: 0, count: units)
    for first in stride(from: 0, to: samples.rows, by: Self.lanes) {
      let count = min(Self.lanes, samples.rows - first)
      load(samples, first: first, count: count, scaling)
      for unit in 0..<units {
        let row = slopes.part((1 + inputCount + unit) * Self.lanes, Self.lanes)
        for lane in 0..<count where arena[row, lane] > threshold { active[unit] += 1 }
      }
    }
    return active.map { Double($0) / Double(samples.rows) }
  }

  private mutating func load(
    _ samples: Matrix, first: Int, count: Int, _ scaling: Standardisation
  ) {
    for input in 0..<inputCount {
      let (mean, factor) = (scaling.mean[input], 1 / scaling.deviation[input])
      let row = values.part((1 + input) * Self.lanes, Self.lanes)
      for lane in 0..<count { arena[row, lane] = (samples[first + lane, input] - mean) * factor }
      // What is left over repeats the last.
      for lane in count..<Self.lanes { arena[row, lane] = arena[row, count - 1] }
    }
    kernels.evaluate(
      arena, indices, wiring, batch: Self.lanes, parameters: parameters, values: values,
      slopes: slopes)
  }

  private mutating func sweep(_ slopes: Region) {
    let width = inputCount * Self.lanes
    for output in 0..<outputCount {
      kernels.sensitivity(
        arena, indices, wiring, units: dependencies[output], in: lists, inputs: inputCount,
        batch: Self.lanes, parameters: parameters, slopes: slopes, deltas: deltas,
        jacobian: jacobian.part(output * width, width))
    }
  }

  private mutating func sum() {
    kernels.magnitudes(
      arena, rows: outputCount * inputCount, batch: Self.lanes, weight: weights, x: jacobian,
      magnitude: magnitudeSums, sum: signedSums)
  }

  // MARK: Runs of equal slopes

  private mutating func takeRuns(_ count: Int) {
    _ = kernels.runs(
      arena, indices, wiring, batch: Self.lanes, slopes: slopes, last: lastSlopes, begins: begins,
      in: lists)
    for lane in 0..<count {
      if lists[begins, lane] != 0 || !hasLast {
        if chosen == Self.lanes { sweepChosen() }
        for row in rowOfUnit {
          let place = row * Self.lanes
          arena[chosenSlopes, place + chosen] = arena[slopes, place + lane]
        }
        arena[weights, chosen] = 1
        chosen += 1
        hasLast = true
      } else if chosen > 0 {
        arena[weights, chosen - 1] += 1
      }
    }
    for (unit, row) in rowOfUnit.enumerated() {
      arena[lastSlopes, unit] = arena[slopes, row * Self.lanes + count - 1]
    }
  }

  /// The last run may continue in the next block: its slopes are kept.
  private mutating func sweepChosen() {
    for lane in chosen..<Self.lanes { arena[weights, lane] = 0 }
    sweep(chosenSlopes)
    sum()
    chosen = 0
    hasLast = false
  }
}

extension WiredNetwork {
  /// The output unit and all units that it depends on, the last first.
  fileprivate func unitsBehind(_ output: Int) -> [Int] {
    let parameters = parameters
    var reached = Set([output])
    let units = units
    for unit in stride(from: output, through: 0, by: -1) where reached.contains(unit) {
      for (index, source) in units[unit].sources.enumerated() {
        if case .unit(let other) = source, parameters[biases[unit] + 1 + index].value != 0 {
          reached.insert(other)
        }
      }
    }
    return reached.sorted(by: >)
  }
}

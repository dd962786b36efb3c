import LinearAlgebra

/// Least squares by the method of Levenberg and Marquardt, in `Double`: for networks of up to a few
/// thousand parameters it converges where Adam stalls.
///
/// Only the biases of units that reach an output and the weights other than zero move. With e the
/// errors of all rows and outputs (N of them) and J their derivatives, an attempt solves
/// (JᵀJ/N + μ diag(JᵀJ/N + 1e-9)) d = −Jᵀe/N and is kept if it lowers the loss; μ follows Nielsen's
/// rule (Madsen, Nielsen & Tingleff 2004, Methods for Non-Linear Least Squares Problems, algorithm
/// 3.16).
public struct LevenbergMarquardt: Sendable {
  /// Attempts at most, kept or not.
  public var attempts: Int
  public var initialDamping: Double
  /// It ends when no component of Jᵀe/N is larger, or a kept step is smaller relative to the parameters.
  public var tolerance: Double

  public init(attempts: Int, initialDamping: Double = 1e-2, tolerance: Double = 1e-12) {
    self.attempts = attempts
    self.initialDamping = initialDamping
    self.tolerance = tolerance
  }

  public struct Fit: Equatable, Sendable {
    public var network: Network
    /// Mean squared errors over rows and outputs before and after.
    public var lossBefore: Double
    public var loss: Double
    public var attempts: Int
    public var kept: Int
    /// The largest component of Jᵀe/N at the end.
    public var gradient: Double
  }

  /// - Parameters:
  ///   - inputs: rows × inputs, standardised; targets: rows × outputs.
  /// - Precondition: one output layer, which is the last.
  public func fit(_ network: Network, inputs: Matrix, targets: Matrix, kernels: Kernels = .active)
    -> Fit
  {
    var system = NormalEquations(network, inputs: inputs, targets: targets, kernels: kernels)
    var equations = system.evaluate()
    let lossBefore = equations.loss
    var damping = initialDamping
    var growth = 2.0
    var tried = 0
    var kept = 0
    while tried < attempts, equations.largestGradient > tolerance, equations.loss.isFinite {
      tried += 1
      guard let step = equations.step(damping: damping) else {
        damping *= growth
        growth *= 2
        continue
      }
      let before = system.parameters
      let moved = zip(before, step).map { $0 + $1 }
      let loss = system.loss(at: moved)
      let gain = (equations.loss - loss) / 2 / equations.predictedGain(step, damping: damping)
      if loss < equations.loss, gain > 0 {
        kept += 1
        damping *= max(1.0 / 3, 1 - (2 * gain - 1) * (2 * gain - 1) * (2 * gain - 1))
        growth = 2
        equations = system.evaluate()
        let size = step.map { $0 * $0 }.reduce(0, +).squareRoot()
        let reach = before.map { $0 * $0 }.reduce(0, +).squareRoot()
        if size <= tolerance * (reach + tolerance) { break }
      } else {
        system.parameters = before
        damping *= growth
        growth *= 2
        guard damping.isFinite else { break }
      }
    }
    return Fit(
      network: system.network, lossBefore: lossBefore, loss: equations.loss, attempts: tried,
      kept: kept, gradient: equations.largestGradient)
  }
}

/// JᵀJ/N, Jᵀe/N and the mean squared error at some parameters.
private struct Equations {
  /// The lower triangle counts.
  let matrix: Matrix
  let gradient: [Double]
  let loss: Double

  var largestGradient: Double { gradient.map(abs).max() ?? 0 }

  private func weight(_ index: Int) -> Double { matrix[index, index] + 1e-9 }

  func step(damping: Double) -> [Double]? {
    var damped = matrix
    for index in 0..<matrix.rows { damped[index, index] += damping * weight(index) }
    return damped.solvePositiveDefinite(gradient.map { -$0 })
  }

  /// By how much half the loss falls if it is quadratic: ½ dᵀ(μ D d − g).
  func predictedGain(_ step: [Double], damping: Double) -> Double {
    step.indices.reduce(0) { sum, index in
      sum + step[index] * (damping * weight(index) * step[index] - gradient[index]) / 2
    }
  }
}

/// Computes them in blocks of rows, feature-major, without ever holding the whole of J.
private struct NormalEquations: ~Copyable {
  /// Samples per block: with a hundred parameters J's block just stays in the second cache.
  private static let batch = 512

  private let wired: WiredNetwork
  private let inputs: Matrix
  private let targets: Matrix
  private let kernels: Kernels
  private var selection: Wiring
  private let firstUnitRow: Int
  private let liveParameters: Region
  private let values: Region
  private let slopes: Region
  private let deltas: Region
  /// J with the errors as its last row, so that one product gives JᵀJ, Jᵀe and eᵀe.
  private let jacobian: Region
  private let product: Region
  private var arena: Arena<Double>
  private var indices: Arena<UInt32>
  private let whole: [Double]
  private let home: [Int]
  /// The live units, among them the outputs in their order.
  private let outputs: [Int]

  init(_ network: Network, inputs: Matrix, targets: Matrix, kernels: Kernels) {
    precondition(inputs.rows == targets.rows && inputs.rows > 0)
    precondition(inputs.columns == network.inputCount && targets.columns == network.outputCount)
    self.inputs = inputs
    self.targets = targets
    self.kernels = kernels
    let wired = WiredNetwork(network)
    self.wired = wired
    let whole = wired.parameters.map(\.value)
    self.whole = whole
    let units = wired.units
    firstUnitRow = 1 + network.inputCount
    let rows = firstUnitRow + units.count
    var wiringLayout = ArenaLayout()
    var wiring = Wiring(
      rows: rows, units: units.count, parameters: whole.count, in: &wiringLayout)
    selection = Wiring(
      rows: rows, units: units.count, parameters: whole.count, in: &wiringLayout)
    indices = Arena(wiringLayout)
    wiring.describe(units, firstUnitRow: firstUnitRow, batch: Self.batch, in: &indices)

    // The selection reads only which weights are zero.
    var maskLayout = ArenaLayout()
    let mask = maskLayout.reserve(whole.count)
    var masks = Arena<Float>(maskLayout)
    masks[mask] = wired.parameters.map { $0.isWeight && $0.value == 0 ? 0 : 1 }
    selection.select(from: wiring, parameters: mask, keepingZeros: false, masks, in: &indices)
    let home = indices[selection.home].prefix(selection.liveParameterCount).map { Int($0) }
    self.home = home
    parameters = home.map { whole[$0] }
    let first = selection.liveUnitCount - network.outputCount
    outputs = Array(first..<selection.liveUnitCount)

    let count = selection.liveParameterCount
    var layout = ArenaLayout()
    liveParameters = layout.reserve(whole.count)
    values = layout.reserve(rows * Self.batch)
    slopes = layout.reserve(rows * Self.batch)
    deltas = layout.reserve(rows * Self.batch)
    jacobian = layout.reserve((count + 1) * Self.batch)
    product = layout.reserve((count + 1) * (count + 1))
    arena = Arena(layout)
    arena.fill(values.part(0, Self.batch), with: 1)
  }

  /// Of the selection.
  var parameters: [Double] {
    didSet { arena[liveParameters.part(0, parameters.count)] = parameters }
  }

  var network: Network {
    var all = whole
    for (index, place) in home.enumerated() { all[place] = parameters[index] }
    return wired.network(with: all)
  }

  mutating func loss(at parameters: [Double]) -> Double {
    self.parameters = parameters
    var sum = 0.0
    for first in stride(from: 0, to: inputs.rows, by: Self.batch) {
      load(first)
      for output in outputs.indices {
        for sample in 0..<min(Self.batch, inputs.rows - first) {
          let error = error(output, sample, first + sample)
          sum += error * error
        }
      }
    }
    return sum / Double(inputs.rows * outputs.count)
  }

  mutating func evaluate() -> Equations {
    let count = parameters.count
    arena[liveParameters.part(0, count)] = parameters
    arena.fill(product)
    let errors = jacobian.part(count * Self.batch, Self.batch)
    for first in stride(from: 0, to: inputs.rows, by: Self.batch) {
      load(first)
      let used = min(Self.batch, inputs.rows - first)
      for (number, unit) in outputs.enumerated() {
        kernels.jacobian(
          arena, indices, selection, output: unit, batch: Self.batch,
          parameters: liveParameters, values: values, slopes: slopes, deltas: deltas,
          jacobian: jacobian.part(0, count * Self.batch))
        for sample in 0..<used { arena[errors, sample] = error(number, sample, first + sample) }
        if used < Self.batch { clearPadding(used) }
        kernels.gram(
          arena, rows: count + 1, batch: Self.batch, x: jacobian, product: product)
      }
    }
    let scale = 1 / Double(inputs.rows * outputs.count)
    let sums = Matrix(
      rows: count + 1, columns: count + 1, elements: arena[product].map { $0 * scale })
    return Equations(
      matrix: sums.submatrix(rows: Array(0..<count), columns: Array(0..<count)),
      gradient: Array(sums.row(count).prefix(count)), loss: sums[count, count])
  }

  private func error(_ output: Int, _ sample: Int, _ row: Int) -> Double {
    let units = firstUnitRow + wired.biases.count - outputs.count
    return arena[values, (units + output) * Self.batch + sample] - targets[row, output]
  }

  /// The inputs from row `first` on; behind the last row, zeros.
  private mutating func load(_ first: Int) {
    let used = min(Self.batch, inputs.rows - first)
    for column in 0..<inputs.columns {
      let begin = (1 + column) * Self.batch
      for sample in 0..<used { arena[values, begin + sample] = inputs[first + sample, column] }
      for sample in used..<Self.batch { arena[values, begin + sample] = 0 }
    }
    kernels.evaluate(
      arena, indices, selection, batch: Self.batch, parameters: liveParameters, values: values,
      slopes: slopes)
  }

  private mutating func clearPadding(_ used: Int) {
    for row in 0...parameters.count {
      arena.fill(jacobian.part(row * Self.batch + used, Self.batch - used))
    }
  }
}

import Evidence
import LinearAlgebra
import Networks

/// Rows of a regression in standardised units, in `Double`.
public struct RegressionRows: Equatable, Sendable {
  /// rows × inputs
  public var inputs: Matrix
  /// rows × outputs
  public var targets: Matrix
  /// rows × outputs: how much each squared error counts; nil for all alike.
  public var weights: Matrix?
  /// The stretch of the recorded data that each row belongs to; empty if unknown.
  var blocks: [Int] = []
  /// Whether each row begins a run of neighbours; empty where rows are none.
  package var begins: [Bool] = []
  /// Of each output, what makes the errors of neighbouring rows independent, so that least squares are generalised
  /// ones; empty for errors as they are.
  package var whitenings: [Whitening] = []
  /// Of each input, the variance of the measurement noise that was taken out of it; empty where none was.
  package var noise: [Double] = []

  /// - Precondition: as many rows in each, at least one, and no negative weight.
  public init(inputs: Matrix, targets: Matrix, weights: Matrix? = nil) {
    precondition(inputs.rows == targets.rows && inputs.rows > 0)
    if let weights {
      precondition(weights.rows == targets.rows && weights.columns == targets.columns)
      precondition(weights.elements.allSatisfy { $0 >= 0 })
    }
    self.inputs = inputs
    self.targets = targets
    self.weights = weights
  }

  /// These rows with some of the targets.
  func targets(_ columns: Range<Int>) -> RegressionRows {
    let rows = Array(0..<targets.rows)
    var result = RegressionRows(
      inputs: inputs, targets: targets.submatrix(rows: rows, columns: Array(columns)),
      weights: weights?.submatrix(rows: rows, columns: Array(columns)))
    (result.blocks, result.begins, result.noise) = (blocks, begins, noise)
    result.whitenings = whitenings.isEmpty ? [] : Array(whitenings[columns])
    return result
  }
}

/// The weighted least-squares problem of a network on given rows, at parameters that can be moved: half
/// the weighted mean of e² over rows and outputs, e the errors.
///
/// Where the rows say so (`RegressionRows.whitenings`), errors and their derivatives are those of the innovations.
/// Only the biases of units that reach an output and the weights other than zero are parameters. Rows
/// go through in blocks, feature-major; the whole of J, the derivatives of the errors, is never held.
struct LeastSquares: ~Copyable {
  /// Samples per block: with a hundred parameters J's block just fits the second-level cache.
  private static let batch = 512

  private let wired: WiredNetwork
  private let kernels: Kernels
  private let ridge: Double
  private let rows: Int
  private let totalWeight: Double
  private let wholeParameters: [Double]
  /// Where each parameter stands among all of the network's.
  private let home: [Int]
  /// The row of the table of values that each parameter multiplies: 0 for biases, 1 + i for input i.
  private let factorRow: [Int]
  private let outputs: [Output]
  private let firstUnitRow: Int
  private let selection: Wiring

  private let liveParameters: Region
  private let values: Region
  private let slopes: Region
  private let deltas: Region
  private let errors: Region
  private let gradient: Region
  /// Of errors that are not whitened.
  private let unusedGradient: Region
  private let product: Region
  /// Inputs, block by block.
  private let table: Region
  /// J, or what takes its place where only the outputs' parameters move.
  private let jacobian: Region
  private let factors: Region
  private var arena: Arena<Double>
  private var floats: Arena<Float>
  private var indices: Arena<UInt32>

  private struct Output {
    /// Among the live units.
    var unit: Int
    var valueRow: Int
    /// Of the parameters of its own unit, in which it is linear.
    var parameters: [Int]
    /// Block by block; √weight, zero behind the last row.
    var targets: Region
    var seeds: Region
    var innovations: Innovations?
  }

  /// The recursion that whitens errors, and where it has got to.
  private struct Innovations {
    /// Block by block.
    var factors: Region
    var scales: Region
    /// Of the errors, of factors of the output's own parameters, and of J's rows.
    var error: Region
    var carry: Region
    /// As those above, in single precision.
    var narrowFactors: Region
    var narrowScales: Region
    var narrowCarry: Region
  }

  /// - Parameter ridge: r Σθ² is added to the loss that is fitted.
  /// - Precondition: one output layer, which is the last, of identities; widths that match.
  init(
    _ network: Network, _ data: RegressionRows, ridge: Double = 0, kernels: Kernels = .active
  ) {
    precondition(data.inputs.columns == network.inputCount)
    precondition(data.targets.columns == network.outputCount)
    precondition(network.outputLayers == [network.layers.count - 1])
    self.kernels = kernels
    self.ridge = ridge
    rows = data.inputs.rows
    totalWeight =
      data.weights.map { $0.elements.reduce(0, +) }
      ?? Double(data.targets.rows * data.targets.columns)
    let wired = WiredNetwork(network)
    self.wired = wired
    let all = wired.parameters
    let whole = all.map(\.value)
    wholeParameters = whole
    let units = wired.units
    let firstUnitRow = 1 + network.inputCount
    self.firstUnitRow = firstUnitRow
    let rowCount = firstUnitRow + units.count
    var wiringLayout = ArenaLayout()
    var wiring = Wiring(
      rows: rowCount, units: units.count, parameters: whole.count, in: &wiringLayout)
    var selection = Wiring(
      rows: rowCount, units: units.count, parameters: whole.count, in: &wiringLayout)
    indices = Arena(wiringLayout)
    wiring.describe(units, firstUnitRow: firstUnitRow, batch: Self.batch, in: &indices)

    // The selection reads only which weights are zero.
    var maskLayout = ArenaLayout()
    let mask = maskLayout.reserve(whole.count)
    var masks = Arena<Float>(maskLayout)
    masks[mask] = all.map { $0.isWeight && $0.value == 0 ? 0 : 1 }
    selection.select(from: wiring, parameters: mask, keepingZeros: false, masks, in: &indices)
    self.selection = selection
    let home = indices[selection.home].prefix(selection.liveParameterCount).map { Int($0) }
    self.home = home
    let rowOfParameter = wired.factorRows(firstUnitRow: firstUnitRow)
    factorRow = home.map { rowOfParameter[$0] }
    parameters = home.map { whole[$0] }

    let count = selection.liveParameterCount
    let blocks = (rows + Self.batch - 1) / Self.batch
    var layout = ArenaLayout()
    liveParameters = layout.reserve(whole.count)
    values = layout.reserve(rowCount * Self.batch)
    slopes = layout.reserve(rowCount * Self.batch)
    deltas = layout.reserve(rowCount * Self.batch)
    errors = layout.reserve(Self.batch)
    gradient = layout.reserve(count)
    product = layout.reserve((count + 1) * (count + 1))
    table = layout.reserve(blocks * network.inputCount * Self.batch)
    var floatLayout = ArenaLayout()
    jacobian = floatLayout.reserve(count * Self.batch)
    let outputCount = network.outputCount
    outputs = (0..<outputCount).map { number in
      let unit = units.count - outputCount + number
      let own = wired.biases[unit]..<(wired.biases[unit] + 1 + units[unit].sources.count)
      let parameters = home.indices.filter { own.contains(home[$0]) }
      let isWhitened =
        number < data.whitenings.count && !data.whitenings[number].isNothing(data.begins)
      let innovations =
        isWhitened
        ? Innovations(
          factors: layout.reserve(blocks * Self.batch), scales: layout.reserve(blocks * Self.batch),
          error: layout.reserve(1), carry: layout.reserve(parameters.count),
          narrowFactors: floatLayout.reserve(blocks * Self.batch),
          narrowScales: floatLayout.reserve(blocks * Self.batch),
          narrowCarry: floatLayout.reserve(count)) : nil
      return Output(
        unit: selection.liveUnitCount - outputCount + number, valueRow: firstUnitRow + unit,
        parameters: parameters, targets: layout.reserve(blocks * Self.batch),
        seeds: layout.reserve(blocks * Self.batch), innovations: innovations)
    }
    let widest = outputs.map(\.parameters.count).max() ?? 0
    factors = layout.reserve((widest + 1) * Self.batch)
    unusedGradient = layout.reserve(count)
    arena = Arena(layout)
    floats = Arena(floatLayout)
    arena.fill(values.part(0, Self.batch), with: 1)
    store(data)
  }

  private mutating func store(_ data: RegressionRows) {
    let inputs = data.inputs
    for row in 0..<rows {
      let (block, sample) = (row / Self.batch, row % Self.batch)
      for column in 0..<inputs.columns {
        arena[table, (block * inputs.columns + column) * Self.batch + sample] = inputs[row, column]
      }
      for (number, output) in outputs.enumerated() {
        arena[output.targets, row] = data.targets[row, number]
        arena[output.seeds, row] = data.weights.map { $0[row, number].squareRoot() } ?? 1
      }
    }
    for (number, output) in outputs.enumerated() {
      guard let innovations = output.innovations else { continue }
      // Scales are zero behind the last row.
      let (factors, scales) = data.whitenings[number].recursion(data.begins)
      for row in 0..<rows {
        arena[innovations.factors, row] = factors[row]
        arena[innovations.scales, row] = scales[row]
        floats[innovations.narrowFactors, row] = Float(factors[row])
        floats[innovations.narrowScales, row] = Float(scales[row])
      }
    }
  }

  // MARK: Parameters

  /// The live ones.
  private(set) var parameters: [Double]

  mutating func move(to parameters: [Double]) {
    precondition(parameters.count == self.parameters.count)
    self.parameters = parameters
  }

  private var penalty: Double { ridge * parameters.reduce(0) { $0 + $1 * $1 } }

  /// The network with the present parameters.
  var network: Network {
    var all = wholeParameters
    for (index, place) in home.enumerated() { all[place] = parameters[index] }
    return wired.network(with: all)
  }

  /// The parameters that are weights, not biases.
  var weights: [Int] { factorRow.indices.filter { factorRow[$0] != 0 } }

  /// The parameters that multiply each of the inputs.
  var readers: [[Int]] {
    (0..<wired.network.inputCount).map { input in
      factorRow.indices.filter { factorRow[$0] == 1 + input }
    }
  }

  // MARK: Sums over the rows

  /// The network's outputs, rows × outputs.
  mutating func predictions() -> Matrix {
    var result = Matrix(rows: rows, columns: outputs.count)
    forward { problem, block in
      let first = block * Self.batch
      for (column, output) in problem.outputs.enumerated() {
        let values = problem.arena[problem.values.part(output.valueRow * Self.batch, Self.batch)]
        for row in first..<min(first + Self.batch, problem.rows) {
          result[row, column] = values[row - first]
        }
      }
    }
    return result
  }

  /// The weighted mean of e² at the present parameters.
  mutating func loss() -> Double {
    var sum = 0.0
    forward { problem, block in
      for output in problem.outputs { sum += problem.takeErrors(output, block) }
    }
    return sum / totalWeight
  }

  /// JᵀJ, Jᵀe and eᵀe, each over the total weight and with the ridge. JᵀJ is summed in single precision: it only shapes
  /// the steps.
  mutating func evaluate() -> Equations {
    let count = parameters.count
    arena.fill(gradient)
    arena.fill(product)
    var sum = 0.0
    let square = product.part(0, count * count)
    forward { problem, block in
      for output in problem.outputs {
        sum += problem.takeErrors(output, block)
        problem.takeJacobian(
          output, block,
          gradient: output.innovations == nil ? problem.gradient : problem.unusedGradient)
        problem.whitenJacobian(output, block)
        problem.kernels.curvature(
          problem.floats, rows: count, batch: Self.batch, x: problem.jacobian, product: square,
          in: problem.arena)
      }
    }
    return Equations(
      matrix: Matrix(
        rows: count, columns: count, elements: arena[square].map { $0 / totalWeight }),
      gradient: arena[gradient].map { $0 / totalWeight }, loss: sum / totalWeight
    ).adding(ridge: ridge, on: parameters)
  }

  /// Leaves √w J of a block in `jacobian` and adds its product with `errors` to a gradient.
  private mutating func takeJacobian(_ output: Output, _ block: Int, gradient: Region) {
    kernels.jacobian(
      arena, indices, selection, output: output.unit, batch: Self.batch,
      parameters: liveParameters, values: values, slopes: slopes,
      seed: output.seeds.part(block * Self.batch, Self.batch), error: errors, deltas: deltas,
      gradient: gradient, jacobian: jacobian, in: floats)
  }

  /// Makes innovations' derivatives of those of the errors, and adds their product with `errors` to the gradient.
  private mutating func whitenJacobian(_ output: Output, _ block: Int) {
    guard let innovations = output.innovations else { return }
    floats.recur(
      jacobian, rows: parameters.count, batch: Self.batch, carry: innovations.narrowCarry,
      factors: innovations.narrowFactors.part(block * Self.batch, Self.batch),
      scales: innovations.narrowScales.part(block * Self.batch, Self.batch))
    arena.addProducts(
      jacobian, of: floats, rows: parameters.count, batch: Self.batch, with: errors, to: gradient)
  }

  /// √w J and √w e row by row, of an only output and not whitened: rows × parameters, and rows.
  mutating func tangent() -> (jacobian: Matrix, errors: [Double]) {
    precondition(outputs.count == 1)
    let count = parameters.count
    var jacobian = Matrix(rows: rows, columns: count)
    var errors = [Double](repeating: 0, count: rows)
    forward { problem, block in
      let output = problem.outputs[0]
      problem.takePlainErrors(output, block)
      problem.takeJacobian(output, block, gradient: problem.unusedGradient)
      let (derivatives, part) = (problem.floats[problem.jacobian], problem.arena[problem.errors])
      let first = block * Self.batch
      for row in first..<min(first + Self.batch, problem.rows) {
        errors[row] = part[row - first]
        for column in 0..<count {
          jacobian[row, column] = Double(derivatives[column * Self.batch + row - first])
        }
      }
    }
    return (jacobian, errors)
  }

  /// Moves the parameters of the outputs' own units, in which the errors are linear, to the least
  /// squares, all others held, and returns the loss there, with the ridge. (The inner problem of variable projection:
  /// Golub & Pereyra 1973.)
  ///
  /// - Parameter held: parameters that stay as they are.
  mutating func project(holding held: Set<Int> = []) -> Double {
    let moving = outputs.map { output in output.parameters.filter { !held.contains($0) } }
    var systems = moving.map { Matrix(rows: $0.count + 1, columns: $0.count + 1) }
    forward { problem, block in
      for (number, output) in problem.outputs.enumerated() {
        problem.addFactors(output, moving[number], block, to: &systems[number])
      }
    }
    var lossBefore = penalty
    var gain = 0.0
    for (number, moving) in moving.enumerated() {
      let size = moving.count
      lossBefore += systems[number][size, size] / totalWeight
      let equations = Equations(systems[number].map { $0 / totalWeight })
        .adding(ridge: ridge, on: moving.map { parameters[$0] })
      // Enough for factors that depend on each other.
      guard let step = equations.step(damping: 1e-10) else { continue }
      gain += 2 * equations.predictedGain(step, damping: 1e-10)
      for (index, parameter) in moving.enumerated() {
        parameters[parameter] += step[index]
      }
    }
    // A difference of nearly equal numbers says little.
    return gain < 0.999999 * lossBefore ? lossBefore - gain : loss() + penalty
  }

  private mutating func addFactors(
    _ output: Output, _ moving: [Int], _ block: Int, to system: inout Matrix
  ) {
    let size = moving.count
    let used = factors.part(0, (size + 1) * Self.batch)
    let seeds = output.seeds.part(block * Self.batch, Self.batch)
    for (index, parameter) in moving.enumerated() {
      arena.multiply(
        values.part(factorRow[parameter] * Self.batch, Self.batch), by: seeds,
        into: used.part(index * Self.batch, Self.batch))
    }
    if let innovations = output.innovations {
      arena.recur(
        used, rows: size, batch: Self.batch, carry: innovations.carry,
        factors: innovations.factors.part(block * Self.batch, Self.batch),
        scales: innovations.scales.part(block * Self.batch, Self.batch))
    }
    _ = takeErrors(output, block)
    arena.copy(errors, to: used.part(size * Self.batch, Self.batch))
    let square = product.part(0, (size + 1) * (size + 1))
    arena[square] = system.elements
    kernels.gram(arena, rows: size + 1, batch: Self.batch, x: used, product: square)
    system.elements = arena[square]
  }

  /// Runs the network over all blocks.
  private mutating func forward(_ body: (inout LeastSquares, _ block: Int) -> Void) {
    arena[liveParameters.part(0, parameters.count)] = parameters
    let width = wired.network.inputCount * Self.batch
    for case let innovations? in outputs.map(\.innovations) {
      // Factors of zero begin a run, but do not undo what is not finite.
      arena.fill(innovations.error)
      arena.fill(innovations.carry)
      floats.fill(innovations.narrowCarry)
    }
    for block in 0..<((rows + Self.batch - 1) / Self.batch) {
      arena.copy(table.part(block * width, width), to: values.part(Self.batch, width))
      kernels.evaluate(
        arena, indices, selection, batch: Self.batch, parameters: liveParameters, values: values,
        slopes: slopes)
      body(&self, block)
    }
  }

  /// Leaves √w e of a block, or their innovations, in `errors` and returns the sum of their squares.
  private mutating func takeErrors(_ output: Output, _ block: Int) -> Double {
    takePlainErrors(output, block)
    if let innovations = output.innovations {
      arena.recur(
        errors, rows: 1, batch: Self.batch, carry: innovations.error,
        factors: innovations.factors.part(block * Self.batch, Self.batch),
        scales: innovations.scales.part(block * Self.batch, Self.batch))
    }
    return arena.sumOfSquares(errors)
  }

  /// Leaves √w e of a block in `errors`.
  private mutating func takePlainErrors(_ output: Output, _ block: Int) {
    let part = (offset: block * Self.batch, count: Self.batch)
    arena.subtract(
      output.targets.part(part.offset, part.count),
      from: values.part(output.valueRow * Self.batch, Self.batch),
      times: output.seeds.part(part.offset, part.count), into: errors)
  }
}

/// JᵀJ, Jᵀe and the mean of e² at some parameters.
struct Equations {
  /// The lower triangle counts.
  let matrix: Matrix
  let gradient: [Double]
  let loss: Double

  init(matrix: Matrix, gradient: [Double], loss: Double) {
    self.matrix = matrix
    self.gradient = gradient
    self.loss = loss
  }

  /// From the products of J's columns and, as the last, the errors.
  init(_ products: Matrix) {
    let size = products.rows - 1
    self.init(
      matrix: products.submatrix(rows: Array(0..<size), columns: Array(0..<size)),
      gradient: Array(products.row(size).prefix(size)), loss: products[size, size])
  }

  /// With r Σθ² added to the loss.
  func adding(ridge: Double, on parameters: [Double]) -> Equations {
    var matrix = matrix
    for index in parameters.indices { matrix[index, index] += ridge }
    return Equations(
      matrix: matrix, gradient: zip(gradient, parameters).map { $0 + ridge * $1 },
      loss: loss + ridge * parameters.reduce(0) { $0 + $1 * $1 })
  }

  var largestGradient: Double { gradient.map(abs).max() ?? 0 }

  private func scale(_ index: Int) -> Double { matrix[index, index] + 1e-9 }

  /// JᵀJ + μ diag(JᵀJ + 1e-9)
  func damped(_ damping: Double) -> Matrix {
    var damped = matrix
    for index in 0..<matrix.rows { damped[index, index] += damping * scale(index) }
    return damped
  }

  /// The d that solves (JᵀJ + μ diag(JᵀJ + 1e-9)) d = −Jᵀe; nil where that is not definite to rounding.
  func step(damping: Double) -> [Double]? {
    damped(damping).solvePositiveDefinite(gradient.map { -$0 })
  }

  /// By how much half the loss falls if it is quadratic: ½ dᵀ(μ D d − g).
  func predictedGain(_ step: [Double], damping: Double) -> Double {
    step.indices.reduce(0) { sum, index in
      sum + step[index] * (damping * scale(index) * step[index] - gradient[index]) / 2
    }
  }
}

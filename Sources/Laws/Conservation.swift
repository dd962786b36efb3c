import Dynamics
import LinearAlgebra
import Networks

/// Combinations of rates that depend on controls alone, or on nothing: ẋ_o + Σ a_j ẋ_j = Σ b_k u_k + c.
///
/// Each output's rate is regressed on controls, then on controls and the rates of later outputs, over some rows, once in
/// the networks and once in the data; it is a law if in either less than `tolerance` of the variance of its largest
/// rate is left on other rows. Terms without which no more is left are taken away. Increments over a step obey linear laws as rates do, since controls are held.
public struct Conservation: Sendable {
  /// The share of a rate's variance that may be left.
  public static let tolerance = 1e-3

  public struct Law: Sendable {
    /// The output with coefficient one.
    public var output: Int
    /// Other outputs with their coefficients on the left-hand side.
    public var rates: [(output: Int, coefficient: StatedConstant)]
    /// Inputs, all controls, with their coefficients on the right-hand side.
    public var controls: [(input: Int, coefficient: StatedConstant)]
    public var constant: StatedConstant?
    /// Mean square, as a share of the variance of the left-hand side's largest rate, that is left on held-out rows: in the networks, and
    /// in the data.
    public var leftInNetworks: Double
    public var leftInData: Double
    /// Whether the coefficients are those of the data, which obey the law more closely than the networks.
    public var isOfData: Bool
  }

  public let laws: [Law]

  /// - Parameters:
  ///   - ensemble: of rates; for others there are no laws.
  ///   - data: trajectories of its variables.
  /// - Throws: `DataProblem` for data without a step or an input.
  public init(_ ensemble: Ensemble, _ data: Trajectories) throws(DataProblem) {
    guard ensemble.members[0].predicts == .rate else {
      laws = []
      return
    }
    let rows = try LawRows(of: ensemble.members[0], in: data)
    guard let fittedData = rows.fitted.increments, let heldData = rows.held.increments else {
      laws = []
      return
    }
    let models = ensemble.members.map { MeanModel([$0]) }
    let mean = MeanModel(ensemble)
    let sources = Sources(
      inputs: ensemble.inputs, outputs: ensemble.outputs.count,
      deviations: ensemble.members[0].outputScaling.deviation, fitted: rows.fitted.points,
      held: rows.held.points, networks: rows.fitted.points.map { mean.outputs($0) },
      heldNetworks: rows.held.points.map { mean.outputs($0) }, data: fittedData,
      heldData: heldData,
      members: models.map { model in rows.fitted.points.map { model.outputs($0) } })
    let outputs = Array(ensemble.outputs.indices)
    let alone = outputs.compactMap { sources.law(of: $0, with: []) }
    let free = outputs.filter { output in !alone.contains { $0.output == output } }
    let tied = free.compactMap { output in
      sources.law(of: output, with: free.filter { $0 > output })
    }
    laws = (alone + tied).sorted { $0.output < $1.output }
  }

  /// The rows of all that may obey a law.
  private struct Sources {
    let inputs: [Variable]
    let outputs: Int
    let deviations: [Double]
    let fitted: [[Double]]
    let held: [[Double]]
    let networks: [[Double]]
    let heldNetworks: [[Double]]
    let data: [[Double]]
    let heldData: [[Double]]
    let members: [[[Double]]]

    var controls: [Int] {
      inputs.indices.filter { inputs[$0].role == .control && inputs[$0].lag == nil }
    }

    /// A column of a law: a rate or a control.
    private enum Column: Hashable {
      case rate(Int)
      case control(Int)
    }

    private struct Fit {
      var constant: Double
      var coefficients: [Double]
      var left: Double
    }

    /// - Parameters:
    ///   - output: whose rate has the coefficient one.
    ///   - others: whose rates may stand beside it; at least one of them does, if there are any.
    func law(of output: Int, with others: [Int]) -> Law? {
      var columns = controls.map { Column.control($0) } + others.map { Column.rate($0) }
      let inNetworks = fit(output, columns, networks, heldNetworks)?.left ?? .infinity
      let inData = fit(output, columns, data, heldData)?.left ?? .infinity
      guard min(inNetworks, inData) < Conservation.tolerance else { return nil }
      let isOfData = inData < inNetworks
      let (rates, heldRates) = isOfData ? (data, heldData) : (networks, heldNetworks)
      // As few as leave no more than all of them, or what nobody minds.
      let bound = max(1e-8, 2 * min(inNetworks, inData))
      while let next = withoutOne(output, columns, rates, heldRates), next.left < bound {
        columns = next.columns
      }
      let hasRates = columns.contains { if case .rate = $0 { true } else { false } }
      guard others.isEmpty || hasRates, let final = fit(output, columns, rates, heldRates) else {
        return nil
      }
      return told(output, columns, final, isOfData)
    }

    /// The columns without the one that is missed least.
    private func withoutOne(
      _ output: Int, _ columns: [Column], _ rates: [[Double]], _ heldRates: [[Double]]
    ) -> (columns: [Column], left: Double)? {
      columns.indices.compactMap { place -> (columns: [Column], left: Double)? in
        var fewer = columns
        fewer.remove(at: place)
        return fit(output, fewer, rates, heldRates).map { (fewer, $0.left) }
      }.min { $0.left < $1.left }
    }

    /// Fits whose spread says how sure the coefficients are: of every member, or of every fifth of the data.
    private func repeated(_ output: Int, _ columns: [Column], isOfData: Bool) -> [Fit] {
      guard isOfData else {
        return members.compactMap { fit(output, columns, $0, heldNetworks) }
      }
      return (0..<5).compactMap { part in
        let rows = (part * fitted.count / 5)..<((part + 1) * fitted.count / 5)
        return fit(output, columns, data, heldData, over: rows)
      }
    }

    private func told(
      _ output: Int, _ columns: [Column], _ final: Fit, _ isOfData: Bool
    ) -> Law {
      let own = repeated(output, columns, isOfData: isOfData)
      func constant(_ value: Double, _ part: (Fit) -> Double) -> StatedConstant {
        StatedConstant(value, members: own.map(part))
      }
      var law = Law(
        output: output, rates: [], controls: [], constant: nil,
        leftInNetworks: left(final, output, columns, heldNetworks),
        leftInData: left(final, output, columns, heldData), isOfData: isOfData)
      for (place, column) in columns.enumerated() {
        switch column {
        case .rate(let other):
          law.rates.append(
            (other, constant(-final.coefficients[place]) { -$0.coefficients[place] }))
        case .control(let input):
          law.controls.append(
            (input, constant(final.coefficients[place]) { $0.coefficients[place] }))
        }
      }
      // A constant that moves the rate by less than a thousandth of its deviation is none.
      if abs(final.constant) > 1e-3 * deviations[output] {
        law.constant = constant(final.constant) { $0.constant }
      }
      return law
    }

    private func values(_ column: Column, _ points: [[Double]], _ rates: [[Double]]) -> [Double] {
      switch column {
      case .rate(let other): rates.map { $0[other] }
      case .control(let input): points.map { $0[input] }
      }
    }

    /// Least squares over the fitted rows, or some of them; what is left over the held-out ones.
    private func fit(
      _ output: Int, _ columns: [Column], _ rates: [[Double]], _ heldRates: [[Double]],
      over rows: Range<Int>? = nil
    ) -> Fit? {
      let rows = rows ?? fitted.indices
      let (points, targets) = (Array(fitted[rows]), Array(rates[rows]))
      let ones = [Double](repeating: 1, count: points.count)
      let all = [ones] + columns.map { values($0, points, targets) }
      guard let found = LeastSquares(all, targets.map { $0[output] }) else { return nil }
      var fit = Fit(
        constant: found.coefficients[0], coefficients: Array(found.coefficients.dropFirst()),
        left: 0)
      fit.left = left(fit, output, columns, heldRates)
      return fit.left.isFinite ? fit : nil
    }

    /// The mean square over the held-out rows of what a law leaves, of the variance of its largest rate.
    private func left(
      _ fit: Fit, _ output: Int, _ columns: [Column], _ heldRates: [[Double]]
    ) -> Double {
      let heldColumns = columns.map { values($0, held, heldRates) }
      var squares = 0.0
      for row in held.indices {
        var rest = heldRates[row][output] - fit.constant
        for (coefficient, column) in zip(fit.coefficients, heldColumns) {
          rest -= coefficient * column[row]
        }
        squares += rest * rest
      }
      var largest = heldRates.map { $0[output] }.standardDeviation
      for (place, column) in columns.enumerated() {
        guard case .rate = column else { continue }
        largest = max(largest, abs(fit.coefficients[place]) * heldColumns[place].standardDeviation)
      }
      return squares / Double(held.count) / (largest * largest)
    }
  }
}

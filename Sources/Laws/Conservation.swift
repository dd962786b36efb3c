import Dynamics
import LinearAlgebra
import Networks

/// Combinations of rates that depend on controls alone, or on nothing: ẋ_o + Σ a_j ẋ_j = Σ b_k u_k + c.
///
/// Each output's rate is regressed on controls, then on controls and the rates of later outputs, over some rows; it is
/// a law if on other rows less than `tolerance` of its variance is left. Terms without which no more is left are taken
/// away. Increments over a step obey linear laws as rates do, since controls are held.
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
    /// Share of the variance of the left-hand side's largest rate that is left on held-out rows: in the networks, and
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
      guard let inNetworks = fit(output, columns, networks, heldNetworks) else { return nil }
      let inData = fit(output, columns, data, heldData)
      let isOfData = inData.map { $0.left < inNetworks.left } ?? false
      let (rates, heldRates) = isOfData ? (data, heldData) : (networks, heldNetworks)
      guard inNetworks.left < Conservation.tolerance else { return nil }
      // As few as leave no more than all of them, or what nobody minds.
      let bound = max(1e-8, 2 * (isOfData ? inData?.left ?? 0 : inNetworks.left))
      while let next = columns.indices.compactMap({ place -> (Int, Double)? in
        var fewer = columns
        fewer.remove(at: place)
        return fit(output, fewer, rates, heldRates).map { (place, $0.left) }
      }).min(by: { $0.1 < $1.1 }), next.1 < bound {
        columns.remove(at: next.0)
      }
      // A law of rates ties at least two of them.
      guard
        others.isEmpty || columns.contains(where: { if case .rate = $0 { true } else { false } })
      else { return nil }
      guard let final = fit(output, columns, rates, heldRates),
        let networkFit = fit(output, columns, networks, heldNetworks)
      else { return nil }
      return told(output, columns, final, isOfData, networkFit.left)
    }

    private func told(
      _ output: Int, _ columns: [Column], _ final: Fit, _ isOfData: Bool, _ leftInNetworks: Double
    ) -> Law {
      let own = members.compactMap { fit(output, columns, $0, heldNetworks) }
      func constant(_ value: Double, _ part: (Fit) -> Double) -> StatedConstant {
        StatedConstant(value, members: own.map(part))
      }
      var law = Law(
        output: output, rates: [], controls: [], constant: nil, leftInNetworks: leftInNetworks,
        leftInData: fit(output, columns, data, heldData)?.left ?? .nan, isOfData: isOfData)
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

    /// Least squares over the fitted rows; what is left over the held-out ones.
    private func fit(
      _ output: Int, _ columns: [Column], _ rates: [[Double]], _ heldRates: [[Double]]
    ) -> Fit? {
      let ones = [Double](repeating: 1, count: fitted.count)
      let all = [ones] + columns.map { values($0, fitted, rates) }
      guard let found = LeastSquares(all, rates.map { $0[output] }) else { return nil }
      let coefficients = Array(found.coefficients.dropFirst())
      let heldColumns = columns.map { values($0, held, heldRates) }
      var left = 0.0
      for row in held.indices {
        var rest = heldRates[row][output] - found.coefficients[0]
        for (coefficient, column) in zip(coefficients, heldColumns) {
          rest -= coefficient * column[row]
        }
        left += rest * rest
      }
      let deviation = heldRates.map { $0[output] }.standardDeviation
      let variance = deviation * deviation * Double(held.count)
      guard variance > 0 else { return nil }
      return Fit(constant: found.coefficients[0], coefficients: coefficients, left: left / variance)
    }
  }
}

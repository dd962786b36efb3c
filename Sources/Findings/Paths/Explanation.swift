import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

/// One pair of input and output in full, over all members of an ensemble.
public struct Explanation: Encodable {
  struct Member: Encodable {
    var isConnected: Bool
    /// As text, because JSON's numbers end at 2⁵³.
    var paths: String
    /// The weight of the connection without a unit between, if there is one.
    var direct: Double
    var positive: Double
    var negative: Double
    /// Bounds of ∂(rate)/∂(input) over all inputs whatever, standardised.
    var low: Double
    var high: Double
    var strongest: [PathEntry]
    var slope: Slope?
  }

  /// ∂(rate)/∂(input) over data, standardised.
  struct Slope: Encodable {
    var meanMagnitude: Double
    var mean: Double
    var positiveShare: Double
    var negativeShare: Double
    var quantile05: Double
    var median: Double
    var quantile95: Double
    var samples: Int
  }

  let ensemble: String
  let output: String
  let input: String
  private let label: String
  /// What a standardised slope is in physical units, and these.
  let physicalUnit: Double
  let unit: String
  let members: [Member]
  private let hasData: Bool

  /// - Parameters:
  ///   - ensemble: whose members are asked.
  ///   - output: its number.
  ///   - input: its number.
  ///   - count: how many of the strongest paths are listed.
  ///   - data: samples × inputs in physical units over which slopes are taken; nil for none.
  public init(
    _ ensemble: Ensemble, output: Int, input: Int, strongest count: Int, data: Matrix?
  ) {
    self.ensemble = ensemble.name
    let first = ensemble.members[0]
    self.output = first.outputs[output].name
    label = first.label(ofOutput: output)
    self.input = first.inputs[input].name
    physicalUnit = first.outputScaling.deviation[output] / first.inputScaling.deviation[input]
    unit =
      "\(first.outputs[output].unit.isEmpty ? "1" : first.outputs[output].unit)"
      + (first.inputs[input].unit.isEmpty ? "" : " per \(first.inputs[input].unit)")
    hasData = data != nil
    members = ensemble.members.map {
      Self.member($0, output: output, input: input, strongest: count, data: data)
    }
  }

  private static func member(
    _ model: Model, output: Int, input: Int, strongest count: Int, data: Matrix?
  ) -> Member {
    let network = LiveStructure(model.network).network
    let analysis = PathAnalysis(network)
    let wanted = max(1, count, data == nil ? 0 : PathActivity.candidates)
    let all = analysis.strongestPaths(wanted, from: input)[output]
    let paths = PathActivity.strongest(
      count, of: all, in: network, over: data, model.inputScaling)
    let activity = PathActivity(paths, of: network, over: data, model.inputScaling)
    var slope: Slope?
    if let data {
      var batch = JacobianBatch(network)
      slope = Slope(batch.slopes(output: output, input: input, over: data, model.inputScaling))
    }
    return Member(
      isConnected: analysis.counts[output][input] != 0,
      paths: analysis.counts[output][input].map(String.init) ?? ">2^64",
      direct: network.directWeight(output: output, input: input),
      positive: analysis.positive[output, input], negative: analysis.negative[output, input],
      low: analysis.derivativeLow[output, input], high: analysis.derivativeHigh[output, input],
      strongest: paths.map { PathEntry($0, of: model, activity) }, slope: slope)
  }

  // MARK: For people

  /// In words.
  public var sentences: [String] {
    let connected = members.count { $0.isConnected }
    let name = label
    guard connected > 0 else {
      return ["In no member does a path lead from \(input) to \(name): it cannot respond."]
    }
    var text = [
      "A path leads from \(input) to \(name) in \(connected) of \(counted(members.count, "member"))."
    ]
    let rising = members.count { $0.isConnected && $0.low >= 0 }
    let falling = members.count { $0.isConnected && $0.high <= 0 }
    if rising > 0 { text.append("It can only rise with it, whatever the state, in \(rising).") }
    if falling > 0 { text.append("It can only fall with it, whatever the state, in \(falling).") }
    let slopes = members.compactMap { $0.isConnected ? $0.slope : nil }
    if !slopes.isEmpty {
      let mean = slopes.map(\.mean).mean * physicalUnit
      let positive = slopes.map(\.positiveShare).mean
      let negative = slopes.map(\.negativeShare).mean
      let way =
        positive == negative
        ? "rises with it as often as it falls"
        : String(
          format: positive > negative
            ? "rises with it at %.0f %% of the samples" : "falls with it at %.0f %% of the samples",
          100 * max(positive, negative))
      text.append(
        "Over the data it \(way): "
          + String(
            format: "%.3g %@ on average, mean |J| %.3g in deviations", mean, unit,
            slopes.map(\.meanMagnitude).mean)
          + (connected < members.count ? ", both of the members that connect them." : "."))
    }
    return text
  }

  public var tables: [Table] {
    var columns = ["paths", "direct", "P", "N", "J low", "J high"]
    if hasData { columns += ["mean |J|", "mean J", "J > 0", "5 %", "50 %", "95 %"] }
    let table = Table(
      title: "\(ensemble): \(input) → \(label)", corner: "member", columns: columns,
      rows: members.enumerated().map { (String($0), Self.cells($1)) },
      notes: sentences + [
        "In deviations of both; one is \(String(format: "%.3g", physicalUnit)) \(unit). J low, J high: "
          + "bounds that hold everywhere."
      ])
    let routes = members.enumerated().flatMap { index, member in
      member.strongest.map { (index, $0) }
    }
    let strongest = Table(
      title: "Strongest paths", corner: members.count > 1 ? "member, path" : "path",
      columns: ["product"] + (hasData ? ["active", "effect"] : []),
      rows: routes.map { index, route in
        (
          (members.count > 1 ? "\(index), " : "") + route.nodes.joined(separator: " → "),
          [.number(route.product)]
            + (hasData
              ? [
                route.activeShare.map(Cell.number) ?? .missing,
                route.meanContribution.map(Cell.number) ?? .missing,
              ] : [])
        )
      },
      notes: hasData
        ? [PathActivity.note] : [])
    return [table, strongest].filter { !$0.rows.isEmpty }
  }

  private static func cells(_ member: Member) -> [Cell] {
    func cell(_ value: Double) -> Cell { value == 0 ? .trueZero : .number(value) }
    let structure: [Cell] = [
      member.isConnected ? .text(member.paths) : .trueZero, cell(member.direct),
      cell(member.positive), cell(member.negative),
      member.isConnected ? .number(member.low) : .trueZero,
      member.isConnected ? .number(member.high) : .trueZero,
    ]
    guard let slope = member.slope else { return structure }
    return structure + [
      cell(slope.meanMagnitude), cell(slope.mean), cell(slope.positiveShare),
      cell(slope.quantile05), cell(slope.median), cell(slope.quantile95),
    ]
  }
}

extension Explanation.Slope {
  init(_ values: [Double]) {
    let count = Double(values.count)
    let ordered = values.sorted()
    self.init(
      meanMagnitude: values.reduce(0) { $0 + abs($1) } / count, mean: values.mean,
      positiveShare: Double(values.count { $0 > 0 }) / count,
      negativeShare: Double(values.count { $0 < 0 }) / count, quantile05: ordered.quantile(0.05),
      median: ordered.quantile(0.5), quantile95: ordered.quantile(0.95), samples: values.count)
  }
}

extension Network {
  /// The weight of the connection from an input straight to an output, zero where there is none.
  fileprivate func directWeight(output: Int, input: Int) -> Double {
    let unit = outputUnits[output]
    return layers[unit.layer].connections.reduce(0) { sum, connection in
      connection.source == .inputs ? sum + connection.weight[unit.unit, input] : sum
    }
  }
}

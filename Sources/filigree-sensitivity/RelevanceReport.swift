import CommandSupport
import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Relevance over data: the table, its statistics, by operating region, and other measures.
extension Sensitivity {
  struct RelevanceResult: Encodable {
    /// Statistics of J over the samples, each the mean of the members.
    struct Statistics: Encodable {
      var positiveShare: [[Double]]
      var negativeShare: [[Double]]
      var quantile05: [[Double]]
      var median: [[Double]]
      var quantile95: [[Double]]
      var samplesOfQuantiles: Int
    }

    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    var samples: Int
    /// outputs × inputs: mean |J|
    var relevance: [[Double]]
    var relevanceSpread: [[Double]]
    /// outputs × inputs: mean J
    var jacobian: [[Double]]
    var statistics: Statistics?
  }

  func printRelevance(_ ensemble: Ensemble, _ data: Trajectories, _ path: String) async throws {
    let points = try ensemble.points(of: data, from: path)
    let clock = ContinuousClock()
    let start = clock.now
    let relevance = try await EnsembleRelevance(ensemble, over: points, threads: run.threads)
    run.note(
      "Jacobians of \(counted(ensemble.members.count, "member")) at \(points.rows) samples in "
        + "\(String(format: "%.3f", ProgressLine.seconds(clock.now - start))) s")
    let mean = inUnits(relevance.mean, ensemble)
    let spread = inUnits(relevance.spread, ensemble)
    let signed = inUnits(relevance.signedMean, ensemble)
    let title =
      "Relevance of inputs for \(ensemble.members[0].wordForOutputs): mean |J| over \(points.rows) samples, "
      + "\(unitsText)\(membersText(ensemble))"
    var first = table(title, mean, ensemble)
    first.isShaded = units == .standardised
    var tables = [first]
    if ensemble.inputs.haveLags, units == .standardised {
      first.title += ", by lag"
      tables = [byVariable(mean, ensemble), first]
    }
    if ensemble.members.count > 1 {
      tables.append(table("Spread over the members (standard deviation)", spread, ensemble))
    }
    var result = RelevanceResult(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: ensemble.members.count, samples: points.rows, relevance: mean.nested,
      relevanceSpread: spread.nested, jacobian: signed.nested)
    var csv: Table?
    if statistics {
      let found = try await concurrentMap(ensemble.members.count, threads: run.threads) {
        JacobianStatistics(ensemble.members[$0], over: points)
      }
      let (tablesOfIt, entry) = statisticsTables(found, signed, ensemble)
      tables += tablesOfIt
      result.statistics = entry
      csv = Self.statisticsCSV(result, entry)
    }
    if let plot { try await draw(relevance.mean, ensemble, "mean |J|", to: plot) }
    try printResult(tables, json: result, format: format.format, csv: csv)
  }

  /// All lags of a variable together.
  private func byVariable(_ mean: Matrix, _ ensemble: Ensemble) -> Table {
    let (names, sums) = ensemble.inputs.byVariable(mean)
    var table = Table(
      title: "Relevance of variables for rates of change, all their moments added up"
        + membersText(ensemble), columns: names,
      rows: ensemble.outputs.enumerated().map { row, output in
        (output.name, sums.row(row).map { $0 == 0 ? .trueZero : .number($0) })
      })
    table.isShaded = true
    return table
  }

  /// One row per pair.
  private static func statisticsCSV(
    _ result: RelevanceResult, _ statistics: RelevanceResult.Statistics
  ) -> Table {
    let columns: [(String, [[Double]])] = [
      ("mean_magnitude", result.relevance), ("mean", result.jacobian),
      ("positive_share", statistics.positiveShare), ("negative_share", statistics.negativeShare),
      ("quantile_05", statistics.quantile05), ("median", statistics.median),
      ("quantile_95", statistics.quantile95),
    ]
    return Table(
      title: "", corner: "output", columns: ["input"] + columns.map(\.0),
      rows: result.outputs.enumerated().flatMap { row, output in
        result.inputs.enumerated().map { column, input in
          (output.name, [.text(input.name)] + columns.map { .number($0.1[row][column]) })
        }
      })
  }

  private func statisticsTables(
    _ found: [JacobianStatistics], _ signed: Matrix, _ ensemble: Ensemble
  ) -> ([Table], RelevanceResult.Statistics) {
    func mean(_ part: (JacobianStatistics) -> Matrix) -> Matrix {
      JacobianStatistics.mean(found, part)
    }
    func quantile(_ index: Int) -> Matrix { inUnits(mean { $0.quantiles[index] }, ensemble) }
    let (positive, negative) = (mean(\.positiveShare), mean(\.negativeShare))
    let quantiles = (0..<3).map(quantile)
    var tables = [
      table("Mean J: the same with its sign", signed, ensemble),
      table("Share of the samples at which J is positive", positive, ensemble, hasTrueZeros: false),
      table("Share of the samples at which J is negative", negative, ensemble, hasTrueZeros: false),
    ]
    let whose = ensemble.members.count > 1 ? ", mean of the members'" : ""
    for (share, matrix) in zip(["5 % quantile", "median", "95 % quantile"], quantiles) {
      tables.append(table("J over the samples: \(share)\(whose)", matrix, ensemble))
    }
    let samples = found[0].samplesOfQuantiles
    if samples < found[0].samples {
      tables[tables.count - 1].notes.append(
        "Quantiles are of \(samples) samples, evenly spaced; all else is of all.")
    }
    return (
      tables,
      RelevanceResult.Statistics(
        positiveShare: positive.nested, negativeShare: negative.nested,
        quantile05: quantiles[0].nested, median: quantiles[1].nested,
        quantile95: quantiles[2].nested, samplesOfQuantiles: samples)
    )
  }

  /// - Parameter values: standardised; the numbers are in the units asked for.
  private func draw(_ values: Matrix, _ ensemble: Ensemble, _ legend: String, to path: String)
    async throws
  {
    let isPhysical = units == .physical
    let map = HeatMap(
      title: "\(ensemble.name): what the \(ensemble.members[0].wordForOutputs) respond to",
      rows: ensemble.outputs.enumerated().map {
        ensemble.members[0].label(ofOutput: $0) + (isPhysical ? " [\($1.unit)]" : "")
      },
      columns: ensemble.inputs.map { isPhysical ? $0.label : $0.name },
      legend: legend + ", standardised" + (isPhysical ? "; numbers: in physical units" : ""),
      values: values, labels: inUnits(values, ensemble))
    try WholeFile.write(try await map.svg(), to: path, force: force)
    run.note("\(path): \(values.rows) × \(values.columns) heat map")
  }

  // MARK: By operating region

  struct RegionResult: Encodable {
    struct Region: Encodable {
      var above: Double?
      var atMost: Double?
      var samples: Int
      var relevance: [[Double]]
    }

    var inputs: [Variable]
    var outputs: [Variable]
    var units: String
    var members: Int
    var by: Variable
    var regions: [Region]
  }

  func printRegions(
    _ ensemble: Ensemble, _ data: Trajectories, _ path: String, by name: String
  ) async throws {
    let points = try ensemble.points(of: data, from: path)
    let found = data.variables.firstIndex { $0.name == name }
    guard let column = found else {
      throw DataMismatch("\(path) has no variable \"\(name)\"; it has \(data.variables.listed)")
    }
    let variable = data.variables[column]
    if let first = data.samples.first?[0, column],
      data.samples.allSatisfy({ matrix in matrix.column(column).allSatisfy { $0 == first } })
    {
      Console.warning("\(name) is \(first) at all samples: there is one region")
    }
    // Of the same samples: models with lags have none at the start of a trajectory.
    let values = try data.points(of: ensemble.inputs + [variable]).column(ensemble.inputs.count)
    var tables: [Table] = []
    var regions: [RegionResult.Region] = []
    for (above, atMost) in Self.terciles(values) {
      let rows = values.indices.filter { values[$0] > above && values[$0] <= atMost }
      guard !rows.isEmpty else { continue }
      let inside = Matrix(rows.map { Array(points.row($0)) })
      let relevance = try await EnsembleRelevance(ensemble, over: inside, threads: run.threads)
      let mean = inUnits(relevance.mean, ensemble)
      let bounds = [
        above.isFinite ? String(format: "above %.6g", above) : nil,
        atMost.isFinite ? String(format: "up to %.6g", atMost) : nil,
      ].compactMap { $0 }.joined(separator: ", ")
      var part = table(
        "Mean |J| where \(variable.label) is \(bounds.isEmpty ? "any" : bounds) (\(rows.count) samples), "
          + unitsText + membersText(ensemble), mean, ensemble)
      part.isShaded = units == .standardised
      tables.append(part)
      regions.append(
        .init(
          above: above.isFinite ? above : nil, atMost: atMost.isFinite ? atMost : nil,
          samples: rows.count, relevance: mean.nested))
    }
    let result = RegionResult(
      inputs: ensemble.inputs, outputs: ensemble.outputs, units: units.rawValue,
      members: ensemble.members.count, by: variable, regions: regions)
    let csv = Table(
      title: "", corner: "output",
      columns: ["above", "at_most", "samples"] + ensemble.inputs.map(\.name),
      rows: regions.flatMap { region in
        zip(ensemble.outputs, region.relevance).map { output, row in
          (
            output.name,
            [
              region.above.map(Cell.number) ?? .missing, region.atMost.map(Cell.number) ?? .missing,
              .integer(region.samples),
            ] + row.map(Cell.number)
          )
        }
      })
    try printResult(tables, json: result, format: format.format, csv: csv)
  }

  /// (−∞, a], (a, b], (b, ∞) with a third of the values in each, as far as ties allow.
  static func terciles(_ values: [Double]) -> [(above: Double, atMost: Double)] {
    let ordered = values.sorted()
    let (a, b) = (ordered.quantile(1 / 3.0), ordered.quantile(2 / 3.0))
    return [(-.infinity, a), (a, b), (b, .infinity)]
  }

  // MARK: Other measures

  struct AttributionResult: Encodable {
    var inputs: [Variable]
    var outputs: [Variable]
    var measure: Attribution.Measure
    var members: Int
    var samples: Int
    /// outputs × inputs, standardised
    var attribution: [[Double]]
    var attributionSpread: [[Double]]
    var completenessGap: Double?
  }

  func printAttribution(
    _ measure: Attribution.Measure, _ ensemble: Ensemble, _ data: Trajectories, _ path: String
  ) async throws {
    guard units == .standardised else {
      throw ValidationError("--measure \(measure.rawValue) is in standardised units.")
    }
    let points = try ensemble.points(of: data, from: path).evenlySpaced(
      samples ?? Self.usualSamples)
    let progress = ProgressLine(
      total: ensemble.members.count, unit: "members", quiet: run.quiet)
    let regression = measure == .permutation ? try permutationData(ensemble, data, path) : nil
    let found = try await concurrentMap(ensemble.members.count, threads: run.threads) { index in
      defer { progress.advance() }
      let model = ensemble.members[index]
      switch measure {
      case .gradientInput: return Attribution.gradientInput(model, over: points)
      case .integratedGradients: return Attribution.integratedGradients(model, over: points)
      case .permutation:
        let (inputs, rates, orders) = regression ?? (points, points, [])
        return Attribution.permutation(model, over: inputs, rates: rates, orders: orders)
      }
    }
    progress.finish()
    let (mean, spread) = Self.meanAndSpread(found.map(\.mean))
    let gap = found.compactMap(\.completenessGap).max()
    var first = table(
      "\(Self.title(measure)), \(counted(found[0].samples, "sample")), standardised\(membersText(ensemble))",
      mean, ensemble)
    first.isShaded = true
    first.notes = [Self.pitfall(measure)]
    if let gap {
      first.notes.append(
        "Shares of a sample add up to what the rate differs from that at the training mean, to "
          + String(format: "%.1g.", gap))
    }
    var tables = [first]
    if found.count > 1 {
      tables.append(table("Spread over the members (standard deviation)", spread, ensemble))
    }
    if let plot { try await draw(mean.map { max($0, 0) }, ensemble, measure.rawValue, to: plot) }
    let result = AttributionResult(
      inputs: ensemble.inputs, outputs: ensemble.outputs, measure: measure,
      members: found.count, samples: found[0].samples, attribution: mean.nested,
      attributionSpread: spread.nested, completenessGap: gap)
    try printResult(tables, json: result, format: format.format)
  }

  /// Steps evenly spaced over the data, their rates, and five shufflings of them.
  private func permutationData(_ ensemble: Ensemble, _ data: Trajectories, _ path: String) throws
    -> (inputs: Matrix, rates: Matrix, orders: [[Int]])
  {
    let regression: Regression
    do {
      regression = try Regression(data)
    } catch {
      throw DataMismatch("\(path): \(error)")
    }
    func columns(_ wanted: [Variable], of there: [Variable]) throws -> [Int] {
      try wanted.map { variable in
        guard let index = there.firstIndex(where: { $0.name == variable.name }) else {
          throw DataMismatch(
            "\(path) has no state \"\(variable.name)\", whose rate the models give")
        }
        return index
      }
    }
    let most = samples ?? Self.usualSamples
    guard regression.rows > 1 else {
      throw DataMismatch(
        "\(path): one step cannot be shuffled; permutation importance needs two at least")
    }
    let inputs = regression.inputs.evenlySpaced(most)
      .columns(try columns(ensemble.inputs, of: regression.features))
    let rates = regression.outputs.evenlySpaced(most)
      .columns(try columns(ensemble.outputs, of: regression.targets))
    var stream = RandomStream(seed: seed ?? 1)
    let orders = (0..<5).map { _ in
      var order = Array(0..<inputs.rows)
      stream.shuffle(&order)
      return order
    }
    return (inputs, rates, orders)
  }

  private static func title(_ measure: Attribution.Measure) -> String {
    switch measure {
    case .gradientInput: "Gradient × input: mean |z · J|"
    case .integratedGradients: "Integrated gradients from the training mean: mean magnitude"
    case .permutation: "Permutation importance: rise of the rates' squared error, 5 shufflings"
    }
  }

  private static func pitfall(_ measure: Attribution.Measure) -> String {
    switch measure {
    case .gradientInput:
      "Where the function bends, it is neither what a small change does nor what the whole distance did."
    case .integratedGradients:
      "The straight way from the training mean may pass states that never occur."
    case .permutation:
      "Where inputs are correlated, shuffling one makes states that never occur; negative values are chance."
    }
  }
}

extension Matrix {
  /// At most `most` rows, evenly spaced.
  fileprivate func evenlySpaced(_ most: Int) -> Matrix {
    guard rows > most else { return self }
    return submatrix(rows: (0..<most).map { $0 * rows / most }, columns: Array(0..<columns))
  }

  fileprivate func columns(_ chosen: [Int]) -> Matrix {
    submatrix(rows: Array(0..<rows), columns: chosen)
  }
}

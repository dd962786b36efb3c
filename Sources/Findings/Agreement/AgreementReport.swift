import Reporting
import Structure

/// One or two ensembles: how far their members agree, and on what the two differ.
public struct AgreementReport {
  public struct Options: Sendable {
    public var threshold = PairSelection.usualThreshold
    public var interval = IntervalMethod.jackknife
    /// Share of the members that must select a pair, for the bound of stability selection; nil for none.
    public var share: Double?
    /// Whether the Jaccard index of every two members is told.
    public var isPairwise = false
    /// Name of the plant that judges.
    public var plant = ""
    /// What has all pairs where a table has not, in words.
    public var allIn = "JSON"
    /// What the threshold is called where it is set.
    public var thresholdName = "threshold"

    public init() {}
  }

  let reports: [EnsembleReport]
  let truth: PlantTruth?
  let options: Options
  let differences: [Difference]?
  public let result: Result

  /// - Parameters:
  ///   - agreements: of one or two ensembles of the same variables, all with data or all without.
  ///   - truth: the plant by which they were judged.
  ///   - options: what is told of them, and how.
  public init(_ agreements: [EnsembleAgreement], truth: PlantTruth?, options: Options) {
    reports = agreements.map {
      EnsembleReport($0, interval: options.interval, share: options.share)
    }
    self.truth = truth
    self.options = options
    differences = reports.count == 2 ? Self.differences(reports[0], reports[1]) : nil
    result = Result(
      ensembles: reports.map(\.result), differences: differences,
      plant: truth.map { PlantResult($0, name: options.plant) }, threshold: options.threshold)
  }

  var hasData: Bool { reports[0].agreement.meanRelevance != nil }

  public struct Result: Encodable {
    var ensembles: [EnsembleReport.Result]
    var differences: [Difference]?
    var plant: PlantResult?
    var threshold: Double
  }

  /// Second ensemble minus first.
  struct Difference: Encodable {
    var kind: String
    var stability: Double?
    /// 95 %, by the jackknife over the members of both.
    var interval: [Double]?
    /// T of Nogueira, Sechidis & Brown, normal for many members; with few it exaggerates.
    var asymptoticStatistic: Double?
    /// Pairs in the consensus of both, of the first only, and of the second only.
    var both: Int
    var onlyFirst: [Pair]
    var onlySecond: [Pair]
  }

  struct Pair: Encodable {
    var output: String
    var input: String
    /// Shares of the members that select it.
    var first: Double
    var second: Double
  }

  struct PlantResult: Encodable {
    var name: String
    var samples: Int
    var samplesOutsideDomain: Int
    var relevance: [[Double]]
    var realPairs: Int
    var uncertainPairs: Int

    init(_ truth: PlantTruth, name: String) {
      self.name = name
      samples = truth.samples
      samplesOutsideDomain = truth.samplesLeftOut
      relevance = (0..<truth.relevance.rows).map { Array(truth.relevance.row($0)) }
      var grades: [PlantTruth.Grade: Int] = [:]
      for row in 0..<truth.relevance.rows {
        for column in 0..<truth.relevance.columns {
          grades[truth.grade(row, column), default: 0] += 1
        }
      }
      realPairs = grades[.real, default: 0]
      uncertainPairs = grades[.uncertain, default: 0]
    }
  }

  private static func differences(_ a: EnsembleReport, _ b: EnsembleReport) -> [Difference] {
    zip(a.selections, b.selections).map { first, second in
      let found = Selection.jackknifeDifference(first.selection, second.selection)
      let (one, other) = (first.selection.consensus, second.selection.consensus)
      let (shares, otherShares) = (first.selection.frequency, second.selection.frequency)
      func pairs(_ isWanted: (Int) -> Bool) -> [Pair] {
        one.indices.filter(isWanted).map { index in
          Pair(
            output: a.result.outputs[index / a.result.inputs.count],
            input: a.result.inputs[index % a.result.inputs.count], first: shares[index],
            second: otherShares[index])
        }
      }
      return Difference(
        kind: first.kind,
        stability: second.selection.stability.flatMap { later in
          first.selection.stability.map { later - $0 }
        },
        interval: found.map { [$0.interval.lowerBound, $0.interval.upperBound] },
        asymptoticStatistic: Selection.difference(first.selection, second.selection),
        both: one.indices.count { one[$0] && other[$0] },
        onlyFirst: pairs { one[$0] && !other[$0] }, onlySecond: pairs { !one[$0] && other[$0] })
    }
  }
}

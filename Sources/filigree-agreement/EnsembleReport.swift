import CommandSupport
import Dynamics
import Interpretation
import LinearAlgebra
import Networks

/// One ensemble's selections, agreement and scores.
struct EnsembleReport {
  struct SelectionResult: Encodable {
    var kind: String
    var meanPairs: Double
    /// Φ; null where it is undefined.
    var stability: Double?
    var interval: [Double]?
    var asymptoticVariance: Double?
    var meanJaccard: Double?
    var allAgree: Bool
    /// outputs × inputs
    var frequency: [[Double]]
    var score: Score?
  }

  struct Score: Encodable {
    var found: Int
    var missed: Int
    var spurious: Int
    var uncertainSelected: Int
    var precision: Double?
    var recall: Double?
    var f1: Double?
  }

  struct Result: Encodable {
    var name: String
    var members: Int
    var inputs: [String]
    var outputs: [String]
    var selections: [SelectionResult]
    var jacobianError: Double?
  }

  let selections: [(kind: String, selection: Selection)]
  let scores: [(kind: String, score: StructureScore)]
  let jacobianError: Double?
  let result: Result
  private let ensemble: Ensemble

  init(
    _ ensemble: Ensemble, data: Trajectories?, truth: PlantTruth?, threshold: Double, threads: Int
  ) async throws {
    self.ensemble = ensemble
    let strengths = try await concurrentMap(ensemble.members.count, threads: threads) {
      PathAnalysis(LiveStructure(ensemble.members[$0].network).network).counts
        .flatMap { $0.map { $0 != 0 } }
    }
    var selections = [(kind: "structural", selection: Selection(chosen: strengths))]
    var relevance: EnsembleRelevance?
    if let data {
      let computed = try await EnsembleRelevance(ensemble, over: data, threads: threads)
      let chosen = zip(strengths, computed.members).map { connected, member in
        zip(connected, member.meanMagnitude.elements).map { $0 && $1 > threshold }
      }
      selections.append((kind: "relevant", selection: Selection(chosen: chosen)))
      relevance = computed
    }
    self.selections = selections
    scores =
      truth.map { truth in
        selections.map { ($0.kind, StructureScore(selected: $0.selection.consensus, truth: truth)) }
      } ?? []
    jacobianError = truth.flatMap { truth in
      relevance.map { relevance in
        zip(ensemble.members, relevance.members).map { model, member in
          truth.medianJacobianError(model.physical(member.meanMagnitude))
        }.mean
      }
    }
    let scores = scores
    let columns = ensemble.inputs.count
    result = Result(
      name: ensemble.name, members: ensemble.members.count, inputs: ensemble.inputs.map(\.name),
      outputs: ensemble.outputs.map(\.name),
      selections: selections.enumerated().map { index, item in
        let selection = item.selection
        let interval = selection.jackknifeInterval()
        let frequency = selection.frequency
        return SelectionResult(
          kind: item.kind, meanPairs: selection.chosen.map { Double($0.count { $0 }) }.mean,
          stability: selection.stability,
          interval: interval.map { [$0.lowerBound, $0.upperBound] },
          asymptoticVariance: selection.asymptoticVariance, meanJaccard: selection.meanJaccard,
          allAgree: selection.isUnanimous,
          frequency: ensemble.outputs.indices.map {
            Array(frequency[($0 * columns)..<(($0 + 1) * columns)])
          },
          score: scores.isEmpty ? nil : Score(scores[index].score))
      },
      jacobianError: jacobianError)
  }

  var pairCount: Int { ensemble.inputs.count * ensemble.outputs.count }

  /// How many members select each pair, by the strictest selection at hand.
  var frequencyTable: Table {
    let kind = result.selections[result.selections.count - 1]
    let members = ensemble.members.count
    return Table(
      title: "\(result.name): members of \(members) that select each pair (\(kind.kind)); rows are "
        + "rates of change",
      columns: ensemble.inputs.map(\.name),
      rows: zip(ensemble.outputs, kind.frequency).map { output, row in
        (
          output.name,
          row.map { $0 == 0 ? .trueZero : .integer(Int(($0 * Double(members)).rounded())) }
        )
      })
  }
}

extension EnsembleReport.Score {
  init(_ score: StructureScore) {
    found = score.found
    missed = score.missed
    spurious = score.spurious
    uncertainSelected = score.uncertainSelected
    precision = score.precision
    recall = score.recall
    f1 = score.f1
  }
}

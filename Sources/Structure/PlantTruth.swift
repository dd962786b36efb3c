import Dynamics
import LinearAlgebra
import Networks

/// The known dependencies of a plant's one-step map, graded by strength over data.
public struct PlantTruth: Sendable {
  public enum Grade: Sendable { case real, uncertain, absent }

  /// mean |∂F_i/∂z_j| in physical units, states × (states + controls).
  public let physical: Matrix
  /// R_ij = mean |∂F_i/∂z_j| σ(z_j)/σ(F_i), with standard deviations over the same samples.
  public let relevance: Matrix
  public let samples: Int
  /// Samples that lie outside the plant's domain and were left out.
  public let samplesLeftOut: Int

  /// R above which a dependency counts as real, and at or below which as absent; between these values it counts
  /// neither way.
  public static let realAbove = 0.01
  public static let absentAtMost = 0.001

  /// - Parameters:
  ///   - plant: whose one-step map is differentiated.
  ///   - data: that hold its states and controls.
  ///   - step: every how many samples the Jacobian is taken.
  ///   - threads: that may work at once.
  /// - Throws: `DataProblem.missingVariables`; `.tooShort` when no sample lies in the domain.
  public init(_ plant: any Plant, over data: Trajectories, stride step: Int = 1, threads: Int)
    async throws
  {
    let inputs = try data.points(of: plant.states + plant.controls)
    let stateCount = plant.states.count
    @Sendable func point(_ row: Int) -> (state: [Double], controls: [Double]) {
      let values = Array(inputs.row(row))
      return (Array(values[..<stateCount]), Array(values[stateCount...]))
    }
    let wanted = Array(Swift.stride(from: 0, to: inputs.rows, by: step))
    let rows = wanted.filter {
      let (state, controls) = point($0)
      return plant.isInDomain(state: state, controls: controls)
    }
    guard !rows.isEmpty else { throw DataProblem.tooShort }

    let chunk = 1000
    let chunks = (rows.count + chunk - 1) / chunk
    let parts = try await concurrentMap(chunks, threads: threads) { index in
      var magnitude = Matrix(rows: stateCount, columns: inputs.columns)
      var increments: [[Double]] = []
      for row in rows[(index * chunk)..<min(rows.count, (index + 1) * chunk)] {
        let (state, controls) = point(row)
        magnitude += plant.incrementJacobian(state: state, controls: controls).map(abs)
        increments.append(plant.increment(state: state, controls: controls))
      }
      return (magnitude, increments)
    }
    let count = Double(rows.count)
    let mean = parts.dropFirst().reduce(parts[0].0) { $0 + $1.0 }.map { $0 / count }
    let increments = parts.flatMap(\.1)
    let outputDeviation = (0..<stateCount).map { i in increments.map { $0[i] }.standardDeviation }
    let inputDeviation = (0..<inputs.columns).map { j in
      rows.map { inputs[$0, j] }.standardDeviation
    }
    physical = mean
    relevance = Matrix(rows: stateCount, columns: inputs.columns) {
      mean[$0, $1] * inputDeviation[$1] / outputDeviation[$0]
    }
    samples = rows.count
    samplesLeftOut = wanted.count - rows.count
  }

  /// Results computed earlier, for instance read from a file.
  public init(relevance: Matrix, physical: Matrix, samples: Int, samplesLeftOut: Int) {
    self.relevance = relevance
    self.physical = physical
    self.samples = samples
    self.samplesLeftOut = samplesLeftOut
  }

  public func grade(_ output: Int, _ input: Int) -> Grade {
    let value = relevance[output, input]
    return value > Self.realAbove ? .real : value <= Self.absentAtMost ? .absent : .uncertain
  }
}

/// A selection of pairs judged by the known plant; dependencies between the two thresholds count neither way.
public struct StructureScore: Equatable, Sendable {
  public var found: Int
  public var missed: Int
  public var spurious: Int
  public var uncertainSelected: Int
  public var uncertain: Int

  /// - Parameters:
  ///   - selected: output by output, all inputs of each.
  ///   - truth: the plant that judges.
  public init(selected: [Bool], truth: PlantTruth) {
    let columns = truth.relevance.columns
    found = 0
    missed = 0
    spurious = 0
    uncertain = 0
    uncertainSelected = 0
    for (index, isSelected) in selected.enumerated() {
      switch truth.grade(index / columns, index % columns) {
      case .real: if isSelected { found += 1 } else { missed += 1 }
      case .absent: if isSelected { spurious += 1 }
      case .uncertain:
        uncertain += 1
        if isSelected { uncertainSelected += 1 }
      }
    }
  }

  /// found/(found + spurious); nil when nothing is selected.
  public var precision: Double? { ratio(found, found + spurious) }
  /// found/(found + missed)
  public var recall: Double? { ratio(found, found + missed) }
  /// Harmonic mean of precision and recall: 2 found/(2 found + spurious + missed).
  public var f1: Double? { ratio(2 * found, 2 * found + spurious + missed) }

  private func ratio(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }
}

extension PlantTruth {
  /// Precision and recall of the plant's pairs over all thresholds of a model's relevance.
  ///
  /// - Parameter relevance: mean |J| in standardised units, states × (states + controls).
  public func curve(_ relevance: Matrix) -> PrecisionRecallCurve {
    PrecisionRecallCurve(
      // Without a path there is nothing to select, at any threshold.
      scores: relevance.elements.map { $0 == 0 ? -.infinity : $0 },
      isReal: (0..<relevance.elements.count).map { index in
        switch grade(index / relevance.columns, index % relevance.columns) {
        case .real: true
        case .absent: false
        case .uncertain: nil
        }
      })
  }

  /// Median over the real pairs of |R_model − R_plant|/R_plant with R the mean |J| in physical units.
  ///
  /// - Parameter physical: the model's mean |J| in physical units.
  public func medianJacobianError(_ physical: Matrix) -> Double {
    var errors: [Double] = []
    for row in 0..<relevance.rows {
      for column in 0..<relevance.columns where grade(row, column) == .real {
        errors.append(abs(physical[row, column] / self.physical[row, column] - 1))
      }
    }
    return errors.median
  }
}

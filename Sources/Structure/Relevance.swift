import Dynamics
import LinearAlgebra
import Networks

/// Statistics of a model's Jacobian over data, in standardised units (outputs × inputs).
public struct Relevance: Equatable, Sendable {
  /// R = mean |J|: how strongly each rate responds to each input on the data. Zero exactly if no path is left.
  public var meanMagnitude: Matrix
  /// Mean J, with its sign; much smaller than R where the sign changes over the data.
  public var signedMean: Matrix
  public var samples: Int

  /// - Parameters:
  ///   - model: whose Jacobians are taken.
  ///   - inputs: samples × inputs in physical units, at least one.
  public init(_ model: Model, over inputs: Matrix) {
    var batch = JacobianBatch(LiveStructure(model.network).network)
    batch.add(inputs, rows: 0..<inputs.rows, model.inputScaling)
    let (magnitude, signed) = batch.sums()
    let count = Double(inputs.rows)
    meanMagnitude = magnitude.map { $0 / count }
    signedMean = signed.map { $0 / count }
    samples = inputs.rows
  }
}

/// The relevances of all members of an ensemble, and their means.
public struct EnsembleRelevance: Sendable {
  public let members: [Relevance]

  /// - Throws: `DataProblem.missingVariables` when the data lack one of the models' inputs.
  public init(_ ensemble: Ensemble, over data: Trajectories, threads: Int) async throws {
    try await self.init(ensemble, over: try data.points(of: ensemble.inputs), threads: threads)
  }

  /// - Parameters:
  ///   - ensemble: whose members are all evaluated.
  ///   - inputs: samples × inputs in physical units, at least one.
  ///   - threads: that may work at once.
  public init(_ ensemble: Ensemble, over inputs: Matrix, threads: Int) async throws {
    members = try await concurrentMap(ensemble.members.count, threads: threads) {
      Relevance(ensemble.members[$0], over: inputs)
    }
  }

  /// Mean over the members of R.
  public var mean: Matrix { average { $0.meanMagnitude } }

  /// Mean over the members of the signed mean.
  public var signedMean: Matrix { average { $0.signedMean } }

  /// Standard deviation over the members of R (zero for one member).
  public var spread: Matrix {
    let first = members[0].meanMagnitude
    return Matrix(rows: first.rows, columns: first.columns) { row, column in
      members.map { $0.meanMagnitude[row, column] }.standardDeviation
    }
  }

  private func average(_ part: (Relevance) -> Matrix) -> Matrix {
    let sum = members.dropFirst().reduce(part(members[0])) { $0 + part($1) }
    return sum.map { $0 / Double(members.count) }
  }
}

extension Trajectories {
  /// All samples of the named variables, one below the other (samples × variables). For lagged features, the
  /// samples all of whose lags lie within their trajectory and have no gaps.
  /// - Throws: `DataProblem.missingVariables`.
  public func points(of variables: [Variable]) throws(DataProblem) -> Matrix {
    let lags = try LaggedSamples(variables, of: self)
    var elements: [Double] = []
    elements.reserveCapacity(sampleCount * variables.count)
    for matrix in samples {
      for row in lags.samples(of: matrix.rows) {
        guard !variables.haveLags || lags.isWhole(matrix, at: row) else { continue }
        for feature in variables.indices {
          elements.append(lags.value(feature, of: matrix, at: row))
        }
      }
    }
    return Matrix(
      rows: elements.count / max(1, variables.count), columns: variables.count, elements: elements)
  }
}

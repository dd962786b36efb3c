import Dynamics
import LinearAlgebra
import Networks

/// The modes of x(k+1) = x(k) + Δt · rates(x(k), u(k)), linearised along a trajectory: eigenvalues λ of
/// I + Δt ∂rates/∂x, ranked by magnitude at every sample.
public struct Stability: Sendable {
  /// A mode with |λ − 1| below this integrates: it neither decays nor grows.
  public static let integratesWithin = 1e-6
  /// A mode with |λ| above this grows.
  public static let unstableAbove = 1 + 1e-4

  /// The λ of one rank over the samples.
  public struct Mode: Equatable, Sendable, Encodable {
    /// Shares of the samples.
    public var integrating: Double
    public var unstable: Double
    public var oscillating: Double
    /// |λ|: least, median, most.
    public var magnitude: [Double]
    /// Over the samples at which the mode decays; nil if it never does.
    public var timeConstant: TimeConstant?
  }

  /// −Δt/ln|λ| in seconds, over the samples at which a mode decays.
  public struct TimeConstant: Equatable, Sendable, Encodable {
    public var quantile05: Double
    public var median: Double
    public var quantile95: Double
  }

  /// The slowest first.
  public let modes: [Mode]
  public let samples: Int
  /// The largest |λ| at each sample.
  public let largest: [Double]
  /// All λ at the last sample.
  public let lastSpectrum: [Eigenvalue]

  /// - Parameters:
  ///   - jacobians: ∂rates/∂x in 1/s, states × states, at least one.
  ///   - timeStep: Δt in seconds.
  public init?(_ jacobians: [Matrix], timeStep: Double) {
    var spectra: [[Eigenvalue]] = []
    for jacobian in jacobians {
      let step = Matrix.identity(jacobian.rows) + jacobian.map { timeStep * $0 }
      guard step.elements.allSatisfy(\.isFinite), let found = step.eigenvalues() else { return nil }
      spectra.append(found)
    }
    guard let count = spectra.first?.count else { return nil }
    samples = spectra.count
    lastSpectrum = spectra[spectra.count - 1]
    largest = spectra.map { $0.first?.length ?? 0 }
    modes = (0..<count).map { rank in Mode(spectra.map { $0[rank] }, timeStep: timeStep) }
  }
}

extension Stability.Mode {
  init(_ values: [Eigenvalue], timeStep: Double) {
    func share(_ isSo: (Eigenvalue) -> Bool) -> Double {
      Double(values.count(where: isSo)) / Double(values.count)
    }
    func integrates(_ value: Eigenvalue) -> Bool {
      Eigenvalue(value.real - 1, value.imaginary).length < Stability.integratesWithin
    }
    integrating = share(integrates)
    unstable = share { $0.length > Stability.unstableAbove }
    oscillating = share { abs($0.imaginary) > 1e-12 }
    let magnitudes = values.map(\.length).sorted()
    magnitude = [0, 0.5, 1].map(magnitudes.quantile)
    let decaying = values.filter { $0.length < 1 && !integrates($0) }
      .map { $0.length == 0 ? 0 : -timeStep / .log($0.length) }.sorted()
    timeConstant =
      decaying.isEmpty
      ? nil
      : Stability.TimeConstant(
        quantile05: decaying.quantile(0.05), median: decaying.quantile(0.5),
        quantile95: decaying.quantile(0.95))
  }
}

extension Model {
  /// The columns of the Jacobian that belong to the outputs' own states, in the order of the outputs.
  /// - Throws: `DataProblem.missingVariables` where an output's state is not an input.
  public func stateColumns() throws(DataProblem) -> [Int] {
    let columns = outputs.map { output in inputs.firstIndex { $0.name == output.name } }
    let missing = zip(outputs, columns).filter { $1 == nil }.map(\.0.name)
    guard missing.isEmpty else { throw .missingVariables(missing, extra: []) }
    return columns.compactMap { $0 }
  }

  /// ∂rates/∂x in 1/s at these rows (physical units), states × states.
  /// - Throws: `DataProblem.missingVariables` where an output's state is not an input.
  public func stateJacobians(at rows: Matrix) throws(DataProblem) -> [Matrix] {
    let columns = try stateColumns()
    let evaluator = JacobianEvaluator(network)
    return (0..<rows.rows).map { row in
      let jacobian = physical(evaluator.jacobian(inputScaling.standardise(rows.row(row))))
      return Matrix(rows: columns.count, columns: columns.count) { jacobian[$0, columns[$1]] }
    }
  }
}

import LinearAlgebra
import Networks

/// What came of a claim.
public enum ProofVerdict: String, Codable, CaseIterable, Sendable {
  /// It holds at every point of the box.
  case proved
  /// There are points inside at which it does not hold.
  case refuted
  /// Neither was shown within the boxes that were looked at.
  case open
}

/// What is claimed of an input's effect on an output.
public enum EffectClaim: String, Codable, CaseIterable, Sendable {
  /// No path leads from the input to the output.
  case none
  /// The output never falls as the input rises.
  case rises
  /// The output never rises as the input rises.
  case falls
  /// Either of these throughout.
  case oneSign = "one-sign"
}

/// What holds of one output and one input, everywhere in a box.
public struct PairCertificate: Equatable, Sendable {
  public var output: Int
  public var input: Int
  /// Of ∂f/∂x, standardised; nil where no path leads from the input to the output.
  public var slope: Certifier.Bounds?

  /// The strongest claim that was proved or suggested itself, and what came of it.
  public var claim: EffectClaim {
    guard let slope else { return .none }
    if slope.lower >= 0 { return .rises }
    if slope.upper <= 0 { return .falls }
    if slope.lowest.value < 0, slope.highest.value > 0 { return .oneSign }
    return abs(slope.highest.value) >= abs(slope.lowest.value) ? .rises : .falls
  }

  public var verdict: ProofVerdict {
    guard let slope else { return .proved }
    if slope.lower >= 0 || slope.upper <= 0 { return .proved }
    return slope.lowest.value < 0 && slope.highest.value > 0 ? .refuted : .open
  }

  /// Whether the effect is proved to be smaller everywhere, and with it its mean over any data in the box.
  ///
  /// - Parameter threshold: in standardised units.
  public func isBelow(_ threshold: Double) -> Bool {
    slope.map { $0.magnitude < threshold } ?? true
  }
}

/// What holds of one output, everywhere in a box; standardised.
public struct OutputCertificate: Equatable, Sendable {
  public var output: Int
  public var range: Certifier.Bounds
  /// Σ |∂f/∂x| over the inputs: how far it moves at most where every input moves by one deviation.
  public var gradientSize: Certifier.Bounds
}

/// All certificates of one model.
public struct ModelCertificate: Equatable, Sendable {
  /// Outputs × inputs, row by row.
  public var pairs: [PairCertificate]
  public var outputs: [OutputCertificate]

  public func pair(_ output: Int, _ input: Int) -> PairCertificate? {
    pairs.first { $0.output == output && $0.input == input }
  }
}

/// What holds of a pair in all members of an ensemble.
public struct EnsemblePair: Equatable, Sendable {
  public var output: Int
  public var input: Int
  /// Member by member.
  public var members: [PairCertificate]

  /// A claim is the ensemble's if it is that of every member that connects the pair; members that do not are no
  /// objection to a sign.
  public var claim: EffectClaim {
    let claims = Set(members.map(\.claim)).subtracting([.none])
    guard let only = claims.first else { return .none }
    return claims.count == 1 ? only : .oneSign
  }

  /// Proved if it is proved in every member, refuted if there is a member, or there are two, that refute it.
  public var verdict: ProofVerdict {
    if members.contains(where: { $0.verdict == .refuted }) { return .refuted }
    guard claim == .oneSign else {
      return members.allSatisfy { $0.verdict == .proved } ? .proved : .open
    }
    let slopes = members.compactMap(\.slope)
    return slopes.contains { $0.lowest.value < 0 } && slopes.contains { $0.highest.value > 0 }
      ? .refuted : .open
  }

  /// How many members connect the pair.
  public var connected: Int { members.count { $0.slope != nil } }
}

/// The certificates of all members of an ensemble in one box.
public struct EnsembleCertificate: Sendable {
  public let ensemble: Ensemble
  public let box: InputBox
  public let options: Certifier.Options
  public let members: [ModelCertificate]

  /// - Parameters:
  ///   - ensemble: whose members are looked at, each by itself.
  ///   - box: in which all of it is to hold.
  ///   - pairs: only these of output and input; nil for all, and the outputs' own ranges.
  ///   - samples: points at which to look first, samples × inputs in physical units; nil for none.
  ///   - options: of the search.
  ///   - threads: that may work at once. They change no result unless there is a deadline.
  ///   - advance: called as each bound is done, from any thread.
  /// - Throws: `NoBounds` where a model has an activation without proven bounds.
  public init(
    _ ensemble: Ensemble, in box: InputBox, only pairs: [(output: Int, input: Int)]? = nil,
    samples: Matrix?, options: Certifier.Options, threads: Int,
    advance: @escaping @Sendable () -> Void = {}
  ) async throws {
    self.ensemble = ensemble
    self.box = box
    self.options = options
    let certifiers = ensemble.members.map {
      Certifier($0, in: box, samples: samples, options: options)
    }
    let tasks = certifiers.indices.flatMap { member in
      Self.tasks(certifiers[member], pairs).map { (member: member, task: $0) }
    }
    let found = try await concurrentMap(tasks.count, threads: threads) { index in
      let (member, task) = tasks[index]
      defer { advance() }
      return try task.carriedOut(by: certifiers[member])
    }
    members = certifiers.indices.map { member in
      let own = zip(tasks, found).filter { $0.0.member == member }
      return ModelCertificate(
        pairs: own.compactMap { $1.pair }, outputs: own.compactMap { $1.output })
    }
  }

  /// How many bounds there are to prove, for showing progress.
  public static func taskCount(_ ensemble: Ensemble, only pairs: [(output: Int, input: Int)]?)
    -> Int
  {
    ensemble.members.count
      * (pairs?.count ?? ensemble.outputs.count * (ensemble.inputs.count + 1))
  }

  private enum Task: Sendable {
    case pair(output: Int, input: Int)
    case output(Int)

    func carriedOut(by certifier: Certifier) throws -> (
      pair: PairCertificate?, output: OutputCertificate?
    ) {
      switch self {
      case .pair(let output, let input):
        let slope =
          certifier.isConnected(output: output, input: input)
          ? try certifier.slope(output: output, input: input) : nil
        return (PairCertificate(output: output, input: input, slope: slope), nil)
      case .output(let output):
        return (
          nil,
          OutputCertificate(
            output: output, range: try certifier.output(output),
            gradientSize: try certifier.gradientSize(output: output))
        )
      }
    }
  }

  private static func tasks(_ certifier: Certifier, _ pairs: [(output: Int, input: Int)]?)
    -> [Task]
  {
    if let pairs { return pairs.map { .pair(output: $0.output, input: $0.input) } }
    return certifier.model.outputs.indices.flatMap { output in
      certifier.model.inputs.indices.map { .pair(output: output, input: $0) } + [.output(output)]
    }
  }

  /// Pairs that were looked at, in order.
  public var pairs: [EnsemblePair] {
    (members.first?.pairs ?? []).enumerated().map { place, first in
      EnsemblePair(
        output: first.output, input: first.input, members: members.map { $0.pairs[place] })
    }
  }
}

/// How far two models are apart at most, everywhere in a box.
public struct DifferenceCertificate: Sendable {
  public let first: Model
  public let second: Model
  public let box: InputBox
  public let options: Certifier.Options
  /// By output, of the first minus the second, in deviations of the first's outputs.
  public let outputs: [Certifier.Bounds]

  /// - Parameters:
  ///   - first: a model.
  ///   - second: another of the same inputs and outputs.
  ///   - box: in which all of it is to hold.
  ///   - samples: points at which to look first, samples × inputs in physical units; nil for none.
  ///   - options: of the search.
  ///   - threads: that may work at once. They change no result unless there is a deadline.
  ///   - advance: called as each bound is done, from any thread.
  /// - Throws: `NoBounds`.
  public init(
    _ first: Model, _ second: Model, in box: InputBox, samples: Matrix?,
    options: Certifier.Options, threads: Int, advance: @escaping @Sendable () -> Void = {}
  ) async throws {
    self.first = first
    self.second = second
    self.box = box
    self.options = options
    let certifier = Certifier(first, in: box, samples: samples, options: options)
    outputs = try await concurrentMap(first.outputs.count, threads: threads) { output in
      defer { advance() }
      return try certifier.difference(from: second, output: output)
    }
  }
}

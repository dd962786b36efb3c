import Evidence
import LinearAlgebra
import Networks

extension EnsembleTraining {
  /// The number of members whose effects are found again from data of their own making; none where there is no
  /// evidence that could gain by it.
  func rehearsing(_ decided: [Decision]) -> Int {
    decided.allSatisfy { $0.evidence != nil } ? min(members, 3) : 0
  }

  /// Of the networks that a member delivers; nil where they are not judged.
  func rehearse(_ delivered: FreeRunDelivery, _ member: Int, _ material: Material) throws
    -> Rehearsal?
  {
    let networks = delivered.trained.compactMap(\.network)
    guard recipe.isCrossFitted, let refinement = material.refinement,
      networks.count == delivered.trained.count,
      delivered.trained.allSatisfy({ $0.history.refinement?.sizeBeyondLimit == nil })
    else { return nil }
    return try Refinement(recipe: recipe, material: refinement).rehearse(
      networks, stream: RandomStream(seed: seed, path: [UInt64.max - 1, UInt64(member)]))
  }

  /// The members' common evidence on every pair; nil if they have not decided together.
  ///
  /// - Parameters:
  ///   - decided: of every output.
  ///   - rehearsals: of some members.
  ///   - models: the members as they are delivered.
  ///   - set: the data over which effects are taken.
  func evidence(
    _ decided: [Decision], _ rehearsals: [Rehearsal], _ models: [Model], _ set: TrainingSet
  ) -> EnsembleEvidence? {
    let found = decided.compactMap(\.evidence)
    guard found.count == set.targets.count, !models.isEmpty else { return nil }
    let points = set.points(2000)
    let slopes = models.map { $0.network.meanSlopes(points) }
    let elimination = PooledElimination(attempts: recipe.eliminate)
    let pairs = found.enumerated().map { output, evidence in
      evidence.pairs(
        slopes.map { Array($0.magnitude.row(output)) }, slopes.map { Array($0.signed.row(output)) },
        rehearsals, output, proof: elimination.proof,
        negligible: elimination.negligible)
    }
    return EnsembleEvidence(
      outputs: set.targets.map(\.name), inputs: set.features.map(\.name), pairs: pairs,
      explained: found.map(\.explained),
      alone: models.indices.map { member in
        found.map { member < $0.alone.count ? $0.alone[member] : [] }
      },
      groups: zip(found, pairs).map { evidence, pairs in
        evidence.collinear.filter { $0.contains { pairs[$0].verdict == .undecided } }
      })
  }
}

import Dynamics
import Reporting
import Training

/// What a training leaves beside its models.
public enum TrainingTables {
  /// A row per network and epoch.
  ///
  /// - Parameters:
  ///   - histories: of all networks.
  ///   - names: of the states.
  public static func epochs(_ histories: [TrainingHistory], _ names: [String]) -> Table {
    var table = Table(
      title: "", corner: "member",
      columns: [
        "tower", "epoch", "learning_rate", "training_loss", "penalty", "validation_loss",
        "surviving_weights",
      ])
    for history in histories {
      for record in history.epochs {
        table.rows.append(
          (
            String(history.problem.member),
            [
              .text(history.problem.tower.map { names[$0] } ?? ""), .integer(record.epoch),
              .number(record.learningRate), .number(record.trainingLoss), .number(record.penalty),
              record.validationLoss.map(Cell.number) ?? .missing,
              .integer(record.survivingWeights),
            ]
          ))
      }
    }
    return table
  }

  /// What noise was found in each state.
  public static func noise(_ states: [Smoothing.StateReport]) -> Table {
    Table(
      title: "", corner: "state",
      columns: [
        "noise", "share_of_increments", "correlation", "missing_samples", "taken_to_move_as",
      ],
      rows: states.map { state in
        (
          state.name,
          [
            .number(state.noise), .number(state.relativeNoise), .number(state.correlation),
            .integer(state.gaps),
            .text(state.motion ?? "left as it is"),
          ]
        )
      })
  }

  /// What was done to each network after its stochastic training.
  ///
  /// - Parameters:
  ///   - histories: of all networks.
  ///   - inputs: names of the features.
  public static func refinement(_ histories: [TrainingHistory], inputs: [String]) -> Table {
    var table = Table(
      title: "", corner: "member",
      columns: ["tower", "loss_before", "loss", "validation_loss", "removed_inputs"])
    for history in histories {
      guard let record = history.refinement, record.sizeBeyondLimit == nil else { continue }
      table.rows.append(
        (
          String(history.problem.member),
          [
            .text(history.problem.tower.map { inputs[$0] } ?? ""), .number(record.before),
            .number(record.after), record.validation.map(Cell.number) ?? .missing,
            .text(record.removed.map { inputs[$0] }.joined(separator: " ")),
          ]
        ))
    }
    return table
  }

  /// The free-run errors of everything that each member could have delivered (see `FreeRunChoice`).
  ///
  /// - Parameter choices: of the members.
  public static func freeRuns(_ choices: [FreeRunChoice]) -> Table {
    var table = Table(title: "", corner: "member", columns: ["candidate", "error", "delivered"])
    for choice in choices {
      for kind in FreeRunChoice.Kind.allCases {
        guard let error = choice.errors[kind] else { continue }
        table.rows.append(
          (
            String(choice.member),
            [
              .text(kind.rawValue), .number(error),
              .text(kind == choice.delivered ? "yes" : ""),
            ]
          ))
      }
    }
    return table
  }
}

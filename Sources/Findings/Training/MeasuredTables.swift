import Dynamics
import Reporting
import Training

extension MeasuredTraining.Outcome {
  /// Every kind of model that was tried, with its held-out errors.
  public func candidateTable(_ data: Trajectories) -> Table {
    Table(
      title: "", corner: "candidate",
      columns: [
        "delivered", "state_lags", "inputs", "horizon", "parameters", "error", "excess",
        "excess_error",
      ] + data.states.map { "rmse \($0.label)" },
      rows: candidates.map { candidate in
        (
          candidate.name,
          [
            .text(candidate.isDelivered ? "yes" : "no"),
            candidate.orders.map { .integer($0.stateLags) } ?? .missing,
            .text(candidate.orders.map { Self.inputs($0, data) } ?? ""),
            candidate.horizon.map(Cell.integer) ?? .missing, .number(candidate.parameters),
            .number(candidate.error), .number(candidate.excess), .number(candidate.excessError),
          ] + candidate.errorByState.map(Cell.number)
        )
      })
  }

  private static func inputs(_ orders: LagOrders, _ data: Trajectories) -> String {
    zip(data.controls, orders.controls).map { control, moments in
      "\(control.name) \(moments.delay)…\(moments.delay + moments.count - 1)"
    }.joined(separator: "; ")
  }

  /// Every choice of lags that was tried.
  public func orderTable(_ data: Trajectories) -> Table {
    Table(
      title: "", corner: "kind", columns: ["state_lags", "inputs", "error"],
      rows: tried.map { step in
        (
          step.kind.name,
          [
            .integer(step.orders.stateLags), .text(Self.inputs(step.orders, data)),
            .number(step.error),
          ]
        )
      })
  }
}

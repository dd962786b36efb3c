import CommandSupport
import Dynamics
import Foundation
import Networks
import Reporting
import Structure
import Training

/// The results along rising λ, for people and files.
struct StrengthPathReport {
  let points: [StrengthPath.Point]
  let least: Int
  let chosen: Int

  /// - Throws: a note for people where no point has a finite error.
  init(_ points: [StrengthPath.Point]) throws {
    guard let choice = StrengthPath.choice(points) else {
      throw ValidationError("--path: no strength leads to a finite error on held-out trajectories.")
    }
    self.points = points
    (least, chosen) = (choice.least, choice.chosen)
  }

  var strength: Double { points[chosen].strength }

  private struct Size {
    var weights: Int
    var pairs: Int
  }

  /// Surviving weights, and pairs of input and output with a path between them.
  private var sizes: [Size] {
    points.map { point in
      let live = LiveStructure(point.network).network
      return Size(
        weights: live.survivingWeightCount,
        pairs: PathAnalysis(live).counts.joined().count { $0 != 0 })
    }
  }

  var table: Table {
    Table(
      title: "", corner: "strength",
      columns: [
        "loss", "validation_loss", "standard_error", "live_weights", "connected_pairs", "choice",
      ],
      rows: zip(points, sizes).enumerated().map { index, row in
        let (point, size) = row
        let words = [index == least ? "least" : "", index == chosen ? "chosen" : ""]
        return (
          "\(point.strength)",
          [
            .number(point.loss), .number(point.validation), .number(point.standardError),
            .integer(size.weights), .integer(size.pairs),
            .text(words.filter { !$0.isEmpty }.joined(separator: " ")),
          ]
        )
      })
  }

  var chart: Chart {
    let x = points.map(\.strength)
    let blue = "#0072b2"
    var band = Chart.Series(
      "± one standard error", colour: blue, x: x,
      y: points.map { max($0.validation - $0.standardError, 0.05 * $0.validation) })
    band.upper = points.map { $0.validation + $0.standardError }
    func curve(_ title: String, _ y: [Double]) -> Chart.Series {
      var series = Chart.Series(title, colour: blue, x: x, y: y)
      series.isMarked = true
      return series
    }
    var error = Chart.Panel(
      "mean squared error on held-out trajectories (standardised)",
      [band, curve("mean of ten stretches", points.map(\.validation))], height: 1.8)
    error.isLogarithmic = true
    let sizes = sizes
    var chart = Chart(
      title: "Path of λ: least error at \(points[least].strength), chosen \(strength)",
      xLabel: "λ",
      columns: [
        [
          error, Chart.Panel("live weights", [curve("", sizes.map { Double($0.weights) })]),
          Chart.Panel("connected pairs", [curve("", sizes.map { Double($0.pairs) })]),
        ]
      ])
    chart.xIsLogarithmic = true
    chart.marks = [
      .init(x: points[least].strength, colour: "#999999", isDashed: true),
      .init(x: strength, colour: "#d55e00"),
    ]
    return chart
  }
}

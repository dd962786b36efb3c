import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks

extension Sensitivity {
  func checkOptions() throws {
    guard (data == nil) != (point == nil) else {
      throw ValidationError("Give either --data FILE to average over, or --point name=value,….")
    }
    if let samples, samples < 2 {
      throw ValidationError("--samples \(samples): must be at least 2.")
    }
    guard samples == nil || stability || measure != .jacobian else {
      throw ValidationError("--samples belongs to --stability or a --measure other than jacobian.")
    }
    guard seed == nil || measure == .permutation else {
      throw ValidationError("--seed belongs to --measure permutation.")
    }
    guard !stability || units == .standardised else {
      throw ValidationError(
        "--units has no meaning with --stability: time constants are in minutes or seconds.")
    }
    let isPlain = measure == .jacobian && !statistics && by == nil
    let modes = [
      ("--statistics", statistics), ("--by", by != nil),
      ("--measure \(measure.rawValue)", measure != .jacobian), ("--output", output != nil),
      ("--stability", stability), ("--point", point != nil),
    ].filter(\.1).map(\.0)
    guard modes.count < 2 || modes == ["--stability", "--point"] else {
      throw ValidationError(
        "\(modes.joined(separator: " and ")) answer different questions; give one.")
    }
    if let output, WholeFile.ending(output) != "nc" {
      throw ValidationError("--output \(output): must end in .nc.")
    }
    if let plot {
      try PlotFile.format(plot)
      guard point == nil, isPlain || measure != .jacobian, !stability, output == nil else {
        throw ValidationError(
          "--plot draws the relevance table of --data, or that of --measure; it does not go with --point, "
            + "--statistics, --by, --stability or --output.")
      }
    }
    guard plant == nil || stability else {
      throw ValidationError("--plant belongs to --stability.")
    }
    guard data != nil || trajectory == nil else {
      throw ValidationError("--trajectory belongs to --data.")
    }
    guard plant != nil || variation.vary == nil else {
      throw ValidationError("--vary belongs to --plant.")
    }
    if let plant { _ = try variation.plant(plant) }
  }
}

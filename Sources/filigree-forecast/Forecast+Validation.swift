import CommandSupport
import Forecasting
import Foundation
import Interchange

extension Forecast {
  func checkOptions() throws {
    guard !ensembles.isEmpty else { throw ValidationError("Give at least one model or ensemble.") }
    _ = try parsedHorizons()
    if let plant { _ = try variation.plant(plant) }
    if let arx, !(1...200).contains(arx) {
      throw ValidationError("--arx \(arx): must be between 1 and 200.")
    }
    if arx != nil, training == nil, split == nil {
      throw ValidationError("--arx needs data to be fitted to: give --training or --split.")
    }
    if let split, !(split > 0 && split < 1) {
      throw ValidationError("--split \(split): must be between 0 and 1.")
    }
    if let origins, origins < 1 {
      throw ValidationError("--origins \(origins): must be at least 1.")
    }
    guard trajectory >= 0 else { throw ValidationError("--trajectory \(trajectory): from 0 on.") }
    if let output, WholeFile.ending(output) != "nc" {
      throw ValidationError("--output \(output): must end in .nc.")
    }
    if let plot { try PlotFile.format(plot) }
    if plot == nil, states != nil {
      throw ValidationError("--states chooses what --plot draws; give --plot FILE.svg as well.")
    }
  }

  func parsedHorizons() throws -> [Int] {
    let parts = horizons.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let numbers = parts.compactMap { $0 }
    guard numbers.count == parts.count, numbers.allSatisfy({ $0 > 0 }) else {
      throw ValidationError(
        "--horizons \(horizons): must be positive whole numbers, for example 100,1000.")
    }
    return Array(Set(numbers)).sorted()
  }

  func chosenStates(_ forecast: RollingForecast) throws -> [Int] {
    guard let states else { return Array(forecast.states.indices) }
    return try NameList.parse(states).map { name in
      guard let index = forecast.states.firstIndex(where: { $0.name == name }) else {
        throw ValidationError(
          "--states \(name): there is no such state; there are "
            + forecast.states.map(\.name).joined(separator: ", ") + ".")
      }
      return index
    }
  }
}

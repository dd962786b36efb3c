/// Two fits compared on one stretch of rows that neither has seen: one with an input, one without.
///
/// With e the errors with it, e₋ those without it, both whitened (see `Whitening`), and w the rows' weights.
public struct BlockTerm: Equatable, Sendable {
  /// Which stretch of the recorded data it is; the same number in all members that hold it out.
  public var block: Int
  /// Σw
  public var weight: Double
  /// Σw(e₋² − e²)
  public var rise: Double
  /// 2Σw e₋(e₋ − e)
  public var gain: Double

  /// Σw(e₋ − e)², and the same of errors that are not whitened.
  public var whitened = 0.0
  public var change = 0.0

  public init(block: Int, weight: Double = 0, rise: Double = 0, gain: Double = 0) {
    self.block = block
    self.weight = weight
    self.rise = rise
    self.gain = gain
  }
}

/// How much worse held-out rows are predicted without an input, pooled over members that hold out
/// different trajectories: squared errors paired by row, summed over blocks of neighbouring rows, which count
/// as independent (Diebold & Mariano 1995).
///
/// The larger of two nested fits pays for what it has to estimate, so that without any effect the rise of the error
/// is negative on average. The test therefore adds that price back (Clark & West 2007): gain = rise + (f − f₋)² = 2
/// e₋(e₋ − e). Its mean is zero if the input has no effect, and otherwise twice what the input explains; it has
/// twice the power of the rise alone.
public struct NestedComparison: Equatable, Codable, Sendable {
  /// Mean of e₋² − e² and its standard error, in units of the squared errors; negative where the fit without the
  /// input is better.
  public var cost: Double
  public var costError: Double
  /// Half the mean of the gain: an unbiased estimate of what the effect explains, in the same units.
  public var worth: Double
  /// Mean of the gain over its standard error; above about 2 to 3 the input has an effect.
  public var statistic: Double
  public var blocks: Int

  /// - Parameter members: the blocks that each member holds out. A block held out by several members counts once,
  ///   with their mean.
  public init(_ members: [[BlockTerm]]) {
    var pooled: [Int: (sum: BlockTerm, count: Double)] = [:]
    for term in members.joined() {
      var entry = pooled[term.block] ?? (BlockTerm(block: term.block), 0)
      entry.sum.weight += term.weight
      entry.sum.rise += term.rise
      entry.sum.gain += term.gain
      entry.sum.whitened += term.whitened
      entry.sum.change += term.change
      entry.count += 1
      pooled[term.block] = entry
    }
    let terms = pooled.sorted { $0.key < $1.key }.map { _, entry in
      var mean = BlockTerm(
        block: entry.sum.block, weight: entry.sum.weight / entry.count,
        rise: entry.sum.rise / entry.count, gain: entry.sum.gain / entry.count)
      mean.whitened = entry.sum.whitened / entry.count
      mean.change = entry.sum.change / entry.count
      return mean
    }
    let weight = terms.reduce(0) { $0 + $1.weight }
    blocks = terms.count
    guard weight > 0, blocks > 1 else {
      (cost, costError, worth, statistic) = (0, .infinity, 0, 0)
      return
    }
    func mean(_ value: (BlockTerm) -> Double) -> (Double, error: Double) {
      let mean = terms.reduce(0) { $0 + value($1) } / weight
      let squares = terms.reduce(0) { sum, term in
        let distance = value(term) - mean * term.weight
        return sum + distance * distance
      }
      let count = Double(terms.count)
      return (mean, (squares * count / (count - 1)).squareRoot() / weight)
    }
    // Whitening makes more of what varies slowly; what is reported is of errors as they are.
    let whitened = terms.reduce(0) { $0 + $1.whitened }
    let share = whitened > 0 ? terms.reduce(0) { $0 + $1.change } / whitened : 1
    let rise = mean(\.rise)
    (cost, costError) = (share * rise.0, share * rise.error)
    let gain = mean(\.gain)
    worth = share * gain.0 / 2
    statistic = gain.error > 0 ? gain.0 / gain.error : 0
  }
}

import LinearAlgebra

/// Looks for the sums of few terms of a library that come nearest to given rates.
///
/// Forward selection by the share of what is left that a term explains beside those already taken (orthogonal
/// matching pursuit), with all constants fitted anew after each; what moving the constants inside functions could
/// explain counts as taken. Then every term is put to the test against all others (exchange), because under
/// collinearity what was best first is not best in the end; then terms are taken away again one by one, which finds
/// small formulas that no growing one passes.
struct FormulaSearch {
  static let mostTerms = 10
  /// Rows that formulas are compared over.
  static let mostRows = 500
  /// A simpler candidate is taken if it explains nearly as much.
  static let nearly = 0.98
  /// Candidates that are fitted in full before one is taken.
  static let tried = 4

  private let library: TermLibrary
  private let points: [[Double]]
  private let target: [Double]
  private let centredTarget: [Double]
  /// The candidates over the rows, less their mean, of length one; nil where one does not vary.
  private var columns: [[Double]?]

  /// - Parameters:
  ///   - library: of terms.
  ///   - points: at most `mostRows` of them are used, evenly spaced.
  ///   - target: the rate at each.
  init(_ library: TermLibrary, at points: [[Double]], to target: [Double]) {
    let count = min(Self.mostRows, points.count)
    let rows = (0..<count).map { $0 * points.count / count }
    self.library = library
    self.points = rows.map { points[$0] }
    self.target = rows.map { target[$0] }
    centredTarget = Samples.centred(self.target)
    columns = []
    columns = library.terms.map { column(values($0)) }
  }

  private func values(_ term: Term) -> [Double] { points.map { term.value($0) } }

  private func column(_ values: [Double]) -> [Double]? {
    let centred = Samples.centred(values)
    let length = Samples.dot(centred, centred).squareRoot()
    guard length.isFinite, length > 1e-300 else { return nil }
    return centred.map { $0 / length }
  }

  /// For every number of terms, from none, the best formula found in a family of terms; it ends where further terms
  /// no longer help.
  ///
  /// - Parameters:
  ///   - family: in which terms are sought.
  ///   - enough: Σ residual² below which no further term is sought.
  /// - Returns: the formulas, the shortest first.
  func formulas(of family: TermLibrary.Family, enough: Double) -> [FormulaFit] {
    let places = library.places(family)
    guard var last = fit([]) else { return [] }
    var best = [0: last]
    if family == .borrowed, let all = fit(library.borrowedAlone) { last = all }
    var squares: [Double] = []
    while last.formula.terms.count < Self.mostTerms, last.squares > enough {
      guard let next = grown(last.formula.terms, places) else { break }
      last = exchanged(next, places)
      best[last.formula.terms.count] = last
      squares.append(last.squares)
      if squares.count > 3, last.squares > 0.7 * squares[squares.count - 4] { break }
    }
    while last.formula.terms.count > 1, let smaller = reduced(last.formula.terms) {
      last = smaller
      let size = last.formula.terms.count
      if let known = best[size], known.squares <= last.squares { continue }
      last = exchanged(last, places)
      best[size] = last
    }
    return best.keys.sorted().compactMap { best[$0] }
  }

  private func fit(_ terms: [Term]) -> FormulaFit? {
    FormulaFit(terms, hasConstant: true, at: points, to: target)
  }

  private func grown(_ terms: [Term], _ places: [Int]) -> FormulaFit? {
    candidates(beside: terms, places).compactMap { fit(terms + [$0]) }
      .min { $0.squares < Self.nearly * $1.squares }
  }

  /// Each term in turn is replaced by a candidate that does better beside the others.
  private func exchanged(_ found: FormulaFit, _ places: [Int]) -> FormulaFit {
    var best = found
    guard best.formula.terms.count > 1 else { return best }
    for _ in 0..<2 {
      let before = best.squares
      for place in best.formula.terms.indices {
        var others = best.formula.terms
        let removed = others.remove(at: place)
        let promising = candidates(beside: others, places, below: 0.98 * best.squares)
        for term in promising where !term.hasSameForm(as: removed) {
          var terms = others
          terms.insert(term, at: place)
          if let trial = fit(terms), trial.squares < 0.98 * best.squares { best = trial }
        }
      }
      if best.squares > 0.95 * before { break }
    }
    return best
  }

  private func reduced(_ terms: [Term]) -> FormulaFit? {
    terms.indices.compactMap { place -> FormulaFit? in
      var others = terms
      others.remove(at: place)
      return fit(others)
    }.min { $0.squares < $1.squares }
  }

  /// The terms that explain most of what the others leave, the best first; a simpler one before one that explains
  /// hardly more.
  ///
  /// - Parameter bound: only those that promise to leave less than this, as Σ residual².
  private func candidates(
    beside terms: [Term], _ places: [Int], below bound: Double = .infinity
  ) -> [Term] {
    let basis = basis(of: terms)
    var rest = centredTarget
    for direction in basis {
      Samples.subtract(Samples.dot(direction, rest), direction, from: &rest)
    }
    var found: [(place: Int, gain: Double)] = []
    for place in places {
      guard let column = columns[place] else { continue }
      var left = 1.0
      for direction in basis {
        let share = Samples.dot(direction, column)
        left -= share * share
      }
      guard left > 1e-7 else { continue }
      let along = Samples.dot(rest, column)
      found.append((place, along * along / left))
    }
    guard let most = found.map(\.gain).max(), most > 0 else { return [] }
    let least = max(most / 4, Samples.dot(rest, rest) - bound)
    guard most > least else { return [] }
    // Places are in the order of complexity.
    let near = found.first { $0.gain > Self.nearly * most }
    let ordered = found.sorted { $0.gain != $1.gain ? $0.gain > $1.gain : $0.place < $1.place }
    var chosen: [Term] = near.map { [library.terms[$0.place]] } ?? []
    for (place, gain) in ordered where chosen.count < Self.tried && gain > least {
      let term = library.terms[place]
      if !chosen.contains(where: { $0.hasSameForm(as: term) }) { chosen.append(term) }
    }
    return chosen
  }

  /// Orthogonal directions that terms, and moves of the constants inside them, span over the rows.
  private func basis(of terms: [Term]) -> [[Double]] {
    let all = terms.flatMap { term -> [[Double]] in
      let values = values(term)
      let moves = term.factors.filter(\.isFree).map { factor in
        zip(values, points).map { value, point in
          value * factor.logarithmicSlope(at: factor.argument(point))
        }
      }
      return ([values] + moves).compactMap(column)
    }
    var basis: [[Double]] = []
    for column in all {
      var rest = column
      for _ in 0..<2 {
        for direction in basis {
          Samples.subtract(Samples.dot(direction, rest), direction, from: &rest)
        }
      }
      let left = Samples.dot(rest, rest).squareRoot()
      if left > 1e-8 { basis.append(rest.map { $0 / left }) }
    }
    return basis
  }
}

extension Term {
  /// Whether it differs only by constants inside its functions.
  func hasSameForm(as other: Term) -> Bool {
    factors.count == other.factors.count
      && zip(factors, other.factors).allSatisfy {
        $0.function == $1.function && $0.variable == $1.variable && $0.minus == $1.minus
      }
  }
}

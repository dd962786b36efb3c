import Evidence
import Foundation

/// What the script of a page reads. Numbers have four significant digits, places a tenth of a point; what is not known
/// is left out.
struct ExplorationContent: Encodable, Sendable {
  struct Input: Encodable, Sendable {
    var name: String
    var unit: String
    var meaning: String
    var role: String
    /// Least and largest value in the data, or in the training data; empty where unknown.
    var range: [Double]
  }

  struct Output: Encodable, Sendable {
    var name: String
    /// As it is called in texts: "d/dt T_bath".
    var label: String
    var unit: String
    var meaning: String
    /// R² on held-out data.
    var explained: Double?
    var isNothing: Bool
  }

  struct Said: Encodable, Sendable {
    var verdict: String
    var effect: Double
    var low: Double
    var high: Double?
    var cost: Double
    var costError: Double?
  }

  struct Pair: Encodable, Sendable {
    var output: Int
    var input: Int
    /// Of the members, how many have it.
    var votes: Int
    /// Mean over the members of the sum of the magnitudes of the products of its paths.
    var weight: Double
    /// The same with their signs.
    var net: Double
    /// Of the first member that has any; a text, because there may be more than 2⁵³.
    var paths: String
    /// Over data: mean J and mean |J| in deviations, means over the members; mean J in physical units.
    var effect: Double?
    var magnitude: Double?
    var slope: Double?
    /// Of each member mean J, without data the sum of the products of its paths; of the strongest pairs only.
    var members: [Double]?
    var said: Said?
    /// The effect at each bound of the input's range: the mean, and of each member or the lowest and highest.
    var curve: [Double]?
    var curves: [[Double]]?
  }

  struct Node: Encodable, Sendable {
    enum Kind: String, Encodable, Sendable { case input, output, unit, text }

    var kind: Kind
    /// Of inputs and outputs.
    var number: Int?
    /// Of a group: of all variables in it.
    var numbers: [Int]?
    var name: String?
    /// Shown in or as it.
    var label: String?
    /// The middle, y downwards.
    var x: Double
    var y: Double
    var width: Double
    var height: Double
    /// Share of the samples at which a unit is active.
    var active: Double?
    var size: Double?
    /// Of text: "positive", "negative" or "faint".
    var tone: String?
  }

  /// Column by column, an entry per edge, the weakest first.
  struct Edges: Encodable, Sendable {
    var source: [Int] = []
    var target: [Int] = []
    var weight: [Double] = []
    var effect: [Double]?
    /// How far it is bent, where it passes units.
    var bend: [Double]?
    /// Where it leaves and arrives, from the middles of its ends.
    var leaves: [Double]?
    var arrives: [Double]?
    /// Of groups: how many weights it stands for.
    var count: [Int]?
  }

  struct Route: Encodable, Sendable {
    var output: Int
    var input: Int
    /// By number in the view.
    var nodes: [Int]
    var product: Double
    var effect: Double?
    var active: Double?
  }

  struct View: Encodable, Sendable {
    enum Kind: String, Encodable, Sendable { case pairs, network, groups }

    var name: String
    var kind: Kind
    var member: Int?
    /// What there is to see, in words.
    var counts: String
    var notes: [String]
    var width: Double
    var height: Double
    /// Whether widths are relative to the largest of each output.
    var isRelative: Bool
    var nodes: [Node]
    var edges: Edges
    var routes: [Route]
  }

  var title: String
  var name: String
  var members: Int
  /// "rates of change", "next states" or "outputs".
  var outputsWord: String
  /// Rows of the data; nil without.
  var samples: Int?
  /// What makes a member have a pair, in words.
  var rule: String
  var recipe: String
  var notes: [String]
  var inputs: [Input]
  var outputs: [Output]
  /// Of each input, where its curves have their points.
  var bounds: [[Double]]?
  var pairs: [Pair]
  var views: [View]
  /// The view shown first.
  var first: Int
  /// What is pinned at first.
  var pinned: [String: Int]
}

extension Double {
  /// With so many significant digits; nothing that is not a number reaches a page.
  func significant(_ digits: Int = 4) -> Double {
    isFinite ? Double(String(format: "%.\(digits - 1)e", self)) ?? 0 : 0
  }

  /// To a tenth of a point.
  var place: Double { (self * 10).rounded() / 10 }
}

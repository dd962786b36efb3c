import Dynamics
import Evidence
import LinearAlgebra
import Networks
import Structure

/// A model or an ensemble as a page to explore: its pairs of input and output with what is known of each, and the
/// networks of its members.
///
/// The page is one file that loads nothing. It has two kinds of views: what drives what, over all members, and the
/// network of each member, laid out as ``NetworkDrawing`` draws it.
public struct Exploration: Sendable {
  /// What the page starts with.
  public struct Start: Sendable {
    /// The member whose network is shown first; nil for the pairs of several members.
    public var member: Int?
    /// By number.
    public var input: Int?
    public var output: Int?

    public init(member: Int? = nil, input: Int? = nil, output: Int? = nil) {
      self.member = member
      self.input = input
      self.output = output
    }
  }

  /// How it is made.
  public struct Options: Sendable {
    public var title: String?
    /// Of networks; towers where there are several, layers otherwise, by default.
    public var layout: NetworkDrawing.Layout?
    /// Which pairs a member has over data.
    public var rule = PairSelection.relevant()
    /// How far an output may stray where units are folded away over data; see `ActingNetwork`.
    public var tolerance = ActingNetwork.usualTolerance
    public var limits = ExplorationLimits()
    public var start = Start()

    public init() {}
  }

  let content: ExplorationContent

  /// What was left out because there is so much of it, in words; the page says it as well.
  public var leftOut: [String] { content.notes }

  /// What there is to see, in words.
  public var summary: String {
    let (pairs, views) = (content.pairs.count, content.views.count - 1)
    return "\(pairs) pair\(pairs == 1 ? "" : "s"), \(views) network\(views == 1 ? "" : "s")"
  }

  /// - Parameters:
  ///   - ensemble: of one or more members.
  ///   - points: samples × inputs in physical units, at least one; nil without data, when all is by weight.
  ///   - options: how the page is made.
  ///   - threads: that may work at once.
  public init(
    _ ensemble: Ensemble, over points: Matrix?, options: Options = Options(), threads: Int
  ) async throws {
    let members = ensemble.members
    let limits = options.limits
    var relevance: EnsembleRelevance?
    var effects: [PartialEffects] = []
    if let points {
      relevance = try await EnsembleRelevance(ensemble, over: points, threads: threads)
      effects = try await concurrentMap(members.count, threads: threads) {
        PartialEffects(members[$0], over: points)
      }
    }
    let rule = points == nil ? PairSelection.connected : options.rule
    let pairs = ExplorationPairs(
      ensemble,
      try await concurrentMap(members.count, threads: threads) {
        ExplorationPairs.Member(members[$0])
      }, relevance: relevance, effects: effects, selection: rule.selection(of: ensemble, relevance),
      limits: limits)
    let networks = Self.chosen(members, first: options.start.member ?? 0, most: limits.edges)
    let told = pairs.detailed.prefix(
      limits.routes / (ExplorationLimits.routesOfPair * max(1, networks.count)))
    let wanted = ExplorationNetwork.Options(
      layout: options.layout, tolerance: options.tolerance, mostWeights: limits.weights)
    let views = try await concurrentMap(networks.count, threads: threads) { place in
      let number = networks[place]
      return ExplorationNetwork(
        members[number], name: members.count > 1 ? "member \(number)" : "network",
        member: number, over: points, pairs: Array(told), options: wanted
      ).view
    }
    content = Self.content(
      ensemble, points, pairs, views: [Self.view(of: pairs, ensemble)] + views, effects, rule,
      options)
  }

  /// The members whose networks are shown, in their order: the first, and those after it while there is room.
  private static func chosen(_ members: [Model], first: Int, most: Int) -> [Int] {
    var chosen = [first]
    var count = members[first].network.survivingWeightCount
    for (number, member) in members.enumerated() where number != first {
      count += member.network.survivingWeightCount
      guard count <= most else { break }
      chosen.append(number)
    }
    return chosen.sorted()
  }

  private static func view(of pairs: ExplorationPairs, _ ensemble: Ensemble)
    -> ExplorationContent.View
  {
    let scene = ExplorationScene(pairs.drawing.columnsAlone)
    let count = ensemble.members.count
    return ExplorationContent.View(
      name: count > 1 ? "all \(count) members" : "what drives what", kind: .pairs, member: nil,
      counts: "", notes: [], width: scene.width, height: scene.height, isRelative: false,
      nodes: scene.nodes, edges: scene.edges, routes: [])
  }

  private static func content(
    _ ensemble: Ensemble, _ points: Matrix?, _ pairs: ExplorationPairs,
    views: [ExplorationContent.View], _ effects: [PartialEffects], _ rule: PairSelection,
    _ options: Options
  ) -> ExplorationContent {
    let first =
      ensemble.members.count > 1 && options.start.member == nil
      ? 0 : views.firstIndex { $0.member == options.start.member ?? 0 } ?? 0
    var pinned: [String: Int] = [:]
    pinned["input"] = options.start.input
    pinned["output"] = options.start.output
    return ExplorationContent(
      title: options.title ?? ensemble.name, name: ensemble.name, members: ensemble.members.count,
      outputsWord: ensemble.members[0].wordForOutputs, samples: points?.rows, rule: rule.words,
      recipe: NetworkDescription.recipe(ensemble.members[0].recipe),
      notes: leftOut(ensemble, pairs, views, options.limits),
      inputs: inputs(ensemble, points), outputs: outputs(ensemble),
      bounds: effects.first.map { $0.bounds.map { $0.map { $0.significant(6) } } },
      pairs: pairs.written, views: views, first: first, pinned: pinned)
  }

  private static func inputs(_ ensemble: Ensemble, _ points: Matrix?) -> [ExplorationContent.Input]
  {
    ensemble.inputs.enumerated().map { number, variable in
      var range: [Double] = []
      if let points, points.rows > 0 {
        let values = points.column(number)
        range = [values.min() ?? 0, values.max() ?? 0]
      } else if let known = ensemble.members[0].inputRanges?[number] {
        range = [known.lowerBound, known.upperBound]
      }
      return ExplorationContent.Input(
        name: variable.name, unit: variable.unit, meaning: variable.longName,
        role: variable.role.rawValue, range: range.map { $0.significant(6) })
    }
  }

  private static func outputs(_ ensemble: Ensemble) -> [ExplorationContent.Output] {
    ensemble.outputs.enumerated().map { number, variable in
      ExplorationContent.Output(
        name: variable.name, label: ensemble.members[0].label(ofOutput: number),
        unit: variable.unit, meaning: variable.longName,
        explained: ensemble.explained?.shares[number]?.significant(),
        isNothing: ensemble.explained?.isNothing(number) ?? false)
    }
  }

  /// In the order of the limits.
  private static func leftOut(
    _ ensemble: Ensemble, _ pairs: ExplorationPairs, _ views: [ExplorationContent.View],
    _ limits: ExplorationLimits
  ) -> [String] {
    var notes: [String] = []
    let (members, networks) = (ensemble.members.count, views.count - 1)
    if pairs.written.contains(where: { $0.curve != nil }), members > limits.memberCurves {
      notes.append("of \(members) members, curves show the lowest and the highest")
    }
    if pairs.count > limits.detailedPairs {
      notes.append(
        "paths\(ensemble.members.count > 1 ? ", values of each member" : "") and curves are given of the "
          + "\(limits.detailedPairs) strongest of \(pairs.count) pairs")
    }
    if networks < members {
      notes.append("of \(members) members, the networks of \(networks) are given")
    }
    if let view = views.first(where: { $0.kind == .groups }) {
      notes.append(
        "\(view.name) has more than \(limits.weights) weights and is drawn by groups of units")
    }
    if pairs.count > limits.pairs {
      notes.append("\(limits.pairs) of \(pairs.count) pairs are given, the strongest")
    }
    return notes
  }
}

import LinearAlgebra

/// The aluminium electrolysis cell of Lundby, Rasheed, Halvorsen and Gravdahl, *Sparse deep neural
/// networks for modeling aluminum electrolysis dynamics* (arXiv 2209.05832): mass and heat balances of
/// side ledge, bath, metal and wall, with the constants of the authors' published simulator.
public struct ElectrolysisCell: Plant {
  public let name = "electrolysis"
  public let timeStep = 10.0
  public let states = [
    Variable("m_sl", unit: "kg", longName: "mass of the frozen side ledge", role: .state),
    Variable("m_Al2O3", unit: "kg", longName: "mass of alumina in the bath", role: .state),
    Variable(
      "m_AlF3", unit: "kg", longName: "mass of aluminium fluoride in the bath", role: .state),
    Variable("m_cry", unit: "kg", longName: "mass of molten cryolite", role: .state),
    Variable("m_Al", unit: "kg", longName: "mass of produced metal", role: .state),
    Variable("T_bath", unit: "°C", longName: "bath temperature", role: .state),
    Variable("T_sl", unit: "°C", longName: "side-ledge temperature", role: .state),
    Variable("T_wall", unit: "°C", longName: "wall temperature", role: .state),
  ]
  public let controls = [
    Variable("f_Al2O3", unit: "kg/s", longName: "alumina feed", role: .control),
    Variable("I_line", unit: "A", longName: "line current", role: .control),
    Variable("f_AlF3", unit: "kg/s", longName: "aluminium fluoride feed", role: .control),
    Variable("f_tap", unit: "kg/s", longName: "metal tapping", role: .control),
    Variable("h_acd", unit: "m", longName: "anode-cathode distance", role: .control),
  ]
  public let observables = [
    Variable("V_bath", unit: "V", longName: "bath and bubble voltage drop", role: .observable),
    Variable("T_liq", unit: "°C", longName: "liquidus temperature of the bath", role: .observable),
  ]
  public let domain = "alumina in the bath of at least 2.21 % by mass"

  private let constants: Constants

  public init() { constants = Constants() }

  /// A cell of the same kind: every physical constant drawn uniformly within 20 % of its own, the empirical
  /// formulas of liquidus and voltage unchanged.
  public func varied(seed: UInt64) -> ElectrolysisCell? {
    var stream = RandomStream(seed: seed, path: [3])
    return ElectrolysisCell(constants: Constants { 0.8 + 0.4 * stream.uniform() })
  }

  private init(constants: Constants) { self.constants = constants }

  private struct Constants: Sendable {
    // Heat transfer of ledge, wall and bath.
    let bathToLedge: Double
    let ledgeArea: Double
    let ambient: Double
    /// Ledge thickness per ledge mass, m/kg.
    let thicknessPerMass: Double
    // Rate constants, named by what they multiply.
    let conduction: Double  // k1
    let convection: Double  // k2
    let aluminaConsumption: Double  // k3, kg/(A s)
    let fluorideLoss: Double  // k4
    let cryoliteGain: Double  // k5
    let metalProduction: Double  // k6, kg/(A s)
    let bathHeat: Double  // k7/k2 = k8/k1
    let ledgeHeat: Double  // k12/k2 = k13/k1
    let bathCapacity: Double  // α
    let ledgeCapacity: Double  // β
    let wallCapacity: Double  // k17
    let halfLedgeResistance: Double  // k11 = k15
    let halfWallResistance: Double  // k14
    let wallToAir: Double

    /// - Parameter factor: for each constant in turn.
    init(_ factor: () -> Double = { 1 }) {
      let ledgeConductivity = 2.5 * factor()
      let wallConductivity = 6.5 * factor()
      let wallThickness = 0.1 * factor()
      let latentHeat = 119495.0 * factor()
      bathToLedge = 1200.0 * factor()
      wallToAir = 25.0 * factor()
      ledgeArea = 17.92 * factor()
      ambient = 35.0 * factor()
      thicknessPerMass = 2e-5 * factor()
      aluminaConsumption = 1.7e-7 * factor()
      fluorideLoss = 0.02 * factor()
      cryoliteGain = 0.03 * factor()
      metalProduction = 4.43e-8 * factor()
      bathHeat = 1881.0 * factor()
      ledgeHeat = 1320.0 * factor()
      bathCapacity = 5.66e-4 * factor()
      ledgeCapacity = 7.58e-4 * factor()
      wallCapacity = 6e-7 * factor()
      conduction = 2 * ledgeConductivity * ledgeArea / latentHeat
      convection = bathToLedge * ledgeArea / latentHeat
      halfLedgeResistance = 1 / (2 * ledgeConductivity)
      halfWallResistance = wallThickness / (2 * wallConductivity)
    }
  }

  public func rates<S: PlantScalar>(state x: [S], controls u: [S], into rates: inout [S]) {
    let cell = constants
    let bath = x[1] + x[2] + x[3]
    let bathTemperature = x[5]
    let ledgeTemperature = x[6]
    let wallTemperature = x[7]
    let current = u[1]
    let liquidus = liquidusTemperature(state: x)
    let voltage = bathVoltage(state: x, controls: u)

    let thickness = S(cell.thicknessPerMass) * x[0]
    let superheat = bathTemperature - liquidus
    let subcooling = liquidus - ledgeTemperature
    let gradient = subcooling / thickness
    let freezing = S(cell.conduction) * gradient - S(cell.convection) * superheat

    let toLedge = S(1 / cell.bathToLedge) + S(cell.halfLedgeResistance) * thickness
    let ledgeToWall = S(cell.halfWallResistance) + S(cell.halfLedgeResistance) * thickness
    let area = S(cell.ledgeArea)
    let wallFlow = area * (ledgeTemperature - wallTemperature) / ledgeToWall

    rates[0] = freezing
    rates[1] = u[0] - S(cell.aluminaConsumption) * current
    rates[2] = u[2] - S(cell.fluorideLoss) * u[0]
    rates[3] = S(cell.cryoliteGain) * u[0] - freezing
    rates[4] = S(cell.metalProduction) * current - u[3]

    // Melting ledge enters the bath cold, freezing bath leaves it hot.
    let melted = S(cell.convection) * superheat - S(cell.conduction) * gradient
    let bathLoss = area * (bathTemperature - ledgeTemperature) / toLedge
    let meltCooling = S(cell.bathHeat) * superheat * melted
    rates[5] = S(cell.bathCapacity) / bath * (current * voltage - bathLoss - meltCooling)

    let ledgeGain = area * subcooling / (S(cell.halfLedgeResistance) * thickness)
    let frozenHeating = S(cell.ledgeHeat) * subcooling * melted
    rates[6] = S(cell.ledgeCapacity) / x[0] * (ledgeGain - wallFlow - frozenHeating)

    let toAir = S(cell.halfWallResistance + 1 / cell.wallToAir)
    let airFlow = area * (wallTemperature - S(cell.ambient)) / toAir
    rates[7] = S(cell.wallCapacity) * (wallFlow - airFlow)
  }

  public func observe<S: PlantScalar>(state: [S], controls: [S]) -> [S] {
    [bathVoltage(state: state, controls: controls), liquidusTemperature(state: state)]
  }

  /// Liquidus temperature of the bath in °C, from its alumina and aluminium fluoride percentages.
  public func liquidusTemperature<S: PlantScalar>(state x: [S]) -> S {
    let percent = S(100) / (x[1] + x[2] + x[3])
    let alumina = percent * x[1]
    let fluoride = percent * x[2]
    let fluorideSquared = fluoride * fluoride
    let shape1 = S(0.0936) * fluoride - S(0.0017) * fluorideSquared
    let shape2 = S(0.0023) * alumina * fluoride
    let aluminaTerm = S(7.93) * alumina / (1 + shape1 - shape2)
    let steep = S(0.13) * S.pow(fluoride, S(2.2))
    let gentle = S(0.061) * fluoride * S.sqrt(fluoride)
    return S(991.2) + S(1.12) * fluoride - steep + gentle - aluminaTerm
  }

  /// Voltage drop over bath and bubble layer in V: without reversible potential and overvoltages.
  public func bathVoltage<S: PlantScalar>(state x: [S], controls u: [S]) -> S {
    let current = u[1]
    let alumina = x[1] / (x[1] + x[2] + x[3])
    let conductivityExponent = S(2.496) - S(2068.4) / (S(273) + x[5]) - S(2.07) * alumina
    let conductivity = S.exp(conductivityExponent)
    let excess = S(100) * alumina - S(2.2)
    let byAlumina = (S(0.431) - S(0.1437) * excess) / (1 + S(7.353) * excess)
    let cubic = S(-2.51e-12) + S(3.06e-18) * current
    let byCurrent = S(0.531) + current * (S(6.958e-7) + current * cubic)
    let coverage = byCurrent + byAlumina
    let thickness = (S(0.5517) + S(3.8168e-6) * current) / (1 + S(8.271e-6) * current)
    let bubbleDrop = S(3.8168e-6) * coverage * thickness * current / (conductivity * (1 - coverage))
    return bubbleDrop + current * u[4] / (S(2620) * conductivity)
  }

  /// Below 2.21 % alumina the bubble coverage reaches one (2.206 % at 140 kA), then its pole.
  public func isInDomain(state x: [Double], controls: [Double]) -> Bool {
    x[1] >= 0.0221 * (x[1] + x[2] + x[3])
  }

  public func initialState(_ stream: inout RandomStream) -> [Double] {
    let ledge = Double(stream.integer(in: 2060...4460))
    let alumina = Double(stream.integer(in: 2...5)) / 100
    let fluoride = Double(stream.integer(in: 9...13)) / 100
    let cryolite = Double(stream.integer(in: 11500...16000))
    let metal = Double(stream.integer(in: 9750...10000))
    let temperatures = [960...990, 790...850, 555...610].map { Double(stream.integer(in: $0)) }
    let bath = cryolite / (1 - alumina - fluoride)
    return [ledge, alumina * bath, fluoride * bath, cryolite, metal] + temperatures
  }

  public func makeOperator(mode: ExcitationMode, stream: RandomStream) -> ElectrolysisOperator {
    ElectrolysisOperator(mode: mode, stream: stream, timeStep: timeStep)
  }
}

/// Feeds and tapping by threshold controllers; line current and anode height by excitation.
public struct ElectrolysisOperator: PlantOperator {
  private let mode: ExcitationMode
  private let timeStep: Double
  private var stream: RandomStream
  private var currentOffset = SteppedSignal(levels: -22000...15000, intervals: 100...1100)
  private var heightOffset = SteppedSignal(levels: -70...70, intervals: 100...1100)
  private var aluminaImpulse: ImpulseSignal
  private var fluorideImpulse: ImpulseSignal

  init(mode: ExcitationMode, stream: RandomStream, timeStep: Double) {
    self.mode = mode
    self.timeStep = timeStep
    self.stream = stream
    aluminaImpulse = ImpulseSignal(
      amplitudes: 100...2000, first: 100...1100, later: 500...2000, &self.stream)
    fluorideImpulse = ImpulseSignal(
      amplitudes: 100...1000, first: 100...1100, later: 1000...3000, &self.stream)
  }

  public mutating func controls(sample: Int, state x: [Double]) -> [Double] {
    let bath = x[1] + x[2] + x[3]
    var alumina = feed(30000 * (0.023 - x[1] / bath), least: 140, most: 220)
    var fluoride = feed(13000 * (0.105 - x[2] / bath), least: 20, most: 80)
    let tapping = feed(300 * (x[4] - 10000), least: 20, most: 90)
    var current = 140_000.0
    var height = 0.05
    switch mode {
    case .aprbs:
      current += Double(currentOffset.next(&stream))
      height += Double(heightOffset.next(&stream)) * 1e-4
      alumina += Double(aluminaImpulse.next(&stream)) / 100
      fluoride += Double(fluorideImpulse.next(&stream)) / 100
    case .operation:
      current += 2000 * .sin(0.01 * Double(sample))
      height += 0.005 * .cos(0.1 * Double(sample))
    }
    return [alumina, current, fluoride, tapping, height]
  }

  /// A feeder of batches: nothing below `least`/Δt, never more than `most`/Δt, in kg/s.
  private func feed(_ demand: Double, least: Double, most: Double) -> Double {
    demand < least / timeStep ? 0 : min(demand, most / timeStep)
  }
}

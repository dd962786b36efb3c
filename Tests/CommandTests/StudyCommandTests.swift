import Foundation
import TestSupport
import Testing

/// The real runner on a small plan: killed, changed, run twice, and given nonsense.
@Suite struct StudyCommandTests {
  static let plan = """
    plant: duffing
    train: {trajectories: 3, samples: 300}
    test: {trajectories: 2, samples: 200}
    sizes: [2, 3]
    members: 3
    noise: [0, 0.01]
    horizons: [20, 200]
    relevance-samples: 100
    recipes:
      plain: {epochs: 60, hidden: [6], sparsifier: none, validation: 0, smooth: false}
      sparse: {epochs: 60, hidden: [6], strength: 1e-2, cuts: [0, 0.1]}
    """

  private func shell(_ plan: String = Self.plan) async throws -> Shell {
    let shell = try Shell()
    try Data(plan.utf8).write(to: URL(fileURLWithPath: shell.path("plan.yaml")))
    return shell
  }

  private static let tables = "members.csv recipes.csv summary.md"

  @Test func aStudyMakesTablesModelsAndASummary() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      "filigree-study run plan.yaml --output S && filigree-study status S --format json")
    #expect(result.code == 0, "\(result.error)")
    #expect(
      result.output.contains("Rolling forecasts") && result.output.contains("\"trained\" : 3"))
    let members = try shell.text("S/members.csv").split(separator: "\n")
    // Two sizes, two levels of noise, three members; plain at one cut, sparse at two.
    #expect(members.count == 37)
    #expect(members[0].hasPrefix("recipe,trajectories,noise,cut,member,status,reason"))
    #expect(members.dropFirst().allSatisfy { $0.contains(",trained,") })
    let recipes = try shell.text("S/recipes.csv").split(separator: "\n")
    #expect(recipes.count == 13)
    let columns = recipes[0].split(separator: ",")
    #expect(columns.contains("absolute_20_low") && columns.contains("relevant_f1"))
    #expect(
      recipes.allSatisfy {
        $0.split(separator: ",", omittingEmptySubsequences: false).count == columns.count
      })
    // Noise makes the fit worse.
    func loss(_ start: String) throws -> Double {
      let row = try #require(recipes.first { $0.hasPrefix(start) }).split(
        separator: ",", omittingEmptySubsequences: false)
      let place = try #require(columns.firstIndex(of: "training_loss"))
      return try #require(Double(row[place]))
    }
    #expect(try loss("plain,3,0.01,") > 1.5 * loss("plain,3,0.0,"))
    #expect(try shell.files(in: "S/models/sparse/3-noise-0.01").contains("member-02.onnx"))
    let paths = try await shell.bash("filigree-paths S/models/sparse/2-noise-0.0")
    #expect(paths.code == 0 && !paths.error.contains("note"))
    #expect(try shell.text("S/manifest.json").contains("sha256"))
  }

  @Test func killedAnywhereTheTablesAreTheSameBytes() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      begin=$(date +%s%N); filigree-study run plan.yaml --output whole --threads 1 -q >/dev/null || exit 1
      duration=$(( $(date +%s%N) - begin )); RANDOM=11; interrupted=0; different=0
      # On a machine whose load changes the first measure says little: until some have been interrupted.
      for trial in $(seq 24); do
        [ $trial -gt 6 ] && [ $interrupted -ge 2 ] && break
        filigree-study run plan.yaml --output S$trial --threads 3 -q >/dev/null 2>&1 & child=$!
        sleep $(awk "BEGIN { print $duration / 1e9 * $RANDOM / 32768 }")
        kill -9 $child 2>/dev/null
        wait $child 2>/dev/null && duration=$((duration * 7 / 10))
        [ -e S$trial/summary.md ] || interrupted=$((interrupted + 1))
        filigree-study run plan.yaml --output S$trial -q >/dev/null || exit 1
        for table in \(Self.tables); do
          cmp whole/$table S$trial/$table || different=$((different + 1))
        done
        cmp whole/models/sparse/3-noise-0.01/member-01.onnx S$trial/models/sparse/3-noise-0.01/member-01.onnx \\
          || different=$((different + 1))
        find S$trial -name '*.partial*' | grep . && exit 1
      done
      echo $interrupted $different
      """)
    let counts = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    #expect(counts.count == 2 && counts.last == 0, "\(result.output) \(result.error)")
    #expect(counts.first ?? 0 >= 2)
  }

  @Test func ctrlCSaysHowToGoOn() async throws {
    let shell = try await shell(Self.plan.replacing("epochs: 60", with: "epochs: 100000"))
    let result = try await shell.bash(
      """
      filigree-study run plan.yaml --output S >/dev/null & child=$!
      until [ -e S/units ]; do sleep 0.01; done; sleep 0.2
      kill -INT $child; wait $child; echo "code $?"; ls S
      filigree-study run plan.yaml --output S -q & child=$!
      # Until it has claimed the folder; on a busy machine it may take its time to start.
      until [ -e S/claim ]; do sleep 0.01; done; sleep 0.2
      filigree-study run plan.yaml --output S; echo "second $?"
      filigree-study tables S >/dev/null; echo "tables $?"
      kill $child; wait $child 2>/dev/null
      filigree-study tables S >/dev/null; echo "after $?"
      """)
    #expect(result.output.contains("code 130") && result.output.contains("summary.md"))
    #expect(result.error.contains("the same command goes on"))
    #expect(result.output.contains("second 73") && result.output.contains("tables 73"))
    #expect(result.output.contains("after 0"))
    #expect(try shell.text("S/summary.md").contains("Nothing has been trained yet"))
    #expect(try shell.text("S/members.csv").contains(",missing,"))
  }

  @Test func aChangedPlanRedoesOnlyWhatItConcerns() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      units() { ls -iR S/units | grep "$1" | sort; }
      filigree-study run plan.yaml --output S -q >/dev/null || exit 1
      units member- >members; units judgement- >judgements
      sed -i 's/horizons: .*/horizons: [20, 100]/' plan.yaml
      filigree-study run plan.yaml --output S -q >/dev/null || exit 1
      units member- | comm -23 members - | wc -l; units judgement- | comm -23 judgements - | wc -l
      units member- >members
      sed -i 's/plain: {epochs: 60/plain: {epochs: 61/' plan.yaml
      filigree-study run plan.yaml --output S -q >/dev/null || exit 1
      units 'member-.*onnx' | comm -23 <(grep onnx members) - | wc -l
      sed -i 's/members: 3/members: 2/' plan.yaml
      filigree-study run plan.yaml --output S -q >/dev/null || exit 1
      ls -R S/units | grep -c 'member-.*onnx'
      filigree-study run plan.yaml --output S -q --prune >/dev/null || exit 1
      ls -R S/units | grep -c 'member-.*onnx'; head -n 1 S/members.csv | grep -c absolute_100
      """)
    #expect(result.code == 0, "\(result.error)")
    // What is finished stays until it is asked to go: no member and no judgement is lost. Of recipes whose members
    // are judged together, fewer members are other members.
    let counts = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(counts == "0 0 0 44 16 1")
  }

  @Test func damagedPartsAreMadeAgain() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      filigree-study run plan.yaml --output S -q >/dev/null || exit 1; cp -r S whole
      damage() { for file in $(ls S/units/??/$1 | head -n 2); do head -c 20 $file >cut; cp cut $file; done; }
      damage 'judgement-*.json'; damage 'ensemble-*.json'; damage 'truth-*.json'; damage '*.onnx'
      rm "$(ls S/units/??/*.onnx | tail -n 1)"; echo '{}' >"$(ls S/units/??/member-*.json | tail -n 1)"
      cp "$(ls S/units/??/*.onnx | sed -n 4p)" "$(ls S/units/??/*.onnx | sed -n 5p)"
      filigree-study status S --format csv
      filigree-study run plan.yaml --output S -q >/dev/null; echo "again $?"
      for table in \(Self.tables); do cmp whole/$table S/$table || echo different; done
      rm S/study.json; filigree-study run plan.yaml --output S -q >/dev/null; echo "record $?"
      cmp whole/study.json S/study.json || echo different
      """)
    #expect(result.output.contains("again 0") && !result.output.contains("different"))
    #expect(result.output.contains("record 0"), "\(result.error)")
    #expect(result.output.contains(",3,2,0,") || result.output.contains(",3,1,0,"))
  }

  @Test func badPlansAndFoldersAreRefusedWhole() async throws {
    let shell = try await shell(
      """
      plant: duffing
      recipies: {}
      recipes:
        one: {epochs: 0}
        two: {magic: 3, hidden: none, skip: maybe}
        three: {hidden: none, skip: false}
      """)
    let bad = try await shell.bash("filigree-study run plan.yaml --output S; echo $?; ls S")
    #expect(bad.output.hasPrefix("65\n"))
    for words in [
      "plan.yaml:2: unknown key \"recipies\"; is \"recipes\" meant?", "plan.yaml:4: one: ",
      "--epochs 0", "plan.yaml:5: two: ", "magic", "maybe", "plan.yaml:6: three: ",
      "nothing was run",
    ] { #expect(bad.error.contains(words), "\(words): \(bad.error)") }
    let other = try await shell.bash(
      """
      mkdir mine; echo x >mine/notes.txt
      filigree-study plan quick >quick.yaml
      filigree-study run quick.yaml --output mine; echo "foreign $?"; cat mine/notes.txt
      filigree-study run nothing.yaml --output S; echo "none $?"
      filigree-study status mine; echo "status $?"
      filigree-study plan other; echo "plan $?"
      filigree-study plan plants --plant stirred-tank | grep ^plant
      filigree-study plan plants --plant moon; echo "moon $?"
      filigree-study plan own --plant duffing; echo "own $?"
      """)
    for words in [
      "foreign 73", "x\n", "none 66", "status 66", "plan 64", "plant: stirred-tank\n", "moon 64",
      "own 64",
    ] {
      #expect(other.output.contains(words), "\(words): \(other.output)")
    }
  }

  @Test func aMemberThatDivergesIsARowWithItsReason() async throws {
    let deep = Array(repeating: "20", count: 16).joined(separator: ", ")
    let shell = try await shell(
      Self.plan.replacing("noise: [0, 0.01]\n", with: "")
        + """

          wild: {hidden: [\(deep)], activation: relu, skip: false, sparsifier: none, learning-rate: 10, schedule: constant, epochs: 2}
        """.replacing("    wild", with: "wild"))
    let result = try await shell.bash("filigree-study run plan.yaml --output S")
    #expect(result.code == 0, "\(result.error)")
    let rows = try shell.text("S/members.csv").split(separator: "\n").filter {
      $0.hasPrefix("wild")
    }
    #expect(
      rows.count == 6 && rows.allSatisfy { $0.contains(",diverged,") && $0.contains("epoch 1") })
    #expect(result.error.contains("warning: wild"))
    #expect(try shell.text("S/summary.md").contains("Members without a model"))
  }

  @Test func dataFromFilesAreStudiedToo() async throws {
    let shell = try await shell(
      """
      train: {file: data/train.csv}
      test: {file: data/test.csv}
      inputs: [force]
      members: 2
      horizons: [50]
      recipes: {small: {epochs: 5, hidden: [4]}}
      """)
    let result = try await shell.bash(
      """
      mkdir data elsewhere
      filigree-simulate --plant duffing --trajectories 3 --samples 200 --output data/train.csv -q
      filigree-simulate --plant duffing --trajectories 2 --samples 200 --seed 9 --output data/test.csv -q
      cd elsewhere
      filigree-study run ../plan.yaml --output S && filigree-study tables S && cat S/recipes.csv
      """)
    #expect(result.code == 0, "\(result.error)")
    #expect(result.output.contains("small,3,"))
  }
}

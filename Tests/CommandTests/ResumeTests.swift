import Foundation
import TestSupport
import Testing

/// The real trainer, killed and interrupted, and what it says about unfinished work.
@Suite struct ResumeTests {
  /// Half a second or so of training with a state every few milliseconds.
  static let train =
    "filigree-train train.nc --members 4 --epochs 1200 --hidden 8 --strength 1e-2 --threads 2 "
    + "--checkpoint-interval 0.02 -q"

  private func shell() async throws -> Shell {
    let shell = try Shell()
    let made = try await shell.bash(
      "filigree-simulate --plant duffing --trajectories 4 --samples 400 --output train.nc")
    #expect(made.code == 0)
    return shell
  }

  @Test func killedAtTwentyMomentsItEndsWithTheSameBits() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      begin=$(date +%s%N); \(Self.train) --output whole || exit 1
      duration=$(( $(date +%s%N) - begin ))
      sums() { cat $1/*.onnx $1/training.csv $1/ensemble.json | sha256sum; }
      want=$(sums whole); interrupted=0; different=0; RANDOM=7
      for trial in $(seq 20); do
        \(Self.train) --output out$trial & child=$!
        sleep $(awk "BEGIN { print $duration / 1e9 * $RANDOM / 32768 }")
        kill -9 $child 2>/dev/null
        # On a machine that was busier before, the training may be over: kill earlier next time.
        wait $child 2>/dev/null && duration=$((duration * 7 / 10))
        [ -e out$trial.training/training.json ] && interrupted=$((interrupted + 1))
        \(Self.train) --output out$trial --resume || exit 1
        [ "$(sums out$trial)" = "$want" ] || different=$((different + 1))
        [ -e out$trial.training ] && exit 1
      done
      echo $interrupted $different
      """)
    let counts = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    #expect(counts.count == 2 && counts.last == 0, "\(result.error)")
    // Most moments fall into the training; the rest before its first file or after its end.
    #expect(counts.first ?? 0 >= 5)
  }

  @Test func ctrlCKeepsTheStatesAndSaysHowToGoOn() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      \(Self.train) --output whole
      filigree-train train.nc --members 4 --epochs 1200 --hidden 8 --strength 1e-2 --threads 8 \\
        --checkpoint-interval 1000 --output out & child=$!
      until [ -e out.training/training.json ]; do sleep 0.01; done
      kill -INT $child; wait $child; echo "code $?"
      ls out.training
      \(Self.train) --output out --resume && cmp whole/member-03.onnx out/member-03.onnx && echo same
      \(Self.train) --output out --resume && echo complete
      """)
    #expect(result.error.contains("--resume") || result.output.contains("code 0"))
    #expect(result.output.contains("code 130") || result.output.contains("code 0"))
    #expect(result.output.contains("same\ncomplete"))
  }

  @Test func unfinishedWorkIsNeitherMixedNorLost() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      long="filigree-train train.nc --members 2 --epochs 100000 -q --checkpoint-interval 0.02"
      $long --output out & child=$!
      until ls out.training/*.state >/dev/null 2>&1; do sleep 0.01; done
      $long --output out/ ; echo "second $?"
      $long --output out --resume; echo "second resuming $?"
      $long --output out --force; echo "second by force $?"
      kill -9 $child; wait $child 2>/dev/null
      $long --output out; echo "again $?"
      filigree-train train.nc --members 2 --epochs 5 -q --output out --resume; echo "other $?"
      head -c 300 out.training/member-0-tower-0.state > cut
      cp cut out.training/member-0-tower-0.state
      $long --output out --resume; echo "damaged $?"
      filigree-train train.nc --members 2 --epochs 5 -q --output out --force; echo "over $?"
      ls out; ls -d out.training
      """)
    let said = result.output
    for line in [
      "second 73", "second resuming 73", "second by force 73", "again 73", "other 64", "damaged 65",
      "over 0",
    ] { #expect(said.contains(line), "\(line) is missing from \(said)") }
    #expect(result.error.contains("another process"))
    #expect(result.error.contains("length: 100000 epochs there, 5 epochs here"))
    #expect(result.error.contains("member-0-tower-0.state"))
    #expect(!said.contains("out.training"))
    #expect(said.contains("member-01.onnx"))
  }

  /// A limit on the size of files stands in for a full disk: both are errors of write(2).
  @Test func aStateThatCannotBeWrittenIsAnErrorAndTheOthersStay() async throws {
    let shell = try await shell()
    let result = try await shell.bash(
      """
      (trap '' XFSZ; ulimit -f 4; \(Self.train.replacing("0.02", with: "0.000001")) --output out); echo "code $?"
      ls -a out.training | grep -c partial; ls out.training
      \(Self.train) --output out --resume; echo "resumed $?"
      """)
    #expect(result.output.contains("code 74"))
    #expect(result.error.contains(".state") && result.error.contains("--resume"))
    #expect(result.output.contains("training.json") && result.output.contains("resumed 0"))
    #expect(result.output.contains("\n0\n"))
  }

  @Test func divergenceIsSaidAndCounted() async throws {
    let shell = try await shell()
    let deep = Array(repeating: "20", count: 16).joined(separator: ",")
    let train =
      "filigree-train train.nc --members 2 --epochs 20 --hidden \(deep) --activation relu --no-skip "
      + "--sparsifier none --learning-rate 10 --schedule constant --output out"
    for (choice, words) in [("restart", "twice"), ("leave-out", "diverged"), ("stop", "diverged")] {
      let result = try await shell.bash("\(train) --on-divergence \(choice)")
      #expect(result.code == 65)
      #expect(result.error.contains(words) && result.error.contains("epoch 1, step"))
      #expect(result.error.contains("--learning-rate"))
      #expect(!shell.exists("out.training") && !shell.exists("out"))
    }
  }
}

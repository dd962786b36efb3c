import TestSupport
import Testing

@Suite struct MemoryTests {
  /// 40 trajectories are 20.8 MB in `Double`. Members that are judged together hold out different trajectories,
  /// so each of the two has samples of its own. One arena of malloc: what further ones keep for their threads differs from
  /// run to run.
  @Test func twoMembersHoldTheirDataLessThanTenTimes() async throws {
    let shell = try Shell()
    let result = try await shell.bash(
      """
      export MALLOC_ARENA_MAX=1
      peak() {
        "$@" & child=$!
        while grep -s VmHWM /proc/$child/status; do sleep 0.01; done | tail -n 1 | tr -dc 0-9
        wait $child || echo failed
      }
      filigree-simulate --trajectories 40 --samples 5000 --output forty.nc -q
      filigree-simulate --trajectories 1 --samples 5000 --output one.nc -q
      train="--members 2 --epochs 2 --batch 32 --threads 2 -q"
      echo $(peak filigree-train one.nc $train --output one) \\
        $(peak filigree-train forty.nc $train --output forty)
      """)
    let peaks = result.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    try #require(peaks.count == 2, "\(result.output) \(result.error)")
    let bytes = Double(40 * 5000 * 13 * 8)
    #expect((peaks[1] - peaks[0]) * 1024 < 10 * bytes)
    #expect(peaks[1] * 1024 > bytes)
  }
}

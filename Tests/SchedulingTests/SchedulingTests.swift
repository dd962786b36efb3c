import LinearAlgebra
import Scheduling
import Testing

@Suite struct SchedulingTests {
  @Test func partsCoverAllTasksInOrderAndAreNotTooMany() {
    var stream = RandomStream(seed: 3)
    for _ in 0..<200 {
      let count = stream.integer(in: 1...400)
      let seconds = (0..<count).map { _ in stream.integer(in: 0...20) == 0 ? 90 : stream.uniform() }
      let most = stream.integer(in: 1...50)
      let wanted = 0.1 + 60 * stream.uniform()
      let ranges = Parts.ranges(seconds: seconds, wanted: wanted, most: most)
      #expect(Array(ranges.joined()) == Array(0..<count))
      #expect(ranges.count <= most && ranges.allSatisfy { !$0.isEmpty })
    }
    // As long as wanted where there are not too many of them.
    let ranges = Parts.ranges(seconds: [5, 5, 5, 70, 5, 5], wanted: 10, most: 100)
    #expect(ranges == [0..<2, 2..<3, 3..<4, 4..<6])
    #expect(Parts.ranges(seconds: [], wanted: 1, most: 3).isEmpty)
    #expect(Parts.ranges(seconds: [0, 0, 0], wanted: 0, most: 2).count <= 2)
  }

  @Test func aJobBecomesArgumentsAndNoNameAShellsWord() {
    let folder = "/a b/$(touch x)\n;rm"
    let job = ArrayJob(
      name: "filigree-fits", count: 12, atOnce: 4,
      resources: Resources(partition: "short", time: 5400, memory: 2048, cores: 2),
      after: ["17", "18"], folder: folder, log: "jobs/0001/fits/%a.log", script: "jobs/start",
      command: ["/bin/tool", "part", folder])
    let words = Slurm.arguments(job)
    #expect(words.suffix(4) == ["jobs/start", "/bin/tool", "part", folder])
    #expect(words.contains("--array=0-11%4") && words.contains("--chdir=\(folder)"))
    #expect(words.contains("--dependency=afterany:17:18") && words.contains("--time=01:30:00"))
    #expect(words.contains("--mem=2048M") && !words.contains { $0.hasPrefix("--account") })
    #expect(!ArrayJob.startingScript.contains("%"))
  }

  @Test func theQueueIsRead() {
    let tasks = Slurm.tasks(
      "12|3|RUNNING|None\n12|4|PENDING|Resources\n13|N/A|PENDING|Dependency\nx\n")
    #expect(tasks.count == 3 && tasks[0].task == 3 && tasks[0].isRunning)
    #expect(!tasks[1].isRunning && tasks[2].task == nil && tasks[2].reason == "Dependency")
    #expect(Slurm.largestArray("A = 1\nMaxArraySize            = 2002\n") == 2002)
  }
}

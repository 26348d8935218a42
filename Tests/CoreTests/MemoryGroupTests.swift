import CPercolate
import Foundation
import TestSupport
import Testing

@testable import PercolateCoreHosted

/// What the files of memory control groups say, on file systems that the test makes.
@Suite struct MemoryGroupTests {
    /// Reads from folders of the test's own. Paths are those of the kernel below the folder.
    private func read(_ files: [String: String]) throws -> MemoryGroup? {
        let folder = try TemporaryFolder()
        for (path, text) in files {
            let file = folder.url.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        return folder.url.path.withCString { MemoryGroup.read(below: $0) }
    }

    @Test func aProcessOfNoGroupHasNoLimit() throws {
        #expect(try read([:]) == nil)
        #expect(try read(["proc/self/cgroup": "0::/\n"]) == nil)
    }

    @Test func theTightestGroupOfVersionTwoCounts() throws {
        let group = try #require(
            try read([
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.stat": "anon 5\n",
                "sys/fs/cgroup/a/memory.max": "1000000\n", "sys/fs/cgroup/a/memory.stat": "anon 77\nfile 3\n",
                "sys/fs/cgroup/memory.max": "2000000\n",
            ]))
        #expect(group.limit == 1_000_000 && group.used == 77)
    }

    @Test func aContainerSeesItsGroupAsTheRoot() throws {
        let group = try #require(
            try read([
                "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "335544320\n",
                "sys/fs/cgroup/memory.stat": "anon 4096\n",
            ]))
        #expect(group.limit == 335_544_320 && group.used == 4096)
        let old = try #require(
            try read([
                "proc/self/cgroup": "5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "400000\n",
                "sys/fs/cgroup/memory/memory.stat": "cache 9\nrss 1\ntotal_cache 10\ntotal_rss 300\n",
            ]))
        #expect(old.limit == 400_000 && old.used == 300)
    }

    @Test func noLimitIsNone() throws {
        let group = try #require(
            try read([
                "proc/self/cgroup": "4:memory:/x\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
            ]))
        #expect(group.limit == Int.max)
    }

    @Test(arguments: ["", "\n", "4:memory", ":::", "0:", "4:memory:", "x", "0::"])
    func strangeFilesAreNoLimit(text: String) throws {
        #expect(try read(["proc/self/cgroup": text, "sys/fs/cgroup/memory.max": "\n"])?.limit ?? Int.max == Int.max)
    }
}

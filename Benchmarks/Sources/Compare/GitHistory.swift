import Foundation

/// A repository with a made-up history, the same on every machine.
enum GitHistory {
    private static let files = 40
    private static let lines = 120

    /// Does nothing when it is there already: two workloads share it.
    static func write(in workplace: Workplace) throws {
        let repository = workplace.path("repository.git")
        if FileManager.default.fileExists(atPath: repository) { return }
        try Shell.output("git", ["init", "-q", "--bare", repository])
        let stream = workplace.path("history.stream")
        try history(commits: workplace.quick ? 400 : 1200).write(toFile: stream, atomically: true, encoding: .utf8)
        try Shell.output("git", ["-C", repository, "fast-import", "--quiet"], input: stream)
        try FileManager.default.removeItem(atPath: stream)
    }

    private static func history(commits: Int) -> String {
        var state: UInt64 = 1
        func draw(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        var contents = (0..<files).map { file in
            (0..<lines).map { "file \(file) line \($0) says \(draw(1_000_000))" }
        }
        var stream = ""
        for commit in 1...commits {
            stream += "commit refs/heads/history\nauthor A <a@example.invalid> \(1_000_000_000 + commit) +0000\n"
            stream += "committer A <a@example.invalid> \(1_000_000_000 + commit) +0000\n"
            let message = "Change number \(commit)\n"
            stream += "data \(message.utf8.count)\n\(message)"
            let changed = commit == 1 ? Array(0..<files) : (0...draw(4)).map { _ in draw(files) }
            for file in Set(changed).sorted() {
                for _ in 0...draw(6) { contents[file][draw(lines)] = "commit \(commit) wrote \(draw(1_000_000))" }
                let text = contents[file].joined(separator: "\n") + "\n"
                stream += "M 100644 inline folder\(file % 7)/file\(file).txt\ndata \(text.utf8.count)\n\(text)\n"
            }
            stream += "\n"
        }
        return stream
    }
}

import Foundation

/// What a workload printed about itself: lines of JSON. Programs of the system print other things, which are skipped.
struct WorkloadOutput {
    private(set) var marks: [Mark] = []
    private(set) var activeSeconds: Double?
    private(set) var latencies: [Latency] = []

    private struct Active: Decodable {
        var active: Double
    }

    private static let longestOutput = 64 * 1024

    init(path: String) {
        // A workload's own lines are few; a program's output may be large and is of no interest.
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
            size < Self.longestOutput, let text = try? String(contentsOfFile: path, encoding: .utf8)
        else {
            self.init(text: "")
            return
        }
        self.init(text: text)
    }

    init(text: String) {
        let decoder = JSONDecoder()
        for line in text.split(separator: "\n") where line.hasPrefix("{\"") {
            let data = Data(line.utf8)
            if let mark = try? decoder.decode(Mark.self, from: data) {
                marks.append(mark)
            } else if let active = try? decoder.decode(Active.self, from: data) {
                activeSeconds = active.active
            } else if let latency = try? decoder.decode(Latency.self, from: data) {
                latencies.append(latency)
            }
        }
    }
}

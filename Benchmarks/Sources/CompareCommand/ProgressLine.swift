import Compare
import Foundation

/// A bar that redraws itself on a terminal, and a line per run elsewhere.
final class ProgressLine {
    private let terminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let started = Date()

    func show(_ event: Comparison.Event) {
        switch event {
        case .prepares(let workload): replace("preparing \(workload)")
        case .starts(let step): replace("\(bar(step)) \(step.workload) under \(step.peer)")
        case .ended(let step, let result): ended(step, result)
        }
    }

    func finish() { replace("") }

    private func ended(_ step: Comparison.Step, _ result: Result<Compare.Measurement, InvalidInput>) {
        let run = "round \(step.round + 1) \(step.workload) \(step.peer)"
        let count = terminal ? "" : "\(step.number + 1)/\(step.total) "
        switch result {
        case .success(let measurement):
            guard !terminal else { return }
            let values = [Quantity.seconds(measurement.seconds), Quantity.bytes(measurement.peakResidentBytes)]
            write("\(count)\(run): \(values.joined(separator: ", "))\n")
        case .failure(let problem):
            replace("")
            write("\(count)\(run): failed: \(problem)\n")
        }
    }

    /// Draws over the line that stands there. Only a terminal has one.
    private func replace(_ text: String) {
        if terminal { write("\r\u{1B}[2K\(text)") }
    }

    private func bar(_ step: Comparison.Step) -> String {
        let width = 24
        let done = step.total == 0 ? 0 : Double(step.number) / Double(step.total)
        let full = Int(done * Double(width))
        let blocks = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        return "\(blocks) \(step.number)/\(step.total)\(remaining(done))"
    }

    private func remaining(_ done: Double) -> String {
        guard done > 0.02 else { return "" }
        let seconds = Int(Date().timeIntervalSince(started) / done * (1 - done))
        return String(format: " %d:%02d left,", seconds / 60, seconds % 60)
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

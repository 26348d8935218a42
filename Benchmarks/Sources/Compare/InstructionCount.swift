import CMeasure
import Foundation

/// Instructions per call, counted by single-stepping: the same on a busy machine as on an idle one.
///
/// The fast paths of an allocator with restartable sequences are counted as they run undisturbed, which no emulator without
/// rseq could do: the tracer hides the section from the kernel while it steps.
public struct InstructionCount: Codable, Equatable, Sendable {
    public var peer: String
    public var operation: Operation
    public var calls: Int
    /// What most calls take: the fast path.
    public var typical: Int
    /// With the slow paths spread over the calls that they serve.
    public var mean: Double
    public var most: Int
    public var typicalBranches: Int

    /// The numbers are those of `Workloads/stepped.c`.
    public enum Operation: UInt32, Codable, CaseIterable, Sendable {
        case pairMalloc = 1
        case pairFree, sizedFree, zeroed, grown, runMalloc, runFree, randomMalloc, randomFree, largeMalloc, largeFree

        public var title: String {
            switch self {
            case .pairMalloc: "malloc(64), in a pair"
            case .pairFree: "free, in a pair"
            case .sizedFree: "operator delete(p, 64)"
            case .zeroed: "calloc(1, 64)"
            case .grown: "realloc(60 to 64)"
            case .runMalloc: "malloc(64), 1000 in a row"
            case .runFree: "free, 1000 in a row"
            case .randomMalloc: "malloc(16...1024)"
            case .randomFree: "free(16...1024)"
            case .largeMalloc: "malloc(1 MiB)"
            case .largeFree: "free(1 MiB)"
            }
        }
    }

    /// Counts for all operations under one peer. Blocks for some seconds: every step is a switch between two processes.
    public static func count(under peer: Peer, arguments: [String] = []) throws -> [InstructionCount] {
        let workplace = try Workplace(quick: false)
        defer { workplace.remove() }
        let command = CommandStorage(
            workplace.surrounded(Command(try workplace.compile("stepped"), arguments), preloading: peer.path),
            output: workplace.path("output"), errors: workplace.path("errors"))
        var result = step_result()
        defer { step_result_free(&result) }
        guard command.withCommand({ command in withUnsafePointer(to: command) { step_run($0, &result) } }) else {
            throw InvalidInput(
                withUnsafeBytes(of: result.failure) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        guard result.status == 0 else {
            let errors = try String(contentsOfFile: workplace.path("errors"), encoding: .utf8)
            throw InvalidInput("under \(peer.name) the stepped program ended with status \(result.status): \(errors)")
        }
        let counts = UnsafeBufferPointer(start: result.counts, count: result.count)
        return Operation.allCases.compactMap { operation in
            summary(of: counts.filter { $0.operation == operation.rawValue }, operation, peer.name)
        }
    }

    private static func summary(of counts: [step_count], _ operation: Operation, _ peer: String) -> InstructionCount? {
        let instructions = counts.map { Double($0.instructions) }
        guard let typical = Distribution.quantile(instructions, 0.5), let most = instructions.max(),
            let branches = Distribution.median(counts.map { Double($0.branches) })
        else { return nil }
        return InstructionCount(
            peer: peer, operation: operation, calls: counts.count, typical: Int(typical),
            mean: instructions.reduce(0, +) / Double(counts.count), most: Int(most), typicalBranches: Int(branches))
    }
}

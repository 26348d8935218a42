import ArgumentParser
import Compare
import Foundation
import TextTable

struct InstructionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instructions",
        abstract: "Count the instructions of malloc and free, by single steps.",
        discussion: """
            Independent of the machine's speed and load. Each call of a small program is single-stepped, and the instructions \
            outside the program's own text are counted. Restartable sequences run to their end: the tracer clears the \
            section's descriptor after each step, so that the kernel does not abort it. (valgrind and qemu have no rseq.)

            A cell is the count that most calls take, then the mean, which has the slow paths in it, then the largest.
            x86-64 only. System calls count as one instruction.
            """)

    @OptionGroup var options: PeerOptions

    @Option(name: .customLong("json"), help: ArgumentHelp("Write the counts.", valueName: "file"))
    var jsonFile: String?

    func run() throws {
        let peers = try options.peers(baseline: Peers.baseline)
        for peer in peers.missing { print("\(peer.name) is left out: \(peer.reason)") }
        var counts: [InstructionCount] = []
        for peer in peers.found { counts += try InstructionCount.count(under: peer) }
        let table = TextTable<InstructionCount.Operation> { operation in
            [Column(title: "operation", value: operation.title)]
                + peers.found.map { peer in
                    let count = counts.first { $0.peer == peer.name && $0.operation == operation }
                    return Column(title: peer.name, value: count.map(cell) ?? "-", align: .right)
                }
        }
        print("Instructions per call: typical / mean / most")
        if let text = table.string(for: InstructionCount.Operation.allCases, style: Style.psql) { print(text) }
        if let jsonFile {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(counts).write(to: URL(filePath: jsonFile))
        }
    }

    private func cell(_ count: InstructionCount) -> String {
        "\(count.typical) / \(String(format: "%.1f", count.mean)) / \(count.most)"
    }
}

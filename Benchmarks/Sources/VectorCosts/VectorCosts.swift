import ArgumentParser
import CVectorCosts
import Compare

@main
struct VectorCosts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "percolate-vectors",
        abstract: "Measures sections and operation vectors beside an atomic addition, a mutex and a bare membarrier.",
        discussion: """
            The core is compiled into this program from the files of the shared object. Rows of one table are measured in turn, round \
            by round. Cells are medians, in brackets the quartiles of the ratios by round: only those mean something on a busy machine.

            trusted: as the allocator runs vectors, on operands that it knows. checked: as programs do, by the exported functions.
            remote: of a CPU that the calling thread does not run on. idle, busy: what this process does there meanwhile; busy rounds count \
            only while its thread runs there, and not another process.
            """)

    @Option(help: "Rounds of each table.")
    var rounds = 300

    func validate() throws {
        if rounds < 1 { throw ValidationError("--rounds must be at least 1") }
    }

    func run() throws {
        var cpus = [Int32](repeating: 0, count: 2)
        let allowed = allowed_cpus(&cpus, 2)
        guard Heap.ensureStarted(), FrontEnd.sequences.registration == .glibc, FrontEnd.sequences.canFence else {
            throw ValidationError("this machine has no restartable sequences, or no membarrier for them")
        }
        guard allowed > 0, stay_on(cpus[0]) else { throw ValidationError("cannot stay on one CPU") }
        // The first vector opens the gates.
        cost_of_checked_add(cpus[0], 1)
        guard allowed > 1, start_other_thread(cpus[1]) else {
            print(ownSeries(cpus[0]).table(rounds: rounds))
            return print("One CPU only: there is no other one to close.")
        }
        print(ownSeries(cpus[0]).table(rounds: rounds))
        var remote = remoteSeries("remote, idle", cpus[1])
        print(remote.table(rounds: rounds))
        keep_other_thread_busy(true)
        remote.title = "remote, busy"
        remote.condition = { other_thread_runs($0) }
        print(remote.table(rounds: rounds))
        keep_other_thread_busy(false)
        print("\(Machine.current().processor), \(Machine.current().kernel), load \(Machine.load())")
    }

    private func ownSeries(_ cpu: Int32) -> Series {
        let trusted = TrustedVector(cpu: Int(cpu), sequences: FrontEnd.sequences)
        return Series(
            title: "own CPU",
            rows: [
                .init(name: "lock xadd", count: 20_000) { cost_of_locked_add($0) },
                .init(name: "mutex", count: 20_000) { cost_of_mutex($0) },
                .init(name: "section: add", goal: "0.5 lock xadd", count: 20_000) { cost_of_section($0) },
                .init(name: "section: list", count: 20_000) { cost_of_list_section($0) },
                .init(name: "trusted vector, as a section", goal: "60 ns", count: 5000) { trusted.runAsSection($0) },
                .init(name: "trusted vector, gate closed", goal: "60 ns", count: 5000) { trusted.runBehindGate($0) },
                .init(name: "checked vector: add", count: 200) { cost_of_checked_add(cpu, $0) },
                .init(name: "checked vector: compare, 2 stores", count: 200) { cost_of_checked_stores(cpu, $0) },
                .init(name: "cpu_opv: add", count: 200) { cost_of_strict_add(cpu, $0) },
            ], references: ["lock xadd", "mutex"])
    }

    private func remoteSeries(_ title: String, _ cpu: Int32) -> Series {
        let trusted = TrustedVector(cpu: Int(cpu), sequences: FrontEnd.sequences)
        return Series(
            title: title,
            rows: [
                .init(name: "membarrier", count: 20) { cost_of_fence(cpu, $0) },
                .init(name: "trusted vector", goal: "1.2 membarrier", count: 20) { trusted.runBehindGate($0) },
                .init(name: "checked vector: add", count: 20) { cost_of_checked_add(cpu, $0) },
                .init(name: "checked vector: compare, 2 stores", count: 20) { cost_of_checked_stores(cpu, $0) },
            ], references: ["membarrier"])
    }
}

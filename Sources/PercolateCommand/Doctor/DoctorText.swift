/// The findings in plain words: a heading and a sentence or two for each.
struct DoctorText {
    let lines: [String]

    init(_ report: DoctorReport) {
        var rows: [(heading: String, text: String)] = [
            ("Kernel", "Linux \(report.system.kernel), \(report.system.architecture)"),
            ("C library", "glibc \(report.system.glibc)"),
        ]
        if report.system.seccomp {
            rows.append(("Filter", "A seccomp filter decides which system calls this process may use."))
        }
        rows += [
            ("rseq", Self.rseq(report.rseq)),
            ("membarrier", Self.membarrier(report.membarrier)),
            ("Self-test", Self.selfTest(report.aborts)),
            ("CPUs", Self.processors(report.processors)),
            ("Huge pages", Self.hugePages(report.memory)),
            ("Overcommit", Self.overcommit(report.memory)),
        ]
        if let limits = Self.limits(report.memory) { rows.append(("Limits", limits)) }
        rows.append(("Library", Self.library(report.allocator)))
        rows += report.allocator.remarks.map { ("Remark", $0) }
        if let options = report.options, !options.isEmpty { rows.append(("Options", "PERCOLATE_OPTIONS=\(options)")) }
        if report.isUsable {
            let explanation = ModeExplanation(report)
            rows += [
                ("Mode", explanation.mode),
                ("Index", explanation.index),
                ("Remote CPUs", explanation.remoteCaches),
                ("Time slices", explanation.timeSlices),
            ]
        }
        if let program = report.program { rows += program.sentences.map { ("Program", $0) } }
        rows.append(("Verdict", "Programs \(report.isUsable ? "can" : "cannot") run on Percolate here."))
        let width = rows.map(\.heading.count).max() ?? 0
        lines =
            ["\(report.version) doctor", ""]
            + rows.map { $0.heading + String(repeating: " ", count: width + 2 - $0.heading.count) + $0.text }
    }

    private static func rseq(_ facts: RseqFacts) -> String {
        let kernel =
            if let refusal = facts.refusal {
                "The kernel refuses restartable sequences (\(refusal))."
            } else if let size = facts.featureSize {
                "The kernel has restartable sequences and knows \(size) bytes of a thread's area (AT_RSEQ_FEATURE_SIZE)."
            } else {
                "The kernel has restartable sequences and does not say how much of a thread's area it knows "
                    + "(no AT_RSEQ_FEATURE_SIZE: Linux before 6.3)."
            }
        let library =
            switch facts.glibcSize {
            case nil: "glibc does not register threads for them (it does since 2.35)."
            case 0?: "glibc has not registered this thread (old kernel, a filter, or glibc.pthread.rseq=0)."
            case let size?: "glibc registers every thread (__rseq_size is \(size))."
            }
        return kernel + " " + library
    }

    private static func membarrier(_ facts: MembarrierFacts) -> String {
        guard let commands = facts.commands else {
            return "The kernel refuses the system call (\(facts.refusal ?? "no reason given"))."
        }
        let fence =
            facts.fencesSections
            ? "The fence for restartable sequences works."
            : "The fence for restartable sequences does not work (it needs Linux 5.10)."
        return fence + " The kernel knows the commands 0x\(String(commands, radix: 16))."
    }

    private static func selfTest(_ facts: AbortFacts) -> String {
        let preemption =
            switch facts.preemption {
            case .passed: "A section was aborted when its thread lost the CPU."
            case .failed: "A section went on although its thread had lost the CPU: set rseq=off on this kernel."
            case .undecided: "A section ended before its thread lost the CPU, which proves nothing."
            case .notRun: "No section could be tried: threads are not registered here."
            }
        let fence =
            switch facts.fence {
            case .passed: "A section was aborted when a thread on another CPU fenced it."
            case .failed: "A section went on although it had been fenced: set rseq=off on this kernel."
            case .undecided: "A section ended before it was fenced, which proves nothing."
            case .notRun: "The fence could not be tried: it needs a second CPU and membarrier."
            }
        return "\(preemption) \(fence)"
    }

    private static func processors(_ facts: ProcessorFacts) -> String {
        "possible \(facts.possible ?? "unknown"), online \(facts.online ?? "unknown"), "
            + "allowed to this process \(facts.allowed ?? "unknown")"
    }

    private static func hugePages(_ facts: MemoryFacts) -> String {
        switch facts.transparentHugePages {
        case nil: "The kernel has no transparent huge pages."
        case "always"?: "always: the kernel gives transparent huge pages unless told not to."
        case "madvise"?: "madvise: the kernel gives transparent huge pages to memory that asks for them."
        case "never"?: "never: the kernel gives no transparent huge pages."
        case let other?: other
        }
    }

    private static func overcommit(_ facts: MemoryFacts) -> String {
        switch facts.overcommit {
        case nil: "The kernel does not say (vm.overcommit_memory)."
        case 0?: "0: the kernel refuses only what it estimates to be far too much."
        case 1?: "1: the kernel grants any request."
        case 2?: "2: the kernel counts all writable memory against a limit, whether it is used or not."
        case let other?: "\(other)"
        }
    }

    private static func limits(_ facts: MemoryFacts) -> String? {
        var parts: [String] = []
        if let limit = facts.addressSpaceLimit { parts.append("address space \(limit >> 10) KiB (RLIMIT_AS)") }
        if let limit = facts.dataLimit { parts.append("data \(limit >> 10) KiB (RLIMIT_DATA)") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func library(_ facts: AllocatorFacts) -> String {
        guard let library = facts.library else { return "Not usable: \(facts.problem ?? "no reason given")." }
        if let problem = facts.problem { return "\(library) is not usable: \(problem)." }
        let blocks = facts.statistics["served_blocks"] ?? "no"
        return "\(library) served \(blocks) blocks to a program started for this report."
    }
}

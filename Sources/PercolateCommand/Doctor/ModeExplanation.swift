/// What the allocator decided, and which of the findings accounts for it. The decision is read from
/// its statistics; where no finding accounts for it, the text says just that.
struct ModeExplanation {
    private let report: DoctorReport

    init(_ report: DoctorReport) {
        self.report = report
    }

    private subscript(name: String) -> String { report.allocator.statistics[name] ?? "not reported" }

    /// The value that the user set for an option, the last one as in the allocator.
    private func option(_ key: String) -> String? {
        let assignments = (report.options ?? "").split(separator: ",").map { item in
            item.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        }
        return assignments.last { $0.first == key && $0.count == 2 }?[1]
    }

    private func isOff(_ key: String) -> Bool { ["off", "0", "false", "no"].contains(option(key)) }
    private func isOn(_ key: String) -> Bool { ["on", "1", "true", "yes"].contains(option(key)) }

    var mode: String {
        switch self["mode"] {
        case "sections":
            let registration =
                switch self["rseq"] {
                case "glibc": "on glibc's registration of each thread"
                case "own": "on its own registration of each thread, since glibc has none"
                case let other: "with the registration '\(other)'"
                }
            let marks = option("hardened") == "basic" ? " Every free is looked up (hardened=basic)." : ""
            return
                "sections: each CPU's cache is used without locks, in restartable sequences, \(registration).\(marks)"
        case "locked": return "locked: each CPU's cache is used under its lock, because \(reasonAgainstSections)."
        case "hardened":
            let reason = isOn("hardened") ? "because the option hardened=1 asks for it" : "unasked"
            return "hardened: every operation takes the checked path, \(reason)."
        case let other: return other
        }
    }

    private var reasonAgainstSections: String {
        if isOff("rseq") { return "the option rseq=off asks for it" }
        if let refusal = report.rseq.refusal { return "the kernel refuses restartable sequences (\(refusal))" }
        return "the allocator could not rely on restartable sequences, although the kernel has them"
    }

    var index: String {
        switch self["index"] {
        case "mm_cid":
            return "mm_cid: caches are numbered by the threads that can run at once, so there are no more than those."
        case "cpu_id":
            let reason =
                if self["rseq"] == "none" {
                    "because compact numbers (mm_cid) come only with restartable sequences"
                } else if option("index") == "cpu_id" {
                    "because the option index=cpu_id asks for it"
                } else if !report.rseq.hasCompactNumbers {
                    "because this kernel gives no compact numbers (mm_cid, Linux 6.3)"
                } else {
                    "which the allocator found better here although the kernel gives compact numbers (mm_cid)"
                }
            return "cpu_id: caches are numbered by CPU, \(reason)."
        case let other: return other
        }
    }

    var timeSlices: String {
        switch self["extends_slices"] {
        case "1": "a thread that holds a lock of the allocator asks the kernel for a longer time slice."
        case "0": "threads that hold locks are preempted as any, because \(reasonAgainstLongerSlices)."
        case let other: other
        }
    }

    /// Bytes of a thread's area that longer time slices need.
    private static var sliceArea: UInt { 33 }

    private var reasonAgainstLongerSlices: String {
        if isOff("slice") { return "the option slice=off asks for it" }
        if self["rseq"] == "none" { return "longer time slices come only with restartable sequences" }
        guard let known = report.rseq.featureSize, known >= Self.sliceArea else {
            return "this kernel cannot extend their time slices (Linux 7.0)"
        }
        if self["rseq"] == "glibc", let size = report.rseq.glibcSize, size < Self.sliceArea {
            return "glibc registers \(size) bytes of each thread's area, too few for longer time slices (glibc 2.41)"
        }
        if report.system.seccomp, !isOn("slice") {
            return "a filter decides about system calls; the option slice=on asks for longer time slices nevertheless"
        }
        return "the kernel was built without longer time slices (RSEQ_SLICE_EXTENSION), or booted without them"
    }

    var remoteCaches: String {
        switch self["membarrier"] {
        case "yes": "membarrier: a CPU that runs dry can take from the caches of other CPUs."
        case "no" where self["mode"] == "locked": "no membarrier, and no need of it: locks protect every CPU's cache."
        case "no" where isOff("membarrier"):
            "no membarrier, because the option membarrier=off asks for it: the caches of other CPUs stay theirs."
        case "no" where !report.membarrier.fencesSections:
            "no membarrier, because the kernel's fence does not work: the caches of other CPUs stay theirs."
        case "no": "no membarrier: the caches of other CPUs are not fenced."
        case let other: other
        }
    }
}

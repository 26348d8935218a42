import CAbortTest

/// Whether the kernel keeps its promise to abort restartable sequences, tried out in this process.
struct AbortFacts: Codable {
    enum Result: String, Codable {
        case passed, failed, undecided
        case notRun = "not run"
    }

    /// Of a section whose thread another one pushes off the CPU.
    let preemption: Result
    /// Of a section on one CPU that a thread on another fences.
    let fence: Result

    init() {
        preemption = Result(abort_test_preemption())
        fence = Result(abort_test_fence())
    }
}

extension AbortFacts.Result {
    fileprivate init(_ result: abort_test_result) {
        self =
            switch result {
            case ABORT_TEST_PASSED: .passed
            case ABORT_TEST_FAILED: .failed
            case ABORT_TEST_UNDECIDED: .undecided
            default: .notRun
            }
    }
}

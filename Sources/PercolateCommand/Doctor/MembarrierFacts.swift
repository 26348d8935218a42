import CLinux
import Glibc

/// The system call that lets one thread end the sections of the others.
struct MembarrierFacts: Codable {
    /// The commands that the kernel knows, one bit each; nil when the call is refused.
    let commands: UInt?
    /// The error with which the call is refused, for people; nil when it is not.
    let refusal: String?
    /// Whether the fence for restartable sequences works in this process: registered for, then
    /// asked for.
    let fencesSections: Bool

    init() {
        let mask = linux_membarrier(Int32(MEMBARRIER_CMD_QUERY.rawValue))
        guard mask >= 0 else {
            (commands, refusal, fencesSections) = (nil, String(cString: strerror(errno)), false)
            return
        }
        (commands, refusal) = (UInt(mask), nil)
        fencesSections =
            linux_membarrier(Int32(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ.rawValue)) == 0
            && linux_membarrier(Int32(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ.rawValue)) == 0
    }
}

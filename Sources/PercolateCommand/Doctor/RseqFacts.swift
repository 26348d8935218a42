import CLinux
import Glibc

/// Restartable sequences, as the kernel and glibc offer them to this process.
struct RseqFacts: Codable {
    /// Whether the kernel knows the system call and no filter refuses it.
    let kernel: Bool
    /// The error with which the call is refused, for people; nil when it is not.
    let refusal: String?
    /// Whether glibc has registered this thread, as it does for every thread.
    let registeredByGlibc: Bool
    /// `__rseq_size`: the bytes of the area that glibc vouches for. Nil when glibc is older than
    /// 2.35.
    let glibcSize: UInt32?
    /// `AT_RSEQ_FEATURE_SIZE`: the bytes of the area that the kernel knows, nil before Linux 6.3.
    let featureSize: UInt?

    init() {
        let error = linux_rseq_impossible_registration() == 0 ? 0 : errno
        kernel = error == EINVAL
        refusal = kernel ? nil : String(cString: strerror(error))
        let size = dlsym(nil, "__rseq_size").map { $0.loadUnaligned(as: UInt32.self) }
        glibcSize = size
        registeredByGlibc = (size ?? 0) > 0
        let feature = linux_rseq_feature_size()
        featureSize = feature > 0 ? feature : nil
    }

    /// Whether the kernel writes a compact number, `mm_cid`, into the area (its bytes 24 to 27).
    var hasCompactNumbers: Bool { (featureSize ?? 0) >= 28 }
}

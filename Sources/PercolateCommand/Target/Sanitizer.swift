/// The sanitizers that bring a malloc of their own. (Those that do not, such as that for undefined
/// behaviour, leave malloc alone and are no obstacle.)
enum Sanitizer: String, CaseIterable {
    case address = "asan"
    case hardwareAddress = "hwasan"
    case leak = "lsan"
    case memory = "msan"
    case thread = "tsan"

    var name: String {
        switch self {
        case .address: "AddressSanitizer"
        case .hardwareAddress: "HWAddressSanitizer"
        case .leak: "LeakSanitizer"
        case .memory: "MemorySanitizer"
        case .thread: "ThreadSanitizer"
        }
    }

    /// The function by which instrumented code starts the run-time library: defined by an
    /// executable that the library is linked into.
    var entryPoint: String { "__\(rawValue)_init" }

    /// Whether the run-time library is linked into the file, or a shared object that the file
    /// needs.
    func isUsed(by dynamic: ELFDynamicSection) -> Bool {
        dynamic.defined.contains(entryPoint)
            || dynamic.needed.contains {
                $0.hasPrefix("lib\(rawValue).so") || $0.hasPrefix("libclang_rt.\(rawValue)")
            }
    }
}

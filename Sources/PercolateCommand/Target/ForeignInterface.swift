import Glibc
import SystemPackage

/// Another allocator's own functions, which a program calls, or has a copy of. Percolate serves the
/// standard functions and jemalloc's: blocks that come from here are the other allocator's.
struct ForeignInterface: Equatable {
    enum Allocator: String, CaseIterable {
        case tcmalloc, mimalloc, jemalloc
    }

    let allocator: Allocator
    /// One of the functions, as an example.
    let function: String
    /// Whether the program brings the function itself.
    let isCopy: Bool

    /// The first that the file's tables of symbols name; nil where there is none, and for what is
    /// no file that can be read.
    init?(of path: FilePath) {
        guard let symbols = try? ELFSymbolList(of: path, where: Self.mayBeOfInterest) else { return nil }
        for symbol in symbols.all {
            guard let allocator = Allocator.allCases.first(where: { $0.owns(symbol.name) }) else { continue }
            (self.allocator, function, isCopy) = (allocator, symbol.name, symbol.isDefined)
            return
        }
        return nil
    }

    /// Quick to say, and true of every name that an allocator owns.
    private static func mayBeOfInterest(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.count > 4 else { return false }
        switch (name[0], name[1]) {
        case (UInt8(ascii: "t"), UInt8(ascii: "c")), (UInt8(ascii: "m"), UInt8(ascii: "i")),
            (UInt8(ascii: "M"), UInt8(ascii: "a")):
            return true
        // Of the mangled names, those of a function of MallocExtension.
        case (UInt8(ascii: "_"), UInt8(ascii: "Z")):
            return name.firstRange(of: "MallocExtension".utf8) != nil
        default:
            let last = name[name.count - 1]
            return last == UInt8(ascii: "x") || last == UInt8(ascii: "l") || last == UInt8(ascii: "b")
                || last == UInt8(ascii: "t")
        }
    }

    /// A sentence about `program`.
    func sentence(of program: String) -> String {
        isCopy
            ? "\(program) has a copy of \(allocator) of its own (\(function)): what it allocates by that is not Percolate's"
            : "\(program) calls \(allocator)'s own functions (\(function)): what it allocates by those is not Percolate's"
    }
}

extension ForeignInterface.Allocator {
    private static let tcmallocFunctions = [
        "tc_malloc", "tc_calloc", "tc_realloc", "tc_free", "tc_cfree", "tc_memalign", "tc_posix_memalign",
        "tc_valloc", "tc_pvalloc", "tc_mallopt", "tc_mallinfo", "tc_new", "tc_delete", "tc_nallocx",
        "tc_version", "tc_set_new_mode", "MallocExtension_", "MallocHook_",
    ]

    private static let mimallocFunctions = [
        "mi_malloc", "mi_calloc", "mi_zalloc", "mi_realloc", "mi_rezalloc", "mi_recalloc", "mi_free",
        "mi_cfree", "mi_expand", "mi_heap_", "mi_new", "mi_aligned_", "mi_memalign", "mi_posix_memalign",
        "mi_valloc", "mi_pvalloc", "mi_usable_size", "mi_good_size", "mi_strdup", "mi_strndup",
        "mi_collect", "mi_stats_", "mi_option_", "mi_reserve_", "mi_manage_os_memory", "mi_is_in_heap_region",
    ]

    private static let jemallocFunctions = [
        "mallocx", "rallocx", "xallocx", "sallocx", "dallocx", "sdallocx", "nallocx", "mallctl",
        "mallctlnametomib", "mallctlbymib", "malloc_stats_print",
    ]

    /// Whether a function of this name is this allocator's, and not served.
    fileprivate func owns(_ name: String) -> Bool {
        switch self {
        case .tcmalloc:
            Self.tcmallocFunctions.contains { name.hasPrefix($0) } || name.contains("15MallocExtension")
        case .mimalloc: Self.mimallocFunctions.contains { name.hasPrefix($0) }
        case .jemalloc:
            // Copies have a prefix, such as `je_` or `_rjem_`; without one the functions are
            // served.
            Self.jemallocFunctions.contains { name.hasSuffix("_" + $0) }
        }
    }
}

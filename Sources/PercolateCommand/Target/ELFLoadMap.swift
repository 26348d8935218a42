import CLinux

/// Where in the file the bytes are that will be at an address: the dynamic section gives addresses
/// only.
struct ELFLoadMap {
    private let segments: [Elf64_Phdr]

    init(_ segments: [Elf64_Phdr]) {
        self.segments = segments.filter { $0.p_type == UInt32(PT_LOAD) }
    }

    func offset(ofAddress address: UInt64) throws(ELFError) -> UInt64 {
        for segment in segments where address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz {
            let (offset, overflow) = segment.p_offset.addingReportingOverflow(address - segment.p_vaddr)
            guard !overflow else { throw .malformed }
            return offset
        }
        throw .malformed
    }
}

import CLinux

/// What the head of an ELF file says that it is built for: word size, byte order and instruction
/// set.
struct ELFMachine: Equatable, CustomStringConvertible {
    let wordClass: UInt8
    let byteOrder: UInt8
    let number: UInt16

    /// What this command, and so the library beside it, is built for.
    static let native: ELFMachine = {
        #if arch(x86_64)
            ELFMachine(wordClass: UInt8(ELFCLASS64), byteOrder: UInt8(ELFDATA2LSB), number: UInt16(EM_X86_64))
        #elseif arch(arm64)
            ELFMachine(wordClass: UInt8(ELFCLASS64), byteOrder: UInt8(ELFDATA2LSB), number: UInt16(EM_AARCH64))
        #else
            #error("Percolate has no port to this architecture")
        #endif
    }()

    var description: String {
        let bits = wordClass == UInt8(ELFCLASS32) ? "32-bit" : "64-bit"
        let name =
            switch Int32(number) {
            case EM_386: "x86"
            case EM_X86_64: "x86-64"
            case EM_ARM: "ARM"
            case EM_AARCH64: "AArch64"
            case EM_RISCV: "RISC-V"
            case EM_PPC64: "POWER"
            case EM_S390: "s390"
            default: "machine number \(number)"
            }
        return "\(bits) \(name)"
    }
}

/// What a request for memory comes to.
enum Supply<Memory> {
    case given(Memory)
    /// There is none to be had now.
    case noMemory
    /// A lock refused the calling thread (`Admission`). Nothing is in hand: who was refused has put
    /// back what it had taken. `Refusal` serves the program's call in another way.
    case refused

    /// The same where `use` makes something else of the memory.
    @inline(__always)
    func map<Other>(_ use: (Memory) -> Other) -> Supply<Other> {
        switch self {
        case .given(let memory): .given(use(memory))
        case .noMemory: .noMemory
        case .refused: .refused
        }
    }
}

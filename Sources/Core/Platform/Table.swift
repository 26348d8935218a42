/// An array at a fixed address in metadata that is never unmapped. Elements are zero until written.
struct Table<Element: ~Copyable> {
    /// Address of element 0; 0 until start-up has placed the table.
    var address: UInt = 0

    subscript(index: Int) -> UnsafeMutablePointer<Element> {
        @inline(__always) get { pointer(address) + index }
    }
}

/// The address of a variable that is never moved: called with `&variable`.
@inline(__always)
func addressOf<Value: ~Copyable>(_ variable: UnsafePointer<Value>) -> UInt { UInt(bitPattern: variable) }

/// A pointer to a variable that is never moved: in a heap's state, or in a table.
@inline(__always)
func pinned<Value: ~Copyable>(_ variable: inout Value) -> UnsafeMutablePointer<Value> {
    withUnsafeMutablePointer(to: &variable) { $0 }
}

/// A pointer to memory that the caller knows to hold an `Element` at `address`, which is not 0.
@inline(__always)
func pointer<Element: ~Copyable>(_ address: UInt) -> UnsafeMutablePointer<Element> {
    UnsafeMutablePointer<Element>(bitPattern: address).unsafelyUnwrapped
}

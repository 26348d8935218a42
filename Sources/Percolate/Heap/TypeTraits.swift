/// Whether values of the type may be moved by copying their bytes: nearly all. Exceptions keep
/// their own address, as some classes of C++ do, or are known by it to the runtime.
@inlinable
func isMovedAsBytes<Value: ~Copyable>(_ type: Value.Type) -> Bool {
    valueWitnessFlags(type) & 1 << 20 == 0
}

/// Whether the end of a value has no effect.
@inlinable
func isTrivial<Value: ~Copyable>(_ type: Value.Type) -> Bool {
    valueWitnessFlags(type) & 1 << 16 == 0
}

/// The flags of the type's value witnesses. The standard library has functions for them, but for
/// copyable types only.
///
/// `docs/ABI/TypeMetadata.rst` of the Swift repository: the word before the metadata is the address
/// of the witnesses, where flags follow eight functions and two words.
@inlinable
func valueWitnessFlags<Value: ~Copyable>(_ type: Value.Type) -> UInt32 {
    let metadata = unsafe unsafeBitCast(type, to: UnsafePointer<UnsafeRawPointer>.self)
    return unsafe (metadata - 1).pointee.load(fromByteOffset: 80, as: UInt32.self)
}

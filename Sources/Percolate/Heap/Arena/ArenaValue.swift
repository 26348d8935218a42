/// A value in an arena, which ends with that.
@safe @frozen
public struct ArenaValue<Value: ~Copyable>: ~Copyable, ~Escapable {
    @usableFromInline let pointer: UnsafeMutablePointer<Value>

    @_lifetime(immortal)
    @inlinable
    init(_ pointer: UnsafeMutablePointer<Value>) {
        unsafe self.pointer = unsafe pointer
    }

    /// The value, in place.
    @inlinable
    public var value: Value {
        // Not `yield`: under the thread sanitizer Swift 6.3 takes that for an escape.
        unsafeAddress { unsafe UnsafePointer(pointer) }
        unsafeMutableAddress { unsafe pointer }
    }
}

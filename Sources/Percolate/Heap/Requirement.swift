/// Ends the process with `reason` unless `condition` holds: a caller's error. Unlike `precondition`, it says the reason in release builds
/// too.
@inline(__always)
func require(_ condition: Bool, _ reason: @autoclosure () -> String) {
    if !condition { fatalError(reason()) }
}

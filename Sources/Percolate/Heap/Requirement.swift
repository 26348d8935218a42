/// Ends the process with `reason`, at the caller's line, unless `condition` holds: a caller's
/// error. Unlike `precondition`, it says the reason in release builds too.
@inlinable @inline(__always)
func require(
    _ condition: Bool, _ reason: @autoclosure () -> String, _ file: StaticString = #fileID, _ line: UInt = #line
) {
    if !condition { endForMisuse(reason(), file, line) }
}

/// Out of line, so that a check costs its caller a comparison and a branch.
@usableFromInline @inline(never)
func endForMisuse(_ reason: String, _ file: StaticString, _ line: UInt) -> Never {
    fatalError(reason, file: file, line: line)
}

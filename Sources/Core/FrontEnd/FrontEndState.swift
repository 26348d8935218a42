/// This layer's part of a heap's state (`PlatformState`).
struct FrontEndState: ~Copyable {
    private var below: MiddleState
    var frontEnd: FrontEnd.State
    var countdown: Countdown.State
}

@inline(__always)
var frontEndState: UnsafeMutablePointer<FrontEndState> { pointer(heapAddress) }

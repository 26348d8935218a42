/// This layer's part of a heap's state (`PlatformState`).
struct SamplingState: ~Copyable {
    private var below: HardenedState
    var tables: SampleTables.State
    var guardedBlocks: GuardedBlocks.State
    /// First record of a sample that is free again; 0 for none.
    var firstFreeSample: UInt32
    /// Records that have ended, whose last owner the lock of the samples refused.
    let endedSamples: NumberStack
    /// Where the rules of frames that were found lately lie (`FrameRuleCache`), once there are
    /// tables.
    var frameRules: UInt
    var leakReport: LeakReport.State
}

@inline(__always)
var samplingState: UnsafeMutablePointer<SamplingState> { pointer(heapAddress) }

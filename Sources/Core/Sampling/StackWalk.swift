import CPercolate

/// The stack of the calling thread, from inside the allocator.
///
/// Nothing here allocates, takes a lock or faults, so that it can run in `malloc` wherever that was
/// called, in signal handlers too. A frame is left by the unwinding information of its code where
/// there is some, else by its frame pointer, as in code that was compiled at run time. The walk
/// ends at the first thing that makes no sense: a caller's frame lies above its callee's.
struct StackWalk {
    private var reader: StackReader
    private var code: UInt
    private var stack: UInt
    private var framePointer: UInt
    private var hasFramePointer = true
    /// Whether `code` is the instruction that goes on, and not the one behind a call.
    private var isInterrupted = false

    /// Writes at most `limit` return addresses to `frames`, innermost first, without those of the
    /// allocator. Returns how many.
    @inline(never)
    static func callers(into frames: UnsafeMutablePointer<UInt64>, limit: Int) -> Int {
        var walk = StackWalk(frame: percolate_frame_address())
        var own = percolate_object()
        let hasOwn = percolate_is_shared_object() && percolate_find_object(walk.code, &own)
        var count = 0
        var isOutside = !hasOwn
        var steps = 0
        while count < limit, steps < limit &+ 32 {
            steps &+= 1
            if !isOutside { isOutside = walk.code < own.start || walk.code >= own.end }
            if isOutside {
                // What interrupted code goes on with is named as if it were behind a call: readers
                // look one byte back.
                frames[count] = UInt64(walk.isInterrupted ? walk.code &+ 1 : walk.code)
                count &+= 1
            }
            guard walk.step() else { break }
        }
        return count
    }

    /// The same of code that a signal handler of the calling thread interrupted; the first frame is
    /// that code.
    static func interrupted(
        code: UInt, stack: UInt, framePointer: UInt, into frames: UnsafeMutablePointer<UInt64>, limit: Int
    ) -> Int {
        var walk = StackWalk(frame: percolate_frame_address())
        walk.code = code
        walk.stack = stack
        walk.framePointer = framePointer
        walk.isInterrupted = true
        var count = 0
        while count < limit {
            frames[count] = UInt64(walk.isInterrupted ? walk.code &+ 1 : walk.code)
            count &+= 1
            guard walk.step() else { break }
        }
        return count
    }

    private init(frame: UInt) {
        reader = StackReader(frame: frame)
        code = percolate_code_address(reader.word(at: frame &+ 8) ?? 0)
        stack = frame &+ 16
        framePointer = reader.word(at: frame) ?? 0
    }

    /// Goes to the caller. False where there is none.
    private mutating func step() -> Bool {
        let place = isInterrupted ? code : code &- 1
        if let rule = FrameRuleCache.rule(at: place) { return leave(by: rule) }
        if isSignalReturn() { return leaveSignalFrame() }
        let rule = FrameInformation.rule(at: place)
        FrameRuleCache.keep(rule, at: place)
        return leave(by: rule)
    }

    private mutating func leave(by rule: FrameRule) -> Bool {
        switch rule.kind {
        case .outermost: return false
        case .unknown: return leaveByFramePointer()
        case .plain, .indirect: break
        }
        guard hasFramePointer || !rule.usesFramePointer else { return false }
        var frame = (rule.usesFramePointer ? framePointer : stack) &+ UInt(bitPattern: rule.frameOffset)
        if rule.kind == .indirect {
            guard let target = reader.word(at: frame) else { return false }
            frame = target
        }
        switch rule.savedPointer {
        case .kept: break
        case .lost: hasFramePointer = false
        case .atFrame: loadFramePointer(frame &+ UInt(bitPattern: rule.savedOffset))
        case .atPointer: loadFramePointer(framePointer &+ UInt(bitPattern: rule.savedOffset))
        }
        return goTo(frame)
    }

    private mutating func loadFramePointer(_ address: UInt) {
        guard let value = reader.word(at: address) else {
            hasFramePointer = false
            return
        }
        framePointer = value
        hasFramePointer = true
    }

    private mutating func leaveByFramePointer() -> Bool {
        let frame = framePointer
        guard hasFramePointer, frame >= stack, frame & 7 == 0, frame &- stack < 1 << 20 else { return false }
        loadFramePointer(frame)
        return hasFramePointer && goTo(frame &+ 16)
    }

    /// The caller's return address lies below `frame`, its stack pointer was there.
    private mutating func goTo(_ frame: UInt) -> Bool {
        guard frame > stack, let next = reader.word(at: frame &- 8), next > 4096 else { return false }
        stack = frame
        code = percolate_code_address(next)
        isInterrupted = false
        return true
    }

    /// Whether the frame is that of a signal handler's caller, the kernel: its code is `mov $15,
    /// %rax; syscall` (rt_sigreturn).
    private func isSignalReturn() -> Bool {
        #if arch(x86_64)
            guard percolate_is_readable(code), percolate_is_readable(code &+ 8) else { return false }
            return percolate_load64(code) == 0x0f_0000_000f_c0c7_48 && percolate_load8(code &+ 8) == 0x05
        #else
            return false
        #endif
    }

    /// The interrupted registers lie on the stack: `ucontext_t`, whose general registers begin at
    /// byte 40; RBP, RSP and RIP are numbers 10, 15 and 16. A handler may run on a stack of its
    /// own, so the interrupted one may lie anywhere.
    private mutating func leaveSignalFrame() -> Bool {
        let registers = stack &+ 40
        guard let pointer = reader.word(at: registers &+ 10 &* 8), let top = reader.word(at: registers &+ 15 &* 8),
            let next = reader.word(at: registers &+ 16 &* 8), next > 4096
        else { return false }
        framePointer = pointer
        hasFramePointer = true
        stack = top
        code = next
        isInterrupted = true
        return true
    }
}

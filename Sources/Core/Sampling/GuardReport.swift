import CPercolate
import Synchronization

/// What a misuse of a guarded block has to say before the process ends: what was done, to which
/// block, and the stacks of its allocation, of its end, and of the use.
enum GuardReport {
    enum Use { case free, sizedFree, alignedFree, resize, usableSize }

    /// A fault at `address`. Returns where that is none of ours.
    static func fault(_ address: UInt, isWrite: Bool, code: UInt, stack: UInt, framePointer: UInt) {
        guard GuardedBlocks.owns(address) else { return }
        let number = GuardedBlocks.number(of: address)
        let slot = GuardedBlocks.slots[number]
        let state = slot.pointee.state.load(ordering: .acquiring)
        let block = slot.pointee.block
        var what: StaticString = isWrite ? "wild write" : "wild read"
        if state == GuardedBlocks.Slot.freed {
            what = isWrite ? "use after free (write)" : "use after free (read)"
        } else if state == GuardedBlocks.Slot.live {
            if address >= block {
                what = isWrite ? "buffer overflow (write)" : "buffer overflow (read)"
            } else {
                what = isWrite ? "buffer underflow (write)" : "buffer underflow (read)"
            }
        }
        headline(what, address, slot: number)
        Sampling.withStack { frames in
            let depth = StackWalk.interrupted(
                code: code, stack: stack, framePointer: framePointer, into: frames,
                limit: Int(PERCOLATE_SAMPLE_FRAMES))
            SampleStory.write("used", by: Int32(truncatingIfNeeded: percolate_gettid()))
            StackText.write(frames, depth: depth, to: 2)
        }
        finish(slot: number)
    }

    /// A call of the allocator with something that is no live block of its slot.
    static func misuse(_ address: UInt, _ use: Use, state: UInt32, slot number: Int) -> Never {
        let block = GuardedBlocks.slots[number].pointee.block
        var what: StaticString = "interior pointer"
        if block == address {
            switch use {
            case .free: what = "double free"
            case .sizedFree: what = state == GuardedBlocks.Slot.live ? "wrong size" : "double free"
            case .alignedFree: what = "wrong alignment"
            case .resize, .usableSize: what = "use after free"
            }
        }
        headline(what, address, slot: number)
        finishHere(slot: number)
    }

    /// Bytes behind the block were changed, which its end found out.
    static func overflow(_ address: UInt, slot number: Int) -> Never {
        headline("buffer overflow (write, found later)", address, slot: number)
        finishHere(slot: number)
    }

    private static func finishHere(slot number: Int) -> Never {
        SampleStory.writeFinder()
        finish(slot: number)
    }

    private static func headline(_ what: StaticString, _ address: UInt, slot number: Int) {
        let slot = GuardedBlocks.slots[number]
        let block = slot.pointee.block
        var line = TextLine()
        line.append("percolate: ")
        line.append(what)
        line.append(": ")
        line.append(hexadecimal: address)
        if block != 0 {
            line.append(", ")
            let end = block &+ UInt(slot.pointee.size)
            if address >= end {
                line.append(address &- end)
                line.append(" bytes after the end of")
            } else if address >= block {
                line.append(address &- block)
                line.append(" bytes inside")
            } else {
                line.append(block &- address)
                line.append(" bytes before")
            }
            line.append(" the guarded block of ")
            line.append(slot.pointee.size)
            line.append(" bytes at ")
            line.append(hexadecimal: block)
        }
        line.append("\n")
        _ = line.write(to: 2)
    }

    private static func finish(slot number: Int) -> Never {
        let slot = GuardedBlocks.slots[number]
        if slot.pointee.block != 0, slot.pointee.record != 0 {
            SampleStory.write(SampleTables.record(slot.pointee.record).pointee)
        }
        Visit.endForReport()
        percolate_error()
    }
}

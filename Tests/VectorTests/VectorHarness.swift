import CPercolate
import Foundation

@testable import PercolateCoreHosted

/// What a vector came to: what `cpu_opv` returns, or the error that it would leave in `errno`.
enum VectorResult: Equatable, CustomStringConvertible {
    case done
    /// The compare at this index stopped it.
    case stopped(at: Int)
    case failed(Int32)

    init(_ value: Int) {
        self = value < 0 ? .failed(Int32(-value)) : value == 0 ? .done : .stopped(at: value - 1)
    }

    var description: String {
        switch self {
        case .done: "done"
        case .stopped(let index): "stopped at \(index)"
        case .failed(let error): String(cString: strerror(error))
        }
    }
}

/// Runs `vector` as `cpu_opv` would. `count` and `flags` are what a caller may get wrong.
func run(
    _ vector: [cpu_op], count: Int? = nil, cpu: Int32 = 0, flags: Int32 = 0,
    on which: percolate_vector_cpu = PERCOLATE_VECTOR_ALLOWED_CPU
) -> VectorResult {
    return VectorResult(raw(vector, count: count ?? vector.count, cpu: cpu, flags: flags, on: which))
}

/// The plain number that the entry returns.
func raw(
    _ vector: [cpu_op], count: Int, cpu: Int32, flags: Int32, on which: percolate_vector_cpu
) -> Int {
    withUnsafeTemporaryAllocation(of: cpu_op.self, capacity: Int(CPU_OP_VEC_LEN_MAX)) { copy in
        vector.withUnsafeBufferPointer {
            runVector($0.baseAddress, copy.baseAddress!, Int32(truncatingIfNeeded: count), cpu, flags, which)
        }
    }
}

/// Memory mapped for one test, page aligned, whose pages' protection can be changed one by one.
final class Pages {
    static let size = 4096
    let start: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int) {
        self.count = count
        start = mmap(nil, count * Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    }

    deinit { munmap(start, count * Self.size) }

    func address(_ offset: Int = 0) -> UInt64 { UInt64(UInt(bitPattern: start + offset)) }

    func protect(page: Int, _ protection: Int32) { mprotect(start + page * Self.size, Self.size, protection) }

    func unmap(page: Int) { munmap(start + page * Self.size, Self.size) }

    subscript(offset: Int) -> UInt8 {
        get { start.load(fromByteOffset: offset, as: UInt8.self) }
        set { start.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self) }
    }

    func value<Value: BitwiseCopyable>(_ offset: Int, as type: Value.Type) -> Value {
        start.loadUnaligned(fromByteOffset: offset, as: type)
    }

    func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        start.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }
}

func compare(
    _ type: cpu_op_type, _ a: UInt64, _ b: UInt64, _ len: UInt32, expectFaultA: UInt8 = 0, expectFaultB: UInt8 = 0
) -> cpu_op {
    var operation = cpu_op()
    operation.op = Int32(type.rawValue)
    operation.len = len
    operation.u.compare_op.a = a
    operation.u.compare_op.b = b
    operation.u.compare_op.expect_fault_a = expectFaultA
    operation.u.compare_op.expect_fault_b = expectFaultB
    return operation
}

func copy(
    to destination: UInt64, from source: UInt64, _ len: UInt32, type: cpu_op_type = CPU_MEMCPY_OP,
    expectFaultDestination: UInt8 = 0, expectFaultSource: UInt8 = 0
) -> cpu_op {
    var operation = cpu_op()
    operation.op = Int32(type.rawValue)
    operation.len = len
    operation.u.memcpy_op.dst = destination
    operation.u.memcpy_op.src = source
    operation.u.memcpy_op.expect_fault_dst = expectFaultDestination
    operation.u.memcpy_op.expect_fault_src = expectFaultSource
    return operation
}

func add(_ address: UInt64, _ count: Int64, _ len: UInt32, type: cpu_op_type = CPU_ADD_OP, expectFault: UInt8 = 0)
    -> cpu_op
{
    var operation = cpu_op()
    operation.op = Int32(type.rawValue)
    operation.len = len
    operation.u.arithmetic_op.p = address
    operation.u.arithmetic_op.count = count
    operation.u.arithmetic_op.expect_fault_p = expectFault
    return operation
}

func bitwise(_ type: cpu_op_type, _ address: UInt64, _ mask: UInt64, _ len: UInt32, expectFault: UInt8 = 0) -> cpu_op {
    var operation = cpu_op()
    operation.op = Int32(type.rawValue)
    operation.len = len
    operation.u.bitwise_op.p = address
    operation.u.bitwise_op.mask = mask
    operation.u.bitwise_op.expect_fault_p = expectFault
    return operation
}

func shift(_ type: cpu_op_type, _ address: UInt64, _ bits: UInt32, _ len: UInt32, expectFault: UInt8 = 0) -> cpu_op {
    var operation = cpu_op()
    operation.op = Int32(type.rawValue)
    operation.len = len
    operation.u.shift_op.p = address
    operation.u.shift_op.bits = bits
    operation.u.shift_op.expect_fault_p = expectFault
    return operation
}

func barrier(len: UInt32 = 0) -> cpu_op {
    var operation = cpu_op()
    operation.op = Int32(CPU_MB_OP.rawValue)
    operation.len = len
    return operation
}

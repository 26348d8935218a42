// The layout of struct cpu_op is an ABI: what a caller compiled years ago must still mean the same
// bytes.

#include <percolate/cpu_opv.h>
#include <stddef.h>

#define FIELD_IS_AT(field, offset, size)                                                                  \
    _Static_assert(offsetof(struct cpu_op, field) == (offset), #field " is at " #offset);                 \
    _Static_assert(sizeof(((struct cpu_op *)0)->field) == (size), #field " takes " #size " bytes")

_Static_assert(sizeof(struct cpu_op) == 32, "arrays have a stride of 32 bytes");
_Static_assert(_Alignof(struct cpu_op) == _Alignof(uint64_t), "64-bit members decide the alignment");
_Static_assert(CPU_OP_VEC_DATA_LEN_MAX == 4216, "one operation of 4096 bytes and fifteen of eight");

FIELD_IS_AT(op, 0, 4);
FIELD_IS_AT(len, 4, 4);
FIELD_IS_AT(u, 8, 24);
FIELD_IS_AT(u.compare_op.a, 8, 8);
FIELD_IS_AT(u.compare_op.b, 16, 8);
FIELD_IS_AT(u.compare_op.expect_fault_a, 24, 1);
FIELD_IS_AT(u.compare_op.expect_fault_b, 25, 1);
FIELD_IS_AT(u.memcpy_op.dst, 8, 8);
FIELD_IS_AT(u.memcpy_op.src, 16, 8);
FIELD_IS_AT(u.memcpy_op.expect_fault_dst, 24, 1);
FIELD_IS_AT(u.memcpy_op.expect_fault_src, 25, 1);
FIELD_IS_AT(u.arithmetic_op.p, 8, 8);
FIELD_IS_AT(u.arithmetic_op.count, 16, 8);
FIELD_IS_AT(u.arithmetic_op.expect_fault_p, 24, 1);
FIELD_IS_AT(u.bitwise_op.p, 8, 8);
FIELD_IS_AT(u.bitwise_op.mask, 16, 8);
FIELD_IS_AT(u.bitwise_op.expect_fault_p, 24, 1);
FIELD_IS_AT(u.shift_op.p, 8, 8);
FIELD_IS_AT(u.shift_op.bits, 16, 4);
FIELD_IS_AT(u.shift_op.expect_fault_p, 20, 1);
FIELD_IS_AT(u.padding, 8, 24);

_Static_assert(CPU_COMPARE_EQ_OP == 0 && CPU_COMPARE_NE_OP == 1 && CPU_MEMCPY_OP == 2 && CPU_ADD_OP == 3, "numbers");
_Static_assert(CPU_OR_OP == 4 && CPU_AND_OP == 5 && CPU_XOR_OP == 6 && CPU_LSHIFT_OP == 7, "numbers");
_Static_assert(CPU_RSHIFT_OP == 8 && CPU_MB_OP == 9, "numbers");
_Static_assert(CPU_MEMCPY_RELEASE_OP == 10 && CPU_ADD_RELEASE_OP == 11 && NR_CPU_OPS == 12, "appended operations");

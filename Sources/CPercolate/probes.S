// The probes of `percolate/probes.h`: for each a function, called only while a tracer listens, that
// does nothing but pass an instruction where tracers stop the thread; the semaphore that they
// raise; and the note that tells them of both.
//
// The note's form is that of SystemTap's <sys/sdt.h> ("User Space Probe Implementation",
// sourceware.org/systemtap/wiki). It is written here, so that whether a build has probes does not
// depend on that header being installed. Arguments are in registers, where the calling convention
// puts them: a sample of the registers holds them all, and every tracer can read them.

// An argument in the note's words: size in bytes, negative when signed, and register.
#if defined(__x86_64__)
#define S4_0 -4@%edi
#define S4_1 -4@%esi
#define S4_2 -4@%edx
#define S4_3 -4@%ecx
#define S4_5 -4@%r9d
#define S4_6 -4@%eax
#define U4_2 4@%edx
#define U8_0 8@%rdi
#define U8_1 8@%rsi
#define S8_1 -8@%rsi
#define U8_2 8@%rdx
#define U8_3 8@%rcx
#define U8_4 8@%r8
#define U8_7 8@%r10
#elif defined(__aarch64__)
#define S4_0 -4@x0
#define S4_1 -4@x1
#define S4_2 -4@x2
#define S4_3 -4@x3
#define S4_5 -4@x5
#define S4_6 -4@x6
#define U4_2 4@x2
#define U8_0 8@x0
#define U8_1 8@x1
#define S8_1 -8@x1
#define U8_2 8@x2
#define U8_3 8@x3
#define U8_4 8@x4
#define U8_7 8@x7
#else
#error "no registers of arguments for this architecture"
#endif
#define TEXT(...) #__VA_ARGS__
#define ARGUMENTS(...) TEXT(__VA_ARGS__)

// The name that the notes' owner is known by, and the number of a note that describes a probe.
#define OWNER "stapsdt"
#define OWNER_SIZE 8
#define NOTE_TYPE 3

    // Tracers compare this address with the one in the notes, to see whether the file's sections
    // were moved after linking. Only notes refer to it, which the linker's garbage collection does
    // not follow: "R" keeps it.
    .section .stapsdt.base, "aGR", @progbits, .stapsdt.base, comdat
    .weak _.stapsdt.base
    .hidden _.stapsdt.base
_.stapsdt.base:
    .space 1
    .size _.stapsdt.base, 1

    .text

// Brings the seventh and eighth argument, where they came on the stack, into registers.
.macro LOAD_STACK_ARGUMENTS
#if defined(__x86_64__)
    movl 8(%rsp), %eax
    movq 16(%rsp), %r10
#endif
.endm

.macro PROBE name, arguments, load
    .pushsection .probes, "aw", @progbits
    .balign 2
    .globl percolate_\name\()_semaphore
    .hidden percolate_\name\()_semaphore
    .type percolate_\name\()_semaphore, @object
    .size percolate_\name\()_semaphore, 2
percolate_\name\()_semaphore:
    .short 0
    .popsection
    .p2align 4
    .globl percolate_trace_\name
    .hidden percolate_trace_\name
    .type percolate_trace_\name, @function
percolate_trace_\name:
    .cfi_startproc
    \load
.L\name\()_probe:
    nop
    ret
    .cfi_endproc
    .size percolate_trace_\name, . - percolate_trace_\name
    .pushsection .note.stapsdt, "", @note
    .balign 4
    .long OWNER_SIZE, .L\name\()_note_end - .L\name\()_note, NOTE_TYPE
    .asciz OWNER
.L\name\()_note:
    .quad .L\name\()_probe, _.stapsdt.base, percolate_\name\()_semaphore
    .asciz "percolate"
    .asciz "\name"
    .asciz "\arguments"
.L\name\()_note_end:
    .balign 4
    .popsection
.endm

PROBE vec_begin, ARGUMENTS(U8_0 S4_1 S4_2 S4_3)
PROBE op, ARGUMENTS(S4_0 S4_1 U4_2 U8_3 U8_4 S4_5 S4_6 U8_7), LOAD_STACK_ARGUMENTS
PROBE vec_end, ARGUMENTS(S4_0 S8_1 U8_2)
PROBE move, ARGUMENTS(S4_0 U8_1 U8_2)
PROBE gate_close, ARGUMENTS(S4_0 U8_1 S4_2 U8_3)
PROBE gate_open, ARGUMENTS(S4_0 U8_1)
PROBE percpu_fallback, ARGUMENTS(S4_0 U8_1 S4_2)
PROBE section_abort, ARGUMENTS(S4_0 S4_1)
PROBE refill, ARGUMENTS(S4_0 U8_1 U8_2)
PROBE drain, ARGUMENTS(S4_0 U8_1 U8_2)
PROBE steal, ARGUMENTS(S4_0 S4_1 U8_2)
PROBE span_allocate, ARGUMENTS(U8_0 U8_1 U8_2)
PROBE span_free, ARGUMENTS(U8_0 U8_1 U8_2)
PROBE release, ARGUMENTS(U8_0 U8_1)
    .section .note.GNU-stack, "", @progbits

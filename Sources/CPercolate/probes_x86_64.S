// The probes of `percolate/probes.h`: for each a function, called only while a tracer listens, that does nothing but pass an
// instruction where tracers stop the thread; the semaphore that they raise; and the note that tells them of both.
//
// The note's form is that of SystemTap's <sys/sdt.h> ("User Space Probe Implementation", sourceware.org/systemtap/wiki). It is
// written here, so that whether a build has probes does not depend on that header being installed. Arguments are in registers,
// where the calling convention puts them: a sample of the registers holds them all, and every tracer can read them.
#if defined(__x86_64__)

// The name that the notes' owner is known by, and the number of a note that describes a probe.
#define OWNER "stapsdt"
#define OWNER_SIZE 8
#define NOTE_TYPE 3

    // Tracers compare this address with the one in the notes, to see whether the file's sections were moved after linking. Only
    // notes refer to it, which the linker's garbage collection does not follow: "R" keeps it.
    .section .stapsdt.base, "aGR", @progbits, .stapsdt.base, comdat
    .weak _.stapsdt.base
    .hidden _.stapsdt.base
_.stapsdt.base:
    .space 1
    .size _.stapsdt.base, 1

    .text

// Brings the seventh and eighth argument, which came on the stack, into registers.
.macro LOAD_STACK_ARGUMENTS
    movl 8(%rsp), %eax
    movq 16(%rsp), %r10
.endm

// \arguments in the note's words: size in bytes, negative when signed, and register.
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

PROBE vec_begin, "8@%rdi -4@%esi -4@%edx -4@%ecx"
PROBE op, "-4@%edi -4@%esi 4@%edx 8@%rcx 8@%r8 -4@%r9d -4@%eax 8@%r10", LOAD_STACK_ARGUMENTS
PROBE vec_end, "-4@%edi -8@%rsi 8@%rdx"
PROBE move, "-4@%edi 8@%rsi 8@%rdx"
PROBE gate_close, "-4@%edi 8@%rsi -4@%edx 8@%rcx"
PROBE gate_open, "-4@%edi 8@%rsi"
PROBE percpu_fallback, "-4@%edi 8@%rsi -4@%edx"
PROBE section_abort, "-4@%edi -4@%esi"
PROBE refill, "-4@%edi 8@%rsi 8@%rdx"
PROBE drain, "-4@%edi 8@%rsi 8@%rdx"
PROBE steal, "-4@%edi -4@%esi 8@%rdx"
PROBE span_allocate, "8@%rdi 8@%rsi 8@%rdx"
PROBE span_free, "8@%rdi 8@%rsi 8@%rdx"
PROBE release, "8@%rdi 8@%rsi"
#endif
    .section .note.GNU-stack, "", @progbits

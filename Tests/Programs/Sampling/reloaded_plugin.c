/// A function with a frame of FRAME bytes, which returns a block: builds with other sizes have the
/// same addresses.
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

__asm__("    .text\n"
        "    .globl work\n"
        "    .type work, @function\n"
        "work:\n"
        "    .cfi_startproc\n"
        "    subq $" TEXT(FRAME) ", %rsp\n"
        "    .cfi_adjust_cfa_offset " TEXT(FRAME) "\n"
        "    movl $123, %edi\n"
        "    call malloc@PLT\n"
        "    addq $" TEXT(FRAME) ", %rsp\n"
        "    .cfi_adjust_cfa_offset -" TEXT(FRAME) "\n"
        "    ret\n"
        "    .cfi_endproc\n"
        "    .size work, . - work\n");

/// A program for 32-bit x86 that needs no C library: writes a line and exits with status 7.
__asm__(".globl _start\n"
        "_start:\n"
        "movl $4, %eax\n movl $1, %ebx\n movl $message, %ecx\n movl $6, %edx\n int $0x80\n"
        "movl $1, %eax\n movl $7, %ebx\n int $0x80\n"
        "message: .ascii \"hello\\n\"\n");

// SPDX-License-Identifier: Apache-2.0
/* io/fiber_switch.S - void fiber_context_switch(struct fiber_context *from, struct fiber_context *to)
 *
 * Saves what a called function must preserve on the stack it leaves, and takes the same off the
 * stack it goes to. The floating point control words are the process's, nobody changes them, so
 * they stay. The CFI lets debuggers and sanitizers walk through a switch; a fiber's first frame has
 * no return address, which ends their walk.
 *
 * No property note says that a shadow stack would be followed: it would not, and the linker then
 * leaves it off for the whole program. */
#ifndef FIBER_UCONTEXT

#if defined(__x86_64__)

        .text
        .p2align 4
        .globl  fiber_context_switch
        .hidden fiber_context_switch
        .type   fiber_context_switch, @function
fiber_context_switch:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0

        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp            /* the other stack has the same shape: the CFI still holds */

        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   fiber_context_switch, . - fiber_context_switch

/* Where a new fiber begins: r13 is its function, r12 the argument (fiber_switch.c). */
        .p2align 4
        .globl  fiber_context_start
        .hidden fiber_context_start
        .type   fiber_context_start, @function
fiber_context_start:
        .cfi_startproc
        .cfi_undefined %rip
        endbr64
        movq    %r12, %rdi
        xorl    %ebp, %ebp
        callq   *%r13
        ud2
        .cfi_endproc
        .size   fiber_context_start, . - fiber_context_start

#elif defined(__aarch64__)

        .text
        .p2align 4
        .globl  fiber_context_switch
        .hidden fiber_context_switch
        .type   fiber_context_switch, %function
fiber_context_switch:
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88

        mov     x9, sp
        str     x9, [x0]
        ldr     x9, [x1]
        mov     sp, x9                  /* the other stack has the same shape: the CFI still holds */

        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   fiber_context_switch, . - fiber_context_switch

/* Where a new fiber begins: x19 is its function, x20 the argument (fiber_switch.c). */
        .p2align 4
        .globl  fiber_context_start
        .hidden fiber_context_start
        .type   fiber_context_start, %function
fiber_context_start:
        .cfi_startproc
        .cfi_undefined x30
        hint    #36                     /* bti j */
        mov     x0, x20
        mov     x29, xzr
        mov     x30, xzr
        blr     x19
        brk     #0
        .cfi_endproc
        .size   fiber_context_start, . - fiber_context_start

#endif
#endif
        .section .note.GNU-stack, "", %progbits

#include "textflag.h"

#define SYS_clone 56

// func clone(flags uintptr, calls *call) int
TEXT ·clone(SB), NOSPLIT, $0-24
	MOVQ flags+0(FP), DI
	MOVQ calls+8(FP), R12
	XORL SI, SI
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $SYS_clone, AX
	SYSCALL
	TESTQ AX, AX
	JEQ  child
	MOVQ AX, ret+16(FP)
	RET

child:
	MOVQ 0(R12), AX
	MOVQ 8(R12), DI
	MOVQ 16(R12), SI
	MOVQ 24(R12), DX
	MOVQ 32(R12), R10
	MOVQ 40(R12), R8
	ADDQ $48, R12
	SYSCALL
	JMP  child

#include "textflag.h"

#define SYS_clone 220

// func clone(flags uintptr, calls *call) int
TEXT ·clone(SB), NOSPLIT, $0-24
	MOVD flags+0(FP), R0
	MOVD calls+8(FP), R19
	MOVD ZR, R1
	MOVD ZR, R2
	MOVD ZR, R3
	MOVD ZR, R4
	MOVD $SYS_clone, R8
	SVC
	CBZ  R0, child
	MOVD R0, ret+16(FP)
	RET

child:
	MOVD 0(R19), R8
	MOVD 8(R19), R0
	MOVD 16(R19), R1
	MOVD 24(R19), R2
	MOVD 32(R19), R3
	MOVD 40(R19), R4
	ADD  $48, R19
	SVC
	JMP  child

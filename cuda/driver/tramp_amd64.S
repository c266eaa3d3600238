//go:build gpu && cgo && linux && amd64

// Written by go run ./cuda/driver/gen from syms.txt; do not edit.

// The first call of a function comes here with the number of its slot pushed. It resolves the slot, with the arguments
// in registers saved, and goes on to the function as if it had been called directly.
	.text
	.hidden gg_cuda_slots
	.hidden gg_cuda_resolve
gg_tramp_slow:
	pushq %rbp
	movq %rsp, %rbp
	andq $-16, %rsp
	subq $96, %rsp
	movq %rdi, 0(%rsp)
	movq %rsi, 8(%rsp)
	movq %rdx, 16(%rsp)
	movq %rcx, 24(%rsp)
	movq %r8, 32(%rsp)
	movq %r9, 40(%rsp)
	movups %xmm0, 48(%rsp)
	movups %xmm1, 64(%rsp)
	movq 8(%rbp), %rdi
	call gg_cuda_resolve
	movq %rax, %r11
	movq 0(%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq 24(%rsp), %rcx
	movq 32(%rsp), %r8
	movq 40(%rsp), %r9
	movups 48(%rsp), %xmm0
	movups 64(%rsp), %xmm1
	leave
	addq $8, %rsp
	jmp *%r11

	.macro TRAMP name idx
	.globl \name
	.type \name, @function
\name:
	movq gg_cuda_slots+8*\idx(%rip), %r11
	testq %r11, %r11
	jz 1f
	jmp *%r11
1:	pushq $\idx
	jmp gg_tramp_slow
	.size \name, .-\name
	.endm
	TRAMP cuArray3DCreate_v2 0
	TRAMP cuArray3DGetDescriptor_v2 1
	TRAMP cuArrayCreate_v2 2
	TRAMP cuArrayDestroy 3
	TRAMP cuArrayGetDescriptor_v2 4
	TRAMP cuCtxCreate_v2 5
	TRAMP cuCtxDestroy_v2 6
	TRAMP cuCtxDisablePeerAccess 7
	TRAMP cuCtxEnablePeerAccess 8
	TRAMP cuCtxGetApiVersion 9
	TRAMP cuCtxGetCacheConfig 10
	TRAMP cuCtxGetCurrent 11
	TRAMP cuCtxGetDevice 12
	TRAMP cuCtxGetFlags 13
	TRAMP cuCtxGetLimit 14
	TRAMP cuCtxGetSharedMemConfig 15
	TRAMP cuCtxGetStreamPriorityRange 16
	TRAMP cuCtxPopCurrent_v2 17
	TRAMP cuCtxPushCurrent_v2 18
	TRAMP cuCtxResetPersistingL2Cache 19
	TRAMP cuCtxSetCacheConfig 20
	TRAMP cuCtxSetCurrent 21
	TRAMP cuCtxSetLimit 22
	TRAMP cuCtxSetSharedMemConfig 23
	TRAMP cuCtxSynchronize 24
	TRAMP cuDeviceCanAccessPeer 25
	TRAMP cuDeviceGet 26
	TRAMP cuDeviceGetAttribute 27
	TRAMP cuDeviceGetCount 28
	TRAMP cuDeviceGetDefaultMemPool 29
	TRAMP cuDeviceGetName 30
	TRAMP cuDeviceGetP2PAttribute 31
	TRAMP cuDeviceGetUuid 32
	TRAMP cuDeviceGetUuid_v2 33
	TRAMP cuDevicePrimaryCtxGetState 34
	TRAMP cuDevicePrimaryCtxRelease_v2 35
	TRAMP cuDevicePrimaryCtxReset_v2 36
	TRAMP cuDevicePrimaryCtxRetain 37
	TRAMP cuDevicePrimaryCtxSetFlags_v2 38
	TRAMP cuDeviceTotalMem_v2 39
	TRAMP cuDriverGetVersion 40
	TRAMP cuEventCreate 41
	TRAMP cuEventDestroy_v2 42
	TRAMP cuEventElapsedTime 43
	TRAMP cuEventElapsedTime_v2 44
	TRAMP cuEventQuery 45
	TRAMP cuEventRecord 46
	TRAMP cuEventSynchronize 47
	TRAMP cuFuncGetAttribute 48
	TRAMP cuFuncSetAttribute 49
	TRAMP cuFuncSetCacheConfig 50
	TRAMP cuFuncSetSharedMemConfig 51
	TRAMP cuGetErrorName 52
	TRAMP cuGetErrorString 53
	TRAMP cuGraphAddChildGraphNode 54
	TRAMP cuGraphAddDependencies 55
	TRAMP cuGraphAddEmptyNode 56
	TRAMP cuGraphAddHostNode 57
	TRAMP cuGraphAddKernelNode 58
	TRAMP cuGraphAddKernelNode_v2 59
	TRAMP cuGraphAddMemcpyNode 60
	TRAMP cuGraphAddMemsetNode 61
	TRAMP cuGraphClone 62
	TRAMP cuGraphCreate 63
	TRAMP cuGraphDebugDotPrint 64
	TRAMP cuGraphDestroy 65
	TRAMP cuGraphDestroyNode 66
	TRAMP cuGraphExecDestroy 67
	TRAMP cuGraphExecKernelNodeSetParams_v2 68
	TRAMP cuGraphExecUpdate_v2 69
	TRAMP cuGraphGetEdges 70
	TRAMP cuGraphInstantiateWithFlags 71
	TRAMP cuGraphLaunch 72
	TRAMP cuGraphUpload 73
	TRAMP cuLaunchCooperativeKernel 74
	TRAMP cuLaunchHostFunc 75
	TRAMP cuLaunchKernel 76
	TRAMP cuLaunchKernelEx 77
	TRAMP cuLinkAddData_v2 78
	TRAMP cuLinkAddFile_v2 79
	TRAMP cuLinkComplete 80
	TRAMP cuLinkCreate_v2 81
	TRAMP cuLinkDestroy 82
	TRAMP cuMemAdvise 83
	TRAMP cuMemAllocAsync 84
	TRAMP cuMemAllocManaged 85
	TRAMP cuMemAllocPitch_v2 86
	TRAMP cuMemAlloc_v2 87
	TRAMP cuMemFreeAsync 88
	TRAMP cuMemFreeHost 89
	TRAMP cuMemFree_v2 90
	TRAMP cuMemGetAddressRange_v2 91
	TRAMP cuMemGetInfo_v2 92
	TRAMP cuMemHostAlloc 93
	TRAMP cuMemHostRegister_v2 94
	TRAMP cuMemHostUnregister 95
	TRAMP cuMemPoolSetAttribute 96
	TRAMP cuMemPoolTrimTo 97
	TRAMP cuMemPrefetchAsync 98
	TRAMP cuMemcpy 99
	TRAMP cuMemcpy2DAsync_v2 100
	TRAMP cuMemcpy2DUnaligned_v2 101
	TRAMP cuMemcpy2D_v2 102
	TRAMP cuMemcpy3DAsync_v2 103
	TRAMP cuMemcpy3DPeer 104
	TRAMP cuMemcpy3DPeerAsync 105
	TRAMP cuMemcpy3D_v2 106
	TRAMP cuMemcpyAsync 107
	TRAMP cuMemcpyAtoA_v2 108
	TRAMP cuMemcpyAtoD_v2 109
	TRAMP cuMemcpyAtoHAsync_v2 110
	TRAMP cuMemcpyAtoH_v2 111
	TRAMP cuMemcpyDtoA_v2 112
	TRAMP cuMemcpyDtoDAsync_v2 113
	TRAMP cuMemcpyDtoD_v2 114
	TRAMP cuMemcpyDtoHAsync_v2 115
	TRAMP cuMemcpyDtoH_v2 116
	TRAMP cuMemcpyHtoAAsync_v2 117
	TRAMP cuMemcpyHtoA_v2 118
	TRAMP cuMemcpyHtoDAsync_v2 119
	TRAMP cuMemcpyHtoD_v2 120
	TRAMP cuMemcpyPeer 121
	TRAMP cuMemcpyPeerAsync 122
	TRAMP cuMemsetD16Async 123
	TRAMP cuMemsetD16_v2 124
	TRAMP cuMemsetD2D16Async 125
	TRAMP cuMemsetD2D16_v2 126
	TRAMP cuMemsetD2D32Async 127
	TRAMP cuMemsetD2D32_v2 128
	TRAMP cuMemsetD2D8Async 129
	TRAMP cuMemsetD2D8_v2 130
	TRAMP cuMemsetD32Async 131
	TRAMP cuMemsetD32_v2 132
	TRAMP cuMemsetD8Async 133
	TRAMP cuMemsetD8_v2 134
	TRAMP cuModuleGetFunction 135
	TRAMP cuModuleGetGlobal_v2 136
	TRAMP cuModuleGetSurfRef 137
	TRAMP cuModuleGetTexRef 138
	TRAMP cuModuleLoad 139
	TRAMP cuModuleLoadData 140
	TRAMP cuModuleLoadDataEx 141
	TRAMP cuModuleLoadFatBinary 142
	TRAMP cuModuleUnload 143
	TRAMP cuOccupancyMaxActiveBlocksPerMultiprocessor 144
	TRAMP cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags 145
	TRAMP cuOccupancyMaxPotentialBlockSize 146
	TRAMP cuPointerGetAttribute 147
	TRAMP cuPointerSetAttribute 148
	TRAMP cuStreamAttachMemAsync 149
	TRAMP cuStreamBeginCapture_v2 150
	TRAMP cuStreamCreate 151
	TRAMP cuStreamCreateWithPriority 152
	TRAMP cuStreamDestroy_v2 153
	TRAMP cuStreamEndCapture 154
	TRAMP cuStreamGetFlags 155
	TRAMP cuStreamGetPriority 156
	TRAMP cuStreamIsCapturing 157
	TRAMP cuStreamQuery 158
	TRAMP cuStreamSynchronize 159
	TRAMP cuStreamWaitEvent 160
	TRAMP cuStreamWaitValue32 161
	TRAMP cuStreamWaitValue32_v2 162
	TRAMP cuStreamWriteValue32 163
	TRAMP cuStreamWriteValue32_v2 164
	TRAMP cuSurfRefGetArray 165
	TRAMP cuSurfRefSetArray 166
	TRAMP cuTexRefGetAddressMode 167
	TRAMP cuTexRefGetAddress_v2 168
	TRAMP cuTexRefGetArray 169
	TRAMP cuTexRefGetBorderColor 170
	TRAMP cuTexRefGetFilterMode 171
	TRAMP cuTexRefGetFlags 172
	TRAMP cuTexRefGetFormat 173
	TRAMP cuTexRefGetMaxAnisotropy 174
	TRAMP cuTexRefSetAddress2D_v3 175
	TRAMP cuTexRefSetAddressMode 176
	TRAMP cuTexRefSetAddress_v2 177
	TRAMP cuTexRefSetArray 178
	TRAMP cuTexRefSetBorderColor 179
	TRAMP cuTexRefSetFilterMode 180
	TRAMP cuTexRefSetFlags 181
	TRAMP cuTexRefSetFormat 182
	TRAMP cuTexRefSetMaxAnisotropy 183
	TRAMP cuTexRefSetMipmapFilterMode 184
	TRAMP cuTexRefSetMipmapLevelBias 185
	TRAMP cuTexRefSetMipmapLevelClamp 186
	TRAMP cuThreadExchangeStreamCaptureMode 187

	.section .note.GNU-stack,"",%progbits

// RUN: vae-opt %s --vae-assign-layout --canonicalize --split-input-file | FileCheck %s
// RUN: vae-opt %s --vae-assign-layout --canonicalize --convert-vae-to-kernel --split-input-file | FileCheck %s --check-prefix=KERNEL

// An NHWC image is the channels-last form of the NCHW one: nothing moves.
// CHECK-LABEL: func @nhwc
// CHECK-NOT: convert_layout
// CHECK: vae.transpose %arg0 {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x8x9x3xf32>) -> tensor<?x3x8x9xf32, #[[LAST:.*]]>
// CHECK-NEXT: vae.conv2d {{.*}} -> tensor<?x4x8x9xf32, #[[LAST]]>
// CHECK-NEXT: vae.transpose %{{.*}} {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x9xf32, #[[LAST]]>) -> tensor<?x8x9x4xf32>
// CHECK-NEXT: return
// KERNEL-LABEL: func.func @nhwc
// KERNEL: kernel.alias %arg0
// KERNEL: kernel.launch @{{dense.*}}(
// KERNEL-NEXT: kernel.alias
// KERNEL-NEXT: kernel.launch @copy
// KERNEL-NEXT: return
func.func @nhwc(%x: tensor<?x8x9x3xf32>) -> tensor<?x8x9x4xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x3x1x1xf32>
  %0 = vae.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x8x9x3xf32>) -> tensor<?x3x8x9xf32>
  %1 = vae.conv2d %0, %w : (tensor<?x3x8x9xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x9xf32>
  %2 = vae.transpose %1 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x9xf32>) -> tensor<?x8x9x4xf32>
  return %2 : tensor<?x8x9x4xf32>
}

// -----

// Other transposes see the order of the logical shape.
// CHECK-LABEL: func @others
// CHECK: vae.upsample
// CHECK-NEXT: vae.convert_layout
// CHECK-NEXT: vae.transpose %{{.*}} {permutation = array<i64: 0, 1, 3, 2>} : (tensor<?x3x8x9xf32>) -> tensor<?x3x9x8xf32>
func.func @others(%x: tensor<?x3x8x9xf32>) -> tensor<?x3x9x8xf32> attributes {vae.entry} {
  %0 = vae.upsample %x {scale = array<i64: 1, 1>, mode = #vae.resize<bilinear>} : (tensor<?x3x8x9xf32>) -> tensor<?x3x8x9xf32>
  %1 = vae.transpose %0 {permutation = array<i64: 0, 1, 3, 2>} : (tensor<?x3x8x9xf32>) -> tensor<?x3x9x8xf32>
  return %1 : tensor<?x3x9x8xf32>
}

// -----

// Flattening in the order N, C, H, W after all: one conversion moves it.
// CHECK-LABEL: func @flattened
// CHECK: vae.transpose
// CHECK-NEXT: vae.convert_layout
// CHECK-NEXT: vae.reshape
func.func @flattened(%x: tensor<?x8x9x3xf32>) -> tensor<?x216xf32> attributes {vae.entry} {
  %0 = vae.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x8x9x3xf32>) -> tensor<?x3x8x9xf32>
  %1 = vae.reshape %0 {shape = array<i64: -1>} : (tensor<?x3x8x9xf32>) -> tensor<?x216xf32>
  return %1 : tensor<?x216xf32>
}

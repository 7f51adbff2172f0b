// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{algorithms=winograd4},vae-assign-layout),convert-vae-to-kernel{vector-width=16 vector-registers=32 stream-bytes=16777216})' --split-input-file | FileCheck %s
// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{algorithms=winograd4},vae-assign-layout),convert-vae-to-kernel{vector-width=16 vector-registers=32})' --split-input-file | FileCheck %s --check-prefix=NEVER

// Large results, at aligned places, are written past the caches, and other
// threads see them when the task ends. Small ones and those of tiles at the
// image's end are not.
// CHECK-LABEL: func.func private @winograd4x4_i16_o32_k3x3(
// CHECK-SAME: %{{[^:]*}}: memref<?xf32>, %{{[^:]*}}: memref<?xf32>, %[[Y:[^:]*]]: memref<?xf32>
// CHECK: arith.constant 16777215 : index
// CHECK: memref.extract_aligned_pointer_as_index %[[Y]]
// CHECK: vector.store %{{.*}}, %[[Y]]{{.*}} {alignment = 64 : i64, nontemporal = true}
// CHECK: vector.store %{{.*}}, %[[Y]][%{{[0-9]*}}] :
// CHECK: llvm.call_intrinsic "llvm.x86.sse.sfence"()
// CHECK-NEXT: }
// CHECK-NEXT: return
// NEVER-NOT: nontemporal
// NEVER-NOT: sfence
func.func @plain(%x: tensor<1x16x?x?xf32>) -> tensor<1x32x?x?xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<32x16x3x3xf32>
  %0 = vae.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : (tensor<1x16x?x?xf32>, tensor<32x16x3x3xf32>) -> tensor<1x32x?x?xf32>
  return %0 : tensor<1x32x?x?xf32>
}

// -----

// Channels that are no whole vectors do not begin at lines.
// CHECK-LABEL: func.func private @winograd4x4_i16_o24_k3x3(
// CHECK-NOT: nontemporal
func.func @odd(%x: tensor<1x16x?x?xf32>) -> tensor<1x24x?x?xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<24x16x3x3xf32>
  %0 = vae.conv2d %x, %w {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : (tensor<1x16x?x?xf32>, tensor<24x16x3x3xf32>) -> tensor<1x24x?x?xf32>
  return %0 : tensor<1x24x?x?xf32>
}

// -----

// A residual lies where the result goes: its lines are in the caches. They are
// fetched during the products.
// CHECK-LABEL: func.func private @winograd4x4_i16_o16_k3x3_residual(
// CHECK-SAME: %[[X:[^:]*]]: memref<?xf32>, %{{[^:]*}}: memref<?xf32>, %[[RESIDUAL:[^:]*]]: memref<?xf32>
// CHECK-NOT: nontemporal
// CHECK: memref.prefetch %[[X]]
// CHECK: memref.prefetch %[[RESIDUAL]]
// CHECK-NOT: nontemporal
func.func @residual(%x: tensor<1x16x?x?xf32>) -> tensor<1x16x?x?xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<16x16x3x3xf32>
  %0 = vae.conv2d %x, %w residual(%x) {strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : (tensor<1x16x?x?xf32>, tensor<16x16x3x3xf32>, tensor<1x16x?x?xf32>) -> tensor<1x16x?x?xf32>
  return %0 : tensor<1x16x?x?xf32>
}

// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{fast=1 vector-width=16 vector-registers=32}))' --split-input-file | FileCheck %s
// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm))' --split-input-file | FileCheck %s --check-prefix=EXACT
// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{algorithms=winograd2,strided=winograd4}))' --split-input-file 2>&1 | FileCheck %s --check-prefixes=FORCED,WARNING
// RUN: not vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{algorithms=winograd9}))' --split-input-file 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{fast=1 vector-width=16 vector-registers=32 block-float=1 vnni=1}))' --split-input-file | FileCheck %s --check-prefix=BLOCK
// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{fast=1 vector-width=16 vector-registers=32 bf16=1 amx-bf16=1}))' --split-input-file | FileCheck %s --check-prefix=AMX
// UNKNOWN: error: unknown algorithm 'winograd9'
// RUN: vae-opt %s '--pass-pipeline=builtin.module(func.func(vae-choose-algorithm{fast=1 vector-width=16 vector-registers=32 tuned=conv2d:1x128x256x256:128x128x3x3:1x128x256x256:1x1:1x1:1x1x1x1:1=winograd4,conv_transpose2d:1x64x64x64:64x64x4x4:1x64x128x128:2x2:1x1:1x1x1x1:1=direct,conv2d:1x64x64x64:64x64x3x3:1x64x32x32:2x2:1x1:1x1x1x1:1=winograd2}))' --split-input-file 2>&1 | FileCheck %s --check-prefixes=TUNED
// TUNED: warning: {{.*}}winograd2 of the tuning table cannot compute layer 'strided'; it stays direct

// WARNING: warning: {{.*}}winograd4 cannot compute layer 'strided'; it stays direct

// Without `fast`, and without algorithms that are asked for, nothing changes.
// EXACT-NOT: vae.algorithm

// A large image of many channels: larger tiles where they save a tenth.
// CHECK-LABEL: func @large
// CHECK: vae.conv2d {{.*}} vae.algorithm = "winograd6"
// Those are too inexact for 16 bits.
// BLOCK-LABEL: func @large
// BLOCK: vae.conv2d {{.*}} vae.algorithm = "winograd4"
// Direct sums of bf16 by AMX need no transforms.
// AMX-LABEL: func @large
// AMX-NOT: vae.algorithm
// FORCED-LABEL: func @large
// FORCED: vae.conv2d {{.*}} vae.algorithm = "winograd2"
// TUNED-LABEL: func @large
// TUNED: vae.algorithm = "winograd4"
func.func @large(%x: tensor<1x128x256x256xf32>) -> tensor<1x128x256x256xf32> {
  %w = vae.constant dense<0.5> : tensor<128x128x3x3xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<1x128x256x256xf32>, tensor<128x128x3x3xf32>) -> tensor<1x128x256x256xf32>
  return %0 : tensor<1x128x256x256xf32>
}

// -----

// Transforming the weights would take longer than the few pixels, and they are
// too large to be stored transformed.
// CHECK-LABEL: func @small
// CHECK-NOT: vae.algorithm
// FORCED-LABEL: func @small
// FORCED: vae.algorithm = "winograd2"
func.func @small(%x: tensor<1x512x4x4xf32>) -> tensor<1x512x4x4xf32> {
  %w = vae.constant dense<0.5> : tensor<512x512x3x3xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<1x512x4x4xf32>, tensor<512x512x3x3xf32>) -> tensor<1x512x4x4xf32>
  return %0 : tensor<1x512x4x4xf32>
}

// -----

// The phases of an upsampling that is part of its convolution.
// CHECK-LABEL: func @phases
// CHECK: vae.conv_transpose2d {{.*}} vae.algorithm = "winograd4"
// FORCED-LABEL: func @phases
// TUNED-LABEL: func @phases
// TUNED-NOT: vae.algorithm
func.func @phases(%x: tensor<1x64x64x64xf32>) -> tensor<1x64x128x128xf32> {
  %w = vae.constant dense<0.5> : tensor<64x64x4x4xf32>
  %0 = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>} : (tensor<1x64x64x64xf32>, tensor<64x64x4x4xf32>) -> tensor<1x64x128x128xf32>
  return %0 : tensor<1x64x128x128xf32>
}

// -----

// Few pixels, few channels: transformed weights are stored.
// CHECK-LABEL: func @stored
// CHECK: vae.conv_transpose2d {{.*}} vae.algorithm = "winograd4-stored"
// TUNED-LABEL: func @stored
// FORCED-LABEL: func @stored
// FORCED: vae.algorithm = "winograd2"
func.func @stored(%x: tensor<1x64x13x13xf32>) -> tensor<1x32x30x30xf32> {
  %w = vae.constant dense<0.5> : tensor<64x32x6x6xf32>
  %0 = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<1x64x13x13xf32>, tensor<64x32x6x6xf32>) -> tensor<1x32x30x30xf32>
  return %0 : tensor<1x32x30x30xf32>
}

// -----

// They would save a third here, and take 37 MiB.
// CHECK-LABEL: func @too_large
// CHECK: vae.conv2d {{.*}} vae.algorithm = "winograd{{[24]}}"
// FORCED-LABEL: func @too_large
func.func @too_large(%x: tensor<1x512x16x16xf32>) -> tensor<1x512x16x16xf32> {
  %w = vae.constant dense<0.5> : tensor<512x512x3x3xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<1x512x16x16xf32>, tensor<512x512x3x3xf32>) -> tensor<1x512x16x16xf32>
  return %0 : tensor<1x512x16x16xf32>
}

// -----

// What Winograd's algorithm cannot compute stays direct: strides, groups, three
// outputs, weights whose sums would not be numbers.
// CHECK-LABEL: func @others
// CHECK-NOT: vae.algorithm
// FORCED-LABEL: func @others
// FORCED-NOT: vae.algorithm
func.func @others(%x: tensor<1x64x64x64xf32>) -> (tensor<1x64x32x32xf32>, tensor<1x64x64x64xf32>, tensor<1x3x64x64xf32>, tensor<1x64x62x62xf32>) {
  %w = vae.constant dense<0.5> : tensor<64x64x3x3xf32>
  %0 = vae.conv2d %x, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>} : (tensor<1x64x64x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x32x32xf32> loc("strided")
  %v = vae.constant dense<0.5> : tensor<64x1x3x3xf32>
  %1 = vae.conv2d %x, %v {groups = 64 : i64, padding = array<i64: 1, 1, 1, 1>} : (tensor<1x64x64x64xf32>, tensor<64x1x3x3xf32>) -> tensor<1x64x64x64xf32>
  %u = vae.constant dense<0.5> : tensor<3x64x3x3xf32>
  %2 = vae.conv2d %x, %u {padding = array<i64: 1, 1, 1, 1>} : (tensor<1x64x64x64xf32>, tensor<3x64x3x3xf32>) -> tensor<1x3x64x64xf32>
  %i = vae.constant dense<0x7F800000> : tensor<64x64x3x3xf32>
  %3 = vae.conv2d %x, %i : (tensor<1x64x64x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x62x62xf32>
  return %0, %1, %2, %3 : tensor<1x64x32x32xf32>, tensor<1x64x64x64xf32>, tensor<1x3x64x64xf32>, tensor<1x64x62x62xf32>
}

// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel --split-input-file | FileCheck %s

// Both columns of a pair read the same pixels: 2 x 3 channels are one contraction,
// once for even and once for odd rows.
// CHECK-LABEL: func.func @few_channels
// CHECK: kernel.launch @conv_i4_o6_k3x3_{{[^(]*}}({{.*}}) sizes
// CHECK: kernel.launch @conv_i4_o6_k3x3_{{[^(]*}}({{.*}}) init
// CHECK-NOT: kernel.launch @conv
// CHECK: return
func.func @few_channels(%x: tensor<?x4x5x5xf32>) -> tensor<?x3x14x14xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x3x6x6xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<?x4x5x5xf32>, tensor<4x3x6x6xf32>) -> tensor<?x3x14x14xf32>
  return %y : tensor<?x3x14x14xf32>
}

// -----

// Here odd columns read other pixels than even ones. A tap of weight 0 instead
// would turn infinity into NaN.
// CHECK-LABEL: func.func @other_pixels
// CHECK-COUNT-4: kernel.launch @conv_i4_o3_k2x2_
// CHECK-NOT: kernel.launch @conv
// CHECK: return
func.func @other_pixels(%x: tensor<?x4x5x5xf32>) -> tensor<?x3x10x10xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x3x4x4xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x5xf32>, tensor<4x3x4x4xf32>) -> tensor<?x3x10x10xf32>
  return %y : tensor<?x3x10x10xf32>
}

// -----

// 16 channels fill a block: nothing is gained.
// CHECK-LABEL: func.func @whole_block
// CHECK-COUNT-4: kernel.launch @conv_i4_o16_k3x3_
// CHECK-NOT: kernel.launch @conv
// CHECK: return
func.func @whole_block(%x: tensor<?x4x5x5xf32>) -> tensor<?x16x14x14xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x16x6x6xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<?x4x5x5xf32>, tensor<4x16x6x6xf32>) -> tensor<?x16x14x14xf32>
  return %y : tensor<?x16x14x14xf32>
}

// -----

// An odd width has no whole pairs.
// CHECK-LABEL: func.func @odd
// CHECK-COUNT-4: kernel.launch @conv_i4_o3_k3x3_
// CHECK-NOT: kernel.launch @conv
// CHECK: return
func.func @odd(%x: tensor<?x4x5x5xf32>) -> tensor<?x3x14x15xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x3x6x6xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>, output_padding = array<i64: 0, 1>} : (tensor<?x4x5x5xf32>, tensor<4x3x6x6xf32>) -> tensor<?x3x14x15xf32>
  return %y : tensor<?x3x14x15xf32>
}

// -----

// A single pixel: no padding, no phases.
// CHECK-LABEL: func.func @pixel
// CHECK: kernel.launch @dense_i4_o75({{.*}}) sizes
// CHECK-NOT: kernel.launch @conv
// CHECK: return
func.func @pixel(%x: tensor<?x4x1x1xf32>) -> tensor<?x3x5x5xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x3x5x5xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<?x4x1x1xf32>, tensor<4x3x5x5xf32>) -> tensor<?x3x5x5xf32>
  return %y : tensor<?x3x5x5xf32>
}

// -----

// The last row is no product of anything.
// CHECK-LABEL: func.func @beyond_the_kernel
// CHECK-NOT: kernel.launch @dense_i4_o60
// CHECK: return
func.func @beyond_the_kernel(%x: tensor<?x4x1x1xf32>) -> tensor<?x3x4x5xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x3x3x5xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>, output_padding = array<i64: 1, 0>} : (tensor<?x4x1x1xf32>, tensor<4x3x3x5xf32>) -> tensor<?x3x4x5xf32>
  return %y : tensor<?x3x4x5xf32>
}

// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel --split-input-file | FileCheck %s

// Every pair of residues is a convolution of its own, at an offset of its own.
// CHECK-LABEL: func.func @phases
// CHECK-COUNT-4: kernel.launch @conv_i2_o3_k3x3_
// CHECK-NOT: kernel.launch @conv
// CHECK: return
func.func @phases(%x: tensor<?x2x5x5xf32>) -> tensor<?x3x14x14xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<2x3x6x6xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<?x2x5x5xf32>, tensor<2x3x6x6xf32>) -> tensor<?x3x14x14xf32>
  return %y : tensor<?x3x14x14xf32>
}

// -----

// Few outputs of many summands are dot products.
// CHECK-LABEL: func.func @dots
// CHECK-COUNT-4: kernel.launch @conv_i8_o3_k3x3_s1x1_d1x1_p_dot
// CHECK: return
func.func @dots(%x: tensor<?x8x5x5xf32>) -> tensor<?x3x14x14xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<8x3x6x6xf32>
  %y = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<?x8x5x5xf32>, tensor<8x3x6x6xf32>) -> tensor<?x3x14x14xf32>
  return %y : tensor<?x3x14x14xf32>
}

// -----

// Four outputs are not few, 16 summands not many.
// CHECK-LABEL: func.func @no_dots
// CHECK-NOT: _dot
// CHECK: return
func.func @no_dots(%x: tensor<?x16xf32>) -> (tensor<?x4xf32>, tensor<?x3xf32>) attributes {vae.entry} {
  %v = vae.constant dense<1.0> : tensor<32x16xf32>
  %w = vae.constant dense<1.0> : tensor<4x32xf32>
  %u = vae.constant dense<1.0> : tensor<3x16xf32>
  %h = vae.dense %x, %v : (tensor<?x16xf32>, tensor<32x16xf32>) -> tensor<?x32xf32>
  %y = vae.dense %h, %w : (tensor<?x32xf32>, tensor<4x32xf32>) -> tensor<?x4xf32>
  %z = vae.dense %x, %u : (tensor<?x16xf32>, tensor<3x16xf32>) -> tensor<?x3xf32>
  return %y, %z : tensor<?x4xf32>, tensor<?x3xf32>
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

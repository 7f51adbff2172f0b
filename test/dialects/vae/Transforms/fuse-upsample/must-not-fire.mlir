// RUN: vae-opt %s --vae-fuse-upsample --split-input-file | FileCheck %s

// CHECK-LABEL: func @bilinear
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @bilinear(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x6x6xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>, mode = #vae.resize<bilinear>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32>
  return %y : tensor<?x1x6x6xf32>
}

// -----

// CHECK-LABEL: func @stride
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @stride(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x6x3xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w {strides = array<i64: 1, 2>} : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x3xf32>
  return %y : tensor<?x1x6x3xf32>
}

// -----

// CHECK-LABEL: func @dilation
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @dilation(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x4x6xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w {dilations = array<i64: 2, 1>} : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x4x6xf32>
  return %y : tensor<?x1x4x6xf32>
}

// -----

// More padding than k - 1: the transposed convolution would need negative
// padding.
// CHECK-LABEL: func @much_padding
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @much_padding(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x9x6xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w {padding = array<i64: 0, 0, 3, 0>} : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x9x6xf32>
  return %y : tensor<?x1x9x6xf32>
}

// -----

// CHECK-LABEL: func @unknown_weight
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @unknown_weight(%x: tensor<?x1x4x4xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32> {
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32>
  return %y : tensor<?x1x6x6xf32>
}

// -----

// The sum of two weights is no finite f32.
// CHECK-LABEL: func @overflow
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @overflow(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x6x6xf32> {
  %w = vae.constant dense<2.0e38> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32>
  return %y : tensor<?x1x6x6xf32>
}

// -----

// Larger than max-factor.
// CHECK-LABEL: func @large_factor
// CHECK: vae.upsample
// CHECK-NEXT: vae.conv2d
func.func @large_factor(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x2x18xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %u = vae.upsample %x {scale = array<i64: 1, 5>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x4x20xf32>
  %y = vae.conv2d %u, %w : (tensor<?x1x4x20xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x2x18xf32>
  return %y : tensor<?x1x2x18xf32>
}

// -----

// The upsampled tensor is the residual.
// CHECK-LABEL: func @residual
// CHECK: %[[U:.*]] = vae.upsample
// CHECK-NEXT: vae.conv2d %arg1, %{{.*}} residual(%[[U]])
func.func @residual(%x: tensor<?x1x4x4xf32>, %z: tensor<?x1x8x8xf32>) -> tensor<?x1x8x8xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1x1x1xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %z, %w residual(%u) : (tensor<?x1x8x8xf32>, tensor<1x1x1x1xf32>, tensor<?x1x8x8xf32>) -> tensor<?x1x8x8xf32>
  return %y : tensor<?x1x8x8xf32>
}

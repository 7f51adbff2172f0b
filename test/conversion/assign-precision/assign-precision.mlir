// RUN: vae-opt %s --vae-assign-precision=precision=bf16 --split-input-file | FileCheck %s
// RUN: vae-opt %s --vae-assign-precision --split-input-file | FileCheck %s --check-prefix=F32
// F32-NOT: vae.precision
// RUN: vae-opt %s --vae-assign-precision=precision=bfp16 --split-input-file | FileCheck %s --check-prefix=BLOCK
// RUN: vae-opt %s --vae-assign-precision="precision=bfp16 word-dots=false" --split-input-file 2>&1 | FileCheck %s --check-prefixes=F32,WARNING
// WARNING: warning: no CPU of this library multiplies pairs of 16-bit integers

// The first layer, the last one and the heads of the latent stay f32, whatever
// elementwise operations stand between.
// CHECK: module attributes {vae.precision = "bf16"}
// CHECK-LABEL: func.func @encode
// CHECK: vae.dense %{{.*}}, %{{.*}} : (tensor<?x6xf32>, tensor<8x6xf32>)
// CHECK: vae.dense {{.*}} {vae.precision = "bf16"} : (tensor<?x8xf32>, tensor<5x8xf32>)
// CHECK: vae.dense %{{.*}}, %{{.*}} : (tensor<?x5xf32>, tensor<4x5xf32>)
func.func @encode(%x: tensor<?x6xf32>) -> (tensor<?x4xf32> {vae.role = "mu"}) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x6xf32>
  %w1 = vae.constant dense<1.0> : tensor<5x8xf32>
  %w2 = vae.constant dense<1.0> : tensor<4x5xf32>
  %0 = vae.activation %x <affine, alpha = 2.0> : (tensor<?x6xf32>) -> tensor<?x6xf32>
  %1 = vae.dense %0, %w0 : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
  %2 = vae.dense %1, %w1 : (tensor<?x8xf32>, tensor<5x8xf32>) -> tensor<?x5xf32>
  %3 = vae.dense %2, %w2 : (tensor<?x5xf32>, tensor<4x5xf32>) -> tensor<?x4xf32>
  %4 = vae.activation %3 <tanh> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %4 : tensor<?x4xf32>
}

// -----

// What feeds and reads a reparameterization, in whatever entry point. A weight
// that is f32 in one of them is f32 in all.
// CHECK-LABEL: func.func @reconstruct
// CHECK-NOT: vae.precision
// CHECK: vae.dense {{.*}} {vae.precision = "bf16"} : (tensor<?x8xf32>, tensor<8x8xf32>)
// CHECK-NOT: vae.precision
// CHECK-LABEL: func.func @decode
// CHECK-NOT: vae.precision
// CHECK: return
func.func @reconstruct(%x: tensor<?x6xf32>, %noise: tensor<?x4xf32>) -> tensor<?x6xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<0.0> : tensor<8x6xf32>
  %w1 = vae.constant dense<1.0> : tensor<8x8xf32>
  %mu = vae.constant dense<2.0> : tensor<4x8xf32>
  %logvar = vae.constant dense<3.0> : tensor<4x8xf32>
  %w2 = vae.constant dense<4.0> : tensor<8x4xf32>
  %w3 = vae.constant dense<5.0> : tensor<6x8xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
  %1 = vae.dense %0, %w1 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %2 = vae.dense %1, %mu : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %3 = vae.dense %1, %logvar : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %z = vae.reparameterize %2, %3, %noise : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = vae.dense %z, %w2 : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  %5 = vae.dense %4, %w3 : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
  return %5 : tensor<?x6xf32>
}
func.func @decode(%z: tensor<?x4xf32>) -> tensor<?x6xf32> attributes {vae.entry} {
  %w2 = vae.constant dense<4.0> : tensor<8x4xf32>
  %w3 = vae.constant dense<5.0> : tensor<6x8xf32>
  %0 = vae.dense %z, %w2 : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  %1 = vae.dense %0, %w3 : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
  return %1 : tensor<?x6xf32>
}

// -----

// A dense layer with many weights is what the model costs, wherever it is; of
// convolutions at the ends, and of layers with few channels, nothing is gained.
// CHECK-LABEL: func.func @decode
// CHECK: vae.dense {{.*}} {vae.precision = "bf16"}
// CHECK: vae.conv2d
// CHECK-SAME: {vae.precision = "bf16"} : (tensor<?x32x16x4xf32>
// CHECK: vae.conv2d
// CHECK-NOT: vae.precision
// CHECK-SAME: -> tensor<?x3x16x4xf32>
// CHECK: vae.conv2d
// CHECK-NOT: vae.precision
// CHECK: return
func.func @decode(%z: tensor<?x16xf32>) -> tensor<?x32x16x4xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<0.0> : tensor<2048x16xf32>
  %w1 = vae.constant dense<1.0> : tensor<32x32x1x1xf32>
  %w2 = vae.constant dense<2.0> : tensor<3x32x1x1xf32>
  %w3 = vae.constant dense<2.0> : tensor<32x3x1x1xf32>
  %0 = vae.dense %z, %w0 : (tensor<?x16xf32>, tensor<2048x16xf32>) -> tensor<?x2048xf32>
  %1 = vae.reshape %0 {shape = array<i64: 32, 16, 4>} : (tensor<?x2048xf32>) -> tensor<?x32x16x4xf32>
  %2 = vae.conv2d %1, %w1 : (tensor<?x32x16x4xf32>, tensor<32x32x1x1xf32>) -> tensor<?x32x16x4xf32>
  %3 = vae.conv2d %2, %w2 : (tensor<?x32x16x4xf32>, tensor<3x32x1x1xf32>) -> tensor<?x3x16x4xf32>
  %4 = vae.conv2d %3, %w3 : (tensor<?x3x16x4xf32>, tensor<32x3x1x1xf32>) -> tensor<?x32x16x4xf32>
  return %4 : tensor<?x32x16x4xf32>
}

// -----

// Block floating point is for Winograd's algorithm, but for the first and the
// last layer.
// BLOCK-LABEL: func.func @winograd
// BLOCK: vae.conv2d
// BLOCK-NOT: vae.precision
// BLOCK-SAME: vae.algorithm = "winograd4"
// BLOCK: vae.conv2d {{.*}} {{{.*}}vae.algorithm = "winograd4", vae.precision = "bfp16"}
// BLOCK: vae.conv2d
// BLOCK-NOT: vae.precision
// BLOCK: return
// CHECK-LABEL: func.func @winograd
// CHECK: vae.precision = "bf16"
// CHECK-NOT: vae.precision
// CHECK: return
func.func @winograd(%x: tensor<?x8x9x9xf32>) -> tensor<?x8x9x9xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x8x3x3xf32>
  %w1 = vae.constant dense<2.0> : tensor<8x8x3x3xf32>
  %w2 = vae.constant dense<3.0> : tensor<8x8x3x3xf32>
  %w3 = vae.constant dense<4.0> : tensor<8x8x3x3xf32>
  %0 = vae.conv2d %x, %w0 {padding = array<i64: 1, 1, 1, 1>, vae.algorithm = "winograd4"} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32>
  %1 = vae.conv2d %0, %w1 {padding = array<i64: 1, 1, 1, 1>, vae.algorithm = "winograd4"} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32>
  %2 = vae.conv2d %1, %w2 {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32>
  %3 = vae.conv2d %2, %w3 {padding = array<i64: 1, 1, 1, 1>, vae.algorithm = "winograd4"} : (tensor<?x8x9x9xf32>, tensor<8x8x3x3xf32>) -> tensor<?x8x9x9xf32>
  return %3 : tensor<?x8x9x9xf32>
}

// -----

// So it is for products of many channels at many positions.
// BLOCK-LABEL: func.func @pointwise
// BLOCK-COUNT-1: {vae.precision = "bfp16"} : (tensor<?x256x64xf32>, tensor<64x64xf32>)
// BLOCK-NOT: vae.precision
// BLOCK: return
// BLOCK-LABEL: func.func @few
// BLOCK-NOT: vae.precision
// BLOCK: return
// CHECK-LABEL: func.func @pointwise
func.func @pointwise(%x: tensor<?x256x64xf32>) -> tensor<?x256x64xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<64x64xf32>
  %w1 = vae.constant dense<2.0> : tensor<64x64xf32>
  %w2 = vae.constant dense<3.0> : tensor<63x64xf32>
  %w3 = vae.constant dense<4.0> : tensor<64x63xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x256x64xf32>, tensor<64x64xf32>) -> tensor<?x256x64xf32>
  %1 = vae.dense %0, %w1 : (tensor<?x256x64xf32>, tensor<64x64xf32>) -> tensor<?x256x64xf32>
  %2 = vae.dense %1, %w2 : (tensor<?x256x64xf32>, tensor<63x64xf32>) -> tensor<?x256x63xf32>
  %3 = vae.dense %2, %w3 : (tensor<?x256x63xf32>, tensor<64x63xf32>) -> tensor<?x256x64xf32>
  return %3 : tensor<?x256x64xf32>
}
func.func @few(%x: tensor<?x255x64xf32>) -> tensor<?x255x64xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<6.0> : tensor<64x64xf32>
  %w1 = vae.constant dense<7.0> : tensor<64x64xf32>
  %w2 = vae.constant dense<8.0> : tensor<64x64xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x255x64xf32>, tensor<64x64xf32>) -> tensor<?x255x64xf32>
  %1 = vae.dense %0, %w1 : (tensor<?x255x64xf32>, tensor<64x64xf32>) -> tensor<?x255x64xf32>
  %2 = vae.dense %1, %w2 : (tensor<?x255x64xf32>, tensor<64x64xf32>) -> tensor<?x255x64xf32>
  return %2 : tensor<?x255x64xf32>
}

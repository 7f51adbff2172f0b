// Which layers multiply integers.
// RUN: vae-opt %s --vae-quantize="quantize=int8 fast=true vector-width=16 vector-registers=32 vnni=true block-float=true ranges=x:0:1,fc1:-1:4,fc2:-2:2,c1:0:1,z:-3:3" --split-input-file | FileCheck %s
// RUN: vae-opt %s --vae-quantize="ranges=x:0:1" --split-input-file | FileCheck %s --check-prefix=NONE
// NONE-NOT: quant

// The first and the last layer, too; the last one gives f32. What ReLU gives
// begins at 0, whatever the table says.
// CHECK: module attributes {vae.precision = "int8"}
// CHECK-LABEL: func.func @first_and_last
// CHECK: %[[Q:.*]] = vae.convert_layout %arg0 : (tensor<?x4xf32>) -> tensor<?x4x!quant.uniform<u8:f32, 0.0039215686274509803>>
// CHECK: %[[Y:.*]] = vae.dense %[[Q]], %{{.*}} {activation = #vae.act<relu>, vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.007874{{.*}},0.007874{{.*}}>} {{.*}} -> tensor<?x8x!quant.uniform<u8:f32, 0.01568627{{.*}}>>
// CHECK: vae.dense %[[Y]], {{.*}} -> tensor<?x2xf32>
func.func @first_and_last(%x: tensor<?x4xf32> {vae.name = "x"}) -> tensor<?x2xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x4xf32>
  %w1 = vae.constant dense<2.0> : tensor<2x8xf32>
  %0 = vae.dense %x, %w0 {activation = #vae.act<relu>} : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32> loc("fc1")
  %1 = vae.dense %0, %w1 : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32> loc("fc2")
  return %1 : tensor<?x2xf32>
}

// -----

// The heads of the latent stay f32; what they read is f32 for them.
// CHECK-LABEL: func.func @heads
// CHECK: %[[Y:.*]] = vae.dense {{.*}} -> tensor<?x8xf32>
// CHECK: vae.dense %[[Y]], {{.*}} {vae.quantize_note = "a head of the latent"} : (tensor<?x8xf32>, tensor<2x8xf32>)
func.func @heads(%x: tensor<?x4xf32> {vae.name = "x"}) -> (tensor<?x2xf32> {vae.role = "mu"}) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x4xf32>
  %w1 = vae.constant dense<2.0> : tensor<2x8xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32> loc("fc1")
  %1 = vae.dense %0, %w1 : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32> loc("fc2")
  return %1 : tensor<?x2xf32>
}

// -----

// Depthwise convolutions are bound by memory; those that Winograd's algorithm
// computes are faster with it. With a stride or one tap there is no such algorithm.
// CHECK-LABEL: func.func @convolutions
// CHECK: vae.conv2d {{.*}} {groups = 32 : i64, {{.*}}vae.quantize_note = "integers would not be faster"}
// CHECK: vae.conv2d {{.*}} vae.quantize_note = "integers would not be faster"}
// CHECK: vae.conv2d {{.*}} strides = array<i64: 2, 2>, vae.weight_type
// CHECK: vae.conv2d {{.*}} {vae.weight_type
// CHECK: vae.conv_transpose2d {{.*}} vae.weight_type = !quant.uniform<i8<-127:127>:f32:1, {
func.func @convolutions(%x: tensor<?x32x16x16xf32> {vae.name = "x"}, %y: tensor<?x128x64x64xf32> {vae.name = "x"}) -> (tensor<?x32x16x16xf32>, tensor<?x128x64x64xf32>, tensor<?x32x8x8xf32>, tensor<?x32x16x16xf32>, tensor<?x32x33x33xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<32x1x3x3xf32>
  %w1 = vae.constant dense<1.0> : tensor<128x128x3x3xf32>
  %w2 = vae.constant dense<2.0> : tensor<32x32x3x3xf32>
  %w3 = vae.constant dense<1.0> : tensor<32x32x1x1xf32>
  %w4 = vae.constant dense<3.0> : tensor<32x32x3x3xf32>
  %0 = vae.conv2d %x, %w0 {groups = 32, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x32x16x16xf32>, tensor<32x1x3x3xf32>) -> tensor<?x32x16x16xf32>
  %1 = vae.conv2d %y, %w1 {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x128x64x64xf32>, tensor<128x128x3x3xf32>) -> tensor<?x128x64x64xf32>
  %2 = vae.conv2d %x, %w2 {padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : (tensor<?x32x16x16xf32>, tensor<32x32x3x3xf32>) -> tensor<?x32x8x8xf32>
  %3 = vae.conv2d %x, %w3 : (tensor<?x32x16x16xf32>, tensor<32x32x1x1xf32>) -> tensor<?x32x16x16xf32>
  %4 = vae.conv_transpose2d %x, %w4 {strides = array<i64: 2, 2>} : (tensor<?x32x16x16xf32>, tensor<32x32x3x3xf32>) -> tensor<?x32x33x33xf32>
  return %0, %1, %2, %3, %4 : tensor<?x32x16x16xf32>, tensor<?x128x64x64xf32>, tensor<?x32x8x8xf32>, tensor<?x32x16x16xf32>, tensor<?x32x33x33xf32>
}

// -----

// 66312 products of 255 * 127 are 2147514120, above 2^31 - 1; of one less, they are not.
// CHECK-LABEL: func.func @overflow
// CHECK: vae.dense {{.*}} {vae.quantize_note = "sums could exceed 32 bits"}
// CHECK: vae.dense {{.*}} {vae.weight_type
func.func @overflow(%x: tensor<?x66312xf32> {vae.name = "x"}, %y: tensor<?x66311xf32> {vae.name = "x"}) -> (tensor<?x1xf32>, tensor<?x1xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<1x66312xf32>
  %w1 = vae.constant dense<1.0> : tensor<1x66311xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x66312xf32>, tensor<1x66312xf32>) -> tensor<?x1xf32>
  %1 = vae.dense %y, %w1 : (tensor<?x66311xf32>, tensor<1x66311xf32>) -> tensor<?x1xf32>
  return %0, %1 : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func.func @weights
// CHECK: vae.dense {{.*}} {vae.quantize_note = "a weight is not finite"}
// CHECK: vae.dense {{.*}} {vae.quantize_note = "its weights are no constant"}
func.func @weights(%x: tensor<?x2xf32> {vae.name = "x"}, %w: tensor<1x2xf32> {vae.name = "w"}) -> (tensor<?x1xf32>, tensor<?x1xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<[[1.0, 0x7F800000]]> : tensor<1x2xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
  %1 = vae.dense %x, %w : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
  return %0, %1 : tensor<?x1xf32>, tensor<?x1xf32>
}

// Which tensors become integers, and where.
// RUN: vae-opt %s --vae-quantize="quantize=int8 vector-width=16 vector-registers=32 vnni=true ranges=x:0:1,a:-1:1,b:-2:2,c%%20d:0:2" --split-input-file | FileCheck %s

// One conversion for all that read a tensor; what else reads it has f32.
// CHECK-LABEL: func.func @once
// CHECK: %[[Q:.*]] = vae.convert_layout %arg0
// CHECK-NOT: vae.convert_layout
// CHECK: vae.dense %[[Q]],
// CHECK: vae.dense %[[Q]],
// CHECK: vae.activation %arg0
func.func @once(%x: tensor<?x4xf32> {vae.name = "x"}) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x4xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<2x4xf32>
  %w1 = vae.constant dense<2.0> : tensor<2x4xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  %1 = vae.dense %x, %w1 : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  %2 = vae.activation %x <tanh> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0, %1, %2 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x4xf32>
}

// -----

// A layer gives integers where all take them, also as a residual and through
// what moves them. Where something else reads it, it gives f32, and so is the
// residual.
// CHECK-LABEL: func.func @results
// CHECK: %[[A:.*]] = vae.dense {{.*}} -> tensor<?x4x!quant.uniform<u8:f32, 0.0078431372549019607:128>>
// CHECK: %[[R:.*]] = vae.reshape %[[A]] {{.*}} -> tensor<?x4x!quant.uniform<u8:f32, 0.0078431372549019607:128>>
// CHECK: %[[B:.*]] = vae.dense %[[R]], {{.*}} residual(%[[A]]) {{.*}} -> tensor<?x4xf32>
// CHECK: %[[Q:.*]] = vae.convert_layout %[[B]] : (tensor<?x4xf32>) -> tensor<?x4x!quant.uniform<u8:f32, 0.015686274509803921:128>>
// CHECK: vae.dense %[[Q]], {{.*}} residual(%[[B]]) {{.*}} -> tensor<?x4xf32>
func.func @results(%x: tensor<?x4xf32> {vae.name = "x"}) -> (tensor<?x4xf32>, tensor<?x4xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<4x4xf32>
  %w1 = vae.constant dense<2.0> : tensor<4x4xf32>
  %w2 = vae.constant dense<3.0> : tensor<4x4xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("a")
  %1 = vae.reshape %0 {shape = array<i64: 4>} : (tensor<?x4xf32>) -> tensor<?x4xf32> loc("moved")
  %2 = vae.dense %1, %w1 residual(%0) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> loc("b")
  %3 = vae.dense %2, %w2 residual(%2) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> loc("c")
  %4 = vae.activation %2 <tanh> : (tensor<?x4xf32>) -> tensor<?x4xf32> loc("tanh")
  return %3, %4 : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// Bytes are moved instead of floats: integers first, then channels last.
// CHECK-LABEL: func.func @layout
// CHECK: %[[Q:.*]] = vae.convert_layout %arg0 : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8x!quant.uniform<u8:f32, {{.*}}>>
// CHECK: %[[L:.*]] = vae.convert_layout %[[Q]] {{.*}} -> tensor<?x3x8x8x!quant.uniform<u8:f32, {{.*}}>, #vae.layout<channels_last>>
// CHECK: vae.conv2d %[[L]]
func.func @layout(%x: tensor<?x3x8x8xf32> {vae.name = "x"}) -> tensor<?x2x8x8xf32, #vae.layout<channels_last>> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<2x3x1x1xf32>
  %0 = vae.convert_layout %x : (tensor<?x3x8x8xf32>) -> tensor<?x3x8x8xf32, #vae.layout<channels_last>>
  %1 = vae.conv2d %0, %w : (tensor<?x3x8x8xf32, #vae.layout<channels_last>>, tensor<2x3x1x1xf32>) -> tensor<?x2x8x8xf32, #vae.layout<channels_last>>
  return %1 : tensor<?x2x8x8xf32, #vae.layout<channels_last>>
}

// -----

// Before an upsampling there are fewer numbers to convert, behind a pooling: but
// a layer that gives integers has them before it.
// CHECK-LABEL: func.func @sizes
// CHECK: %[[Q:.*]] = vae.convert_layout %arg0
// CHECK: %[[U:.*]] = vae.upsample %[[Q]] {{.*}} -> tensor<?x3x16x16x!quant
// CHECK: %[[A:.*]] = vae.conv2d %[[U]], {{.*}} -> tensor<?x2x16x16x!quant
// CHECK: %[[M:.*]] = vae.pool2d %[[A]] {{.*}} -> tensor<?x2x8x8x!quant
// CHECK: vae.conv2d %[[M]], {{.*}} -> tensor<?x2x8x8xf32>
// CHECK: %[[P:.*]] = vae.pool2d %arg0 {{.*}} -> tensor<?x3x4x4xf32>
// CHECK: %[[PQ:.*]] = vae.convert_layout %[[P]]
// CHECK: vae.conv2d %[[PQ]]
func.func @sizes(%x: tensor<?x3x8x8xf32> {vae.name = "x"}) -> (tensor<?x2x8x8xf32>, tensor<?x2x4x4xf32>) attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<2x3x1x1xf32>
  %w1 = vae.constant dense<1.0> : tensor<2x2x1x1xf32>
  %w2 = vae.constant dense<2.0> : tensor<2x3x1x1xf32>
  %0 = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x3x8x8xf32>) -> tensor<?x3x16x16xf32> loc("up")
  %1 = vae.conv2d %0, %w0 : (tensor<?x3x16x16xf32>, tensor<2x3x1x1xf32>) -> tensor<?x2x16x16xf32> loc("a")
  %2 = vae.pool2d %1 {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<?x2x16x16xf32>) -> tensor<?x2x8x8xf32> loc("pool")
  %3 = vae.conv2d %2, %w1 : (tensor<?x2x8x8xf32>, tensor<2x2x1x1xf32>) -> tensor<?x2x8x8xf32> loc("b")
  %4 = vae.pool2d %x {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<?x3x8x8xf32>) -> tensor<?x3x4x4xf32> loc("pool2")
  %5 = vae.conv2d %4, %w2 : (tensor<?x3x4x4xf32>, tensor<2x3x1x1xf32>) -> tensor<?x2x4x4xf32> loc("c")
  return %3, %5 : tensor<?x2x8x8xf32>, tensor<?x2x4x4xf32>
}

// -----

// Joined tensors have one type between them only behind where they are joined.
// Names are unescaped.
// CHECK-LABEL: func.func @joined
// CHECK: %[[C:.*]] = vae.concat %arg0, %arg0 {{.*}} -> tensor<?x8xf32>
// CHECK: vae.convert_layout %[[C]] : (tensor<?x8xf32>) -> tensor<?x8x!quant.uniform<u8:f32, 0.0078431372549019607>>
func.func @joined(%x: tensor<?x4xf32> {vae.name = "x"}) -> tensor<?x2xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<2x8xf32>
  %0 = vae.concat %x, %x {axis = 1} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32> loc("c d")
  %1 = vae.dense %0, %w : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

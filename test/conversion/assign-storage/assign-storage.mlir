// RUN: vae-opt %s --vae-assign-storage=storage=f16 --split-input-file | FileCheck %s
// RUN: vae-opt %s --vae-assign-storage=storage=f16-weights --split-input-file | FileCheck %s --check-prefix=WEIGHTS
// RUN: vae-opt %s --vae-assign-storage --split-input-file | FileCheck %s --check-prefix=F32
// F32-NOT: {{"f16|xf16}}
// WEIGHTS-NOT: xf16>

// What passes between layers is f16, and weights are; arguments, results and what
// only moves to them are not.
// CHECK: module attributes {vae.storage = "f16"}
// WEIGHTS: module attributes {vae.storage = "f16-weights"}
// CHECK-LABEL: func.func @encode(%{{.*}}: tensor<?x6xf32>) -> tensor<?x2x2xf32>
// CHECK: vae.dense {{.*}} {vae.storage = "f16"} : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf16>
// WEIGHTS: vae.dense {{.*}} {vae.storage = "f16"} : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
// CHECK: vae.activation {{.*}} : (tensor<?x8xf16>) -> tensor<?x8xf16>
// CHECK: vae.dense {{.*}} {vae.storage = "f16"} : (tensor<?x8xf16>, tensor<4x8xf32>) -> tensor<?x4xf32>
// CHECK: vae.reshape {{.*}} -> tensor<?x2x2xf32>
func.func @encode(%x: tensor<?x6xf32>) -> tensor<?x2x2xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<1.0> : tensor<8x6xf32>
  %w1 = vae.constant dense<1.0> : tensor<4x8xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x6xf32>, tensor<8x6xf32>) -> tensor<?x8xf32>
  %1 = vae.activation %0 <tanh> : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = vae.dense %1, %w1 : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %3 = vae.reshape %2 {shape = array<i64: 2, 2>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  return %3 : tensor<?x2x2xf32>
}

// -----

// Operations without a form in f16 keep what they read and give, also through
// what moves it; and what is moved with it.
// CHECK-LABEL: func.func @attention
// CHECK: vae.dense {{.*}} -> tensor<?x4x8xf16>
// CHECK: vae.dense {{.*}} (tensor<?x4x8xf16>, tensor<8x8xf32>) -> tensor<?x4x8xf32>
// CHECK: vae.transpose {{.*}} -> tensor<?x8x4xf32>
// CHECK: vae.softmax {{.*}} -> tensor<?x8x4xf32>
// CHECK: vae.activation {{.*}} -> tensor<?x8x4xf16>
// CHECK: vae.activation {{.*}} -> tensor<?x8x4xf32>
func.func @attention(%x: tensor<?x4x8xf32>) -> tensor<?x8x4xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<8x8xf32>
  %0 = vae.dense %x, %w : (tensor<?x4x8xf32>, tensor<8x8xf32>) -> tensor<?x4x8xf32>
  %1 = vae.dense %0, %w : (tensor<?x4x8xf32>, tensor<8x8xf32>) -> tensor<?x4x8xf32>
  %2 = vae.transpose %1 {permutation = array<i64: 0, 2, 1>} : (tensor<?x4x8xf32>) -> tensor<?x8x4xf32>
  %3 = vae.softmax %2 {axis = 1} : (tensor<?x8x4xf32>) -> tensor<?x8x4xf32>
  %4 = vae.activation %3 <tanh> : (tensor<?x8x4xf32>) -> tensor<?x8x4xf32>
  %5 = vae.activation %4 <tanh> : (tensor<?x8x4xf32>) -> tensor<?x8x4xf32>
  return %5 : tensor<?x8x4xf32>
}

// -----

// Weights that f16 does not hold, or of an output that it holds few digits of.
// CHECK-LABEL: func.func @weights
// CHECK: {vae.storage_note = "a weight of -70000.00 is beyond f16, whose largest number is 65504"}
// CHECK: {vae.storage_note = "a weight is not finite"}
// CHECK: {vae.storage_note = "the weights of output 1 are so small that f16 has few digits of them"}
// Small ones beside large ones are no loss; nor are zeros.
// CHECK: {vae.storage = "f16"}
// Those of bf16 are half as long already.
// CHECK: {vae.precision = "bf16"}
func.func @weights(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  %w0 = vae.constant dense<[[1.0, 0.0], [0.0, -7.0e4]]> : tensor<2x2xf32>
  %w1 = vae.constant dense<[[1.0, 0.0], [0.0, 0x7F800000]]> : tensor<2x2xf32>
  %w2 = vae.constant dense<[[1.0, 0.0], [1.0e-7, 3.3e-7]]> : tensor<2x2xf32>
  %w3 = vae.constant dense<[[1.0, 3.3e-7], [0.0, 0.0]]> : tensor<2x2xf32>
  %0 = vae.dense %x, %w0 : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = vae.dense %0, %w1 : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %2 = vae.dense %1, %w2 : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %3 = vae.dense %2, %w3 : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %4 = vae.dense %3, %w3 {vae.precision = "bf16"} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %4 : tensor<?x2xf32>
}

// -----

// What becomes integers is read as f16.
// CHECK-LABEL: func.func @integers
// CHECK: %[[H:.*]] = vae.activation {{.*}} -> tensor<?x2xf16>
// CHECK: %[[Q:.*]] = vae.convert_layout %[[H]] : (tensor<?x2xf16>) -> tensor<?x2x!quant.uniform<u8:f32, 5.000000e-01:10>>
// CHECK: vae.convert_layout %[[Q]] : (tensor<?x2x!quant.uniform<u8:f32, 5.000000e-01:10>>) -> tensor<?x2xf16>
func.func @integers(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = vae.convert_layout %0 : (tensor<?x2xf32>) -> tensor<?x2x!quant.uniform<u8:f32, 0.5:10>>
  %2 = vae.convert_layout %1 : (tensor<?x2x!quant.uniform<u8:f32, 0.5:10>>) -> tensor<?x2xf32>
  %3 = vae.activation %2 <tanh> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %3 : tensor<?x2xf32>
}

// -----

// Nor is there anything to store between a norm and integers of its result.
// CHECK-LABEL: func.func @integers_of_norm
// CHECK: vae.group_norm {{.*}} : (tensor<?x2xf16>) -> tensor<?x2xf32>
func.func @integers_of_norm(%x: tensor<?x2xf32>) -> tensor<?x2x!quant.uniform<u8:f32, 0.5:10>> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = vae.group_norm %0 {groups = 1 : i64, epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %2 = vae.convert_layout %1 : (tensor<?x2xf32>) -> tensor<?x2x!quant.uniform<u8:f32, 0.5:10>>
  return %2 : tensor<?x2x!quant.uniform<u8:f32, 0.5:10>>
}

// -----

// Only entry points.
// CHECK-LABEL: func.func private @f
// CHECK-NOT: f16
func.func private @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %0 = vae.activation %x <tanh> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = vae.activation %0 <tanh> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel --split-input-file | FileCheck %s

// What nobody reads any more is overwritten, but never the caller's memory.
// CHECK-LABEL: func.func @chain
// CHECK: %[[A:.*]] = kernel.launch @tanh(%arg0) sizes
// CHECK: %[[B:.*]] = kernel.launch @exp(%[[A]]) init(%[[A]])
// CHECK: kernel.launch @add(%[[B]], %arg0) init(%[[B]])
func.func @chain(%x: tensor<?x4xf32>) -> tensor<?x4xf32> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.activation %0 <exp> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = vae.add %1, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

// The first result is read twice, the second time through a reshape.
// CHECK-LABEL: func.func @read_later
// CHECK: %[[A:.*]] = kernel.launch @tanh(%arg0) sizes
// CHECK: %[[B:.*]] = kernel.launch @exp(%[[A]]) sizes
// CHECK: %[[C:.*]] = kernel.alias %[[A]]
// CHECK: kernel.launch @tanh(%[[C]]) sizes
func.func @read_later(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x2x2xf32>) attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.activation %0 <exp> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = vae.reshape %0 {shape = array<i64: 2, 2>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %3 = vae.activation %2 <tanh> : (tensor<?x2x2xf32>) -> tensor<?x2x2xf32>
  return %1, %3 : tensor<?x4xf32>, tensor<?x2x2xf32>
}

// -----

// A residual is overwritten unless it is the convolution's input, too.
// CHECK-LABEL: func.func @residual
// CHECK: %[[A:.*]] = kernel.launch @tanh
// CHECK: %[[B:.*]] = kernel.launch @dense{{.*}}(%[[A]], %{{.*}}, %[[A]]) sizes
// CHECK: %[[C:.*]] = kernel.launch @exp(%[[B]]) sizes
// CHECK: kernel.launch @dense{{.*}}(%[[C]], %{{.*}}, %[[B]]) init(%[[B]])
func.func @residual(%x: tensor<?x4xf32>) -> tensor<?x4xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x4xf32>
  %0 = vae.activation %x <tanh> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.dense %0, %w residual(%0) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = vae.activation %1 <exp> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = vae.dense %2, %w residual(%1) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %3 : tensor<?x4xf32>
}

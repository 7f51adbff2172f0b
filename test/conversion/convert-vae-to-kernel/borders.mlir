// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel --split-input-file | FileCheck %s

// The input is copied, the image between the convolutions is made with a border.
// CHECK-LABEL: func.func @between
// CHECK: %[[IN:.*]] = kernel.launch @border_0() sizes
// CHECK: %[[X:.*]] = kernel.launch @copy{{.*}} init(%[[IN]])
// CHECK: %[[EDGE:.*]] = kernel.launch @border_0() sizes
// CHECK: %[[H:.*]] = kernel.launch @conv_{{.*}}(%[[X]], {{.*}}) init(%[[EDGE]])
// CHECK-NOT: border_0
// CHECK: kernel.launch @conv_{{.*}}(%[[H]], {{.*}}) sizes
func.func @between(%x: tensor<?x4x5x6xf32>) -> tensor<?x4x5x6xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x5x6xf32>
  %1 = vae.conv2d %0, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x5x6xf32>
  return %1 : tensor<?x4x5x6xf32>
}

// -----

// Another reader: one image for both, and a copy for the convolution.
// CHECK-LABEL: func.func @other_reader
// CHECK: %[[H:.*]] = kernel.launch @dense_{{.*}} sizes
// CHECK: kernel.launch @tanh(%[[H]])
// CHECK: %[[EDGE:.*]] = kernel.launch @border_0() sizes
// CHECK: %[[COPY:.*]] = kernel.launch @copy{{.*}}(%[[H]]) init(%[[EDGE]])
// CHECK: kernel.launch @conv_{{.*}}(%[[COPY]],
func.func @other_reader(%x: tensor<?x4x5x6xf32>) -> (tensor<?x4x5x6xf32>, tensor<?x4x5x6xf32>) attributes {vae.entry} {
  %v = vae.constant dense<1.0> : tensor<4x4x1x1xf32>
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.conv2d %x, %v : (tensor<?x4x5x6xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x5x6xf32>
  %1 = vae.activation %0 <tanh> : (tensor<?x4x5x6xf32>) -> tensor<?x4x5x6xf32>
  %2 = vae.conv2d %0, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x5x6xf32>
  return %1, %2 : tensor<?x4x5x6xf32>, tensor<?x4x5x6xf32>
}

// -----

// Readers that want different borders.
// CHECK-LABEL: func.func @different
// CHECK: %[[H:.*]] = kernel.launch @dense_{{.*}} sizes
// CHECK: kernel.launch @copy{{.*}}(%[[H]]) init
// CHECK: kernel.launch @copy{{.*}}(%[[H]]) init
func.func @different(%x: tensor<?x4x5x6xf32>) -> (tensor<?x4x5x6xf32>, tensor<?x4x7x8xf32>) attributes {vae.entry} {
  %v = vae.constant dense<1.0> : tensor<4x4x1x1xf32>
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.conv2d %x, %v : (tensor<?x4x5x6xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x5x6xf32>
  %1 = vae.conv2d %0, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x5x6xf32>
  %2 = vae.conv2d %0, %w {padding = array<i64: 2, 2, 2, 2>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x7x8xf32>
  return %1, %2 : tensor<?x4x5x6xf32>, tensor<?x4x7x8xf32>
}

// -----

// A residual has the border of the result, which a reader of another kind keeps
// from both.
// CHECK-LABEL: func.func @residual
// CHECK: %[[H:.*]] = kernel.launch @dense_{{.*}} sizes
// CHECK: %[[COPY:.*]] = kernel.launch @copy{{.*}}(%[[H]]) init
// CHECK: kernel.launch @conv_{{.*}}_residual(%{{.*}}, %{{.*}}, %[[H]]) init(%[[H]])
func.func @residual(%x: tensor<?x4x5x6xf32>) -> tensor<?x4x5x6xf32> attributes {vae.entry} {
  %v = vae.constant dense<1.0> : tensor<4x4x1x1xf32>
  %w = vae.constant dense<1.0> : tensor<4x4x3x3xf32>
  %0 = vae.conv2d %x, %v : (tensor<?x4x5x6xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x5x6xf32>
  %1 = vae.conv2d %0, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x5x6xf32>
  %2 = vae.conv2d %1, %w residual(%0) {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x5x6xf32>, tensor<4x4x3x3xf32>, tensor<?x4x5x6xf32>) -> tensor<?x4x5x6xf32>
  return %2 : tensor<?x4x5x6xf32>
}

// RUN: vae-opt %s --vae-fuse-epilogue --split-input-file | FileCheck %s

// CHECK-LABEL: func @several_uses
// CHECK: %[[H:.*]] = vae.dense
// CHECK-NEXT: vae.activation %[[H]]
func.func @several_uses(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.activation %h <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %h, %y : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @second_activation
// CHECK: vae.dense %arg0, %arg1 {activation = #vae.act<relu>}
// CHECK-NEXT: vae.activation %{{.*}} <exp>
func.func @second_activation(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %h = vae.dense %x, %w {activation = #vae.act<relu>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.activation %h <exp> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The formula adds before the activation.
// CHECK-LABEL: func @residual_after_activation
// CHECK: vae.dense %arg0, %arg1 {activation = #vae.act<relu>}
// CHECK-NEXT: vae.add
func.func @residual_after_activation(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %h = vae.dense %x, %w {activation = #vae.act<relu>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.add %h, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @second_residual
// CHECK: vae.dense %arg0, %arg1 residual(%arg0)
// CHECK-NEXT: vae.add
func.func @second_residual(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %h = vae.dense %x, %w residual(%x) : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.add %h, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @twice_itself
// CHECK: %[[H:.*]] = vae.dense
// CHECK-NEXT: vae.add %[[H]], %[[H]]
func.func @twice_itself(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.add %h, %h : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @other_type
// CHECK: vae.dense
// CHECK-NEXT: vae.add
func.func @other_type(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>, %r: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.add %h, %r : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// A scale is no bias.
// CHECK-LABEL: func @scale
// CHECK: vae.dense
// CHECK-NEXT: vae.channel_affine
func.func @scale(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %scale = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.channel_affine %h, %scale, %scale : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The units run over axis 2, the channels over axis 1.
// CHECK-LABEL: func @bias_on_another_axis
// CHECK: vae.dense
// CHECK-NEXT: vae.channel_affine
func.func @bias_on_another_axis(%x: tensor<?x2x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2x2xf32> {
  %one = vae.constant dense<1.0> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x2x2xf32>, tensor<2x2xf32>) -> tensor<?x2x2xf32>
  %y = vae.channel_affine %h, %one, %one : (tensor<?x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x2xf32>
  return %y : tensor<?x2x2xf32>
}

// -----

// CHECK-LABEL: func @bias_after_residual
// CHECK: vae.dense
// CHECK-NEXT: vae.channel_affine
func.func @bias_after_residual(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %one = vae.constant dense<1.0> : tensor<2xf32>
  %h = vae.dense %x, %w residual(%x) : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.channel_affine %h, %one, %one : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A pool has no epilogue.
// CHECK-LABEL: func @no_epilogue
// CHECK: vae.global_pool
// CHECK-NEXT: vae.activation
func.func @no_epilogue(%x: tensor<?x2x4x4xf32>) -> tensor<?x2xf32> {
  %h = vae.global_pool %x {kind = #vae.pool<max>} : (tensor<?x2x4x4xf32>) -> tensor<?x2xf32>
  %y = vae.activation %h <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

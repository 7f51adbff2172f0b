// RUN: vae-opt %s --convert-vae-to-kernel --split-input-file | FileCheck %s

// A norm stores integers, within the border of the convolution that reads
// them.
!q = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i8<-127:127>:f32:0, {1.0, 1.0}>
// CHECK-LABEL: func.func @stored
// CHECK: kernel.launch @group_parameters
// CHECK: %[[EDGE:.*]] = kernel.launch @border_4024000000000000_i8x1() sizes
// CHECK: %[[Q:.*]] = kernel.launch @normalize_c2_silu_3f000000z10_i8x4(%{{.*}}) init(%[[EDGE]])
// CHECK-NOT: kernel.launch @{{quantize|copy}}
// CHECK: kernel.launch @conv_{{.*}}(%[[Q]],
func.func @stored(%x: tensor<?x2x4x4x!q, #vae.layout<channels_last>>) -> tensor<?x2x4x4xf32, #vae.layout<channels_last>> attributes {vae.entry} {
  %v = vae.constant dense<1.0> : tensor<2x2x1x1xf32>
  %w = vae.constant dense<1.0> : tensor<2x2x3x3xf32>
  %0 = vae.conv2d %x, %v {vae.weight_type = !w} : (tensor<?x2x4x4x!q, #vae.layout<channels_last>>, tensor<2x2x1x1xf32>) -> tensor<?x2x4x4xf32, #vae.layout<channels_last>>
  %1 = vae.group_norm %0 {groups = 2 : i64, epsilon = 1.0e-5 : f64, activation = #vae.act<silu>} : (tensor<?x2x4x4xf32, #vae.layout<channels_last>>) -> tensor<?x2x4x4xf32, #vae.layout<channels_last>>
  %2 = vae.convert_layout %1 : (tensor<?x2x4x4xf32, #vae.layout<channels_last>>) -> tensor<?x2x4x4x!q, #vae.layout<channels_last>>
  %3 = vae.conv2d %2, %w {padding = array<i64: 1, 1, 1, 1>, vae.weight_type = !w} : (tensor<?x2x4x4x!q, #vae.layout<channels_last>>, tensor<2x2x3x3xf32>) -> tensor<?x2x4x4xf32, #vae.layout<channels_last>>
  return %3 : tensor<?x2x4x4xf32, #vae.layout<channels_last>>
}

// -----

// Another reader wants the numbers.
!q = !quant.uniform<u8:f32, 0.5:10>
// CHECK-LABEL: func.func @other_reader
// CHECK: %[[Y:.*]] = kernel.launch @normalize_c8(
// CHECK: kernel.launch @quantize_f32_3f000000z10_i8x2(%[[Y]])
func.func @other_reader(%x: tensor<?x8xf32>) -> (tensor<?x8x!q>, tensor<?x8xf32>) attributes {vae.entry} {
  %0 = vae.group_norm %x {groups = 2 : i64, epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = vae.convert_layout %0 : (tensor<?x8xf32>) -> tensor<?x8x!q>
  %2 = vae.activation %0 <tanh> : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1, %2 : tensor<?x8x!q>, tensor<?x8xf32>
}

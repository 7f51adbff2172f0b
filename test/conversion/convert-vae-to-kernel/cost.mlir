// RUN: vae-opt %s --convert-vae-to-kernel --split-input-file | FileCheck %s

// Operations, and bytes read and written: 2 * 6 * 5 operations; 6 inputs and 5
// outputs an example, weight and bias in one block of 16 outputs.
// CHECK-DAG: #[[DENSE:.+]] = affine_map<()[s0] -> (s0 * 60, (s0 * 11 + 112) * 4)>
// CHECK-DAG: #[[RELU:.+]] = affine_map<()[s0] -> (s0 * 5, s0 * 40)>
// CHECK-DAG: #[[TOTAL:.+]] = affine_map<()[s0] -> (s0 * 65)>
// CHECK-LABEL: func.func @dense
// CHECK-SAME: kernel.flops = #[[TOTAL]]
// CHECK: kernel.launch @dense{{.*}} cost #[[DENSE]]
// CHECK: kernel.launch @{{.*}} cost #[[RELU]]
func.func @dense(%x: tensor<?x6xf32>) -> tensor<?x5xf32> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<5x6xf32>
  %b = vae.constant dense<1.0> : tensor<5xf32>
  %0 = vae.dense %x, %w bias(%b) : (tensor<?x6xf32>, tensor<5x6xf32>, tensor<5xf32>) -> tensor<?x5xf32>
  %1 = vae.activation %0 <relu> : (tensor<?x5xf32>) -> tensor<?x5xf32>
  return %1 : tensor<?x5xf32>
}

// -----

// Padding belongs to the convolution and has no operations: a border of 4*4*2 -
// 2*2*2 zeros is written, then 2*2*2 elements are copied; the taps that meet the
// border are left out.
// CHECK-DAG: #[[BORDER:.+]] = affine_map<()[s0] -> (0, s0 * 96)>
// CHECK-DAG: #[[COPY:.+]] = affine_map<()[s0] -> (0, s0 * 64)>
// CHECK-DAG: #[[CONV:.+]] = affine_map<()[s0] -> (s0 * 432, (s0 * 20 + 288) * 4)>
// CHECK-LABEL: func.func @padded
// CHECK: kernel.launch @border_0{{.*}} cost #[[BORDER]]
// CHECK: kernel.launch @copy{{.*}} cost #[[COPY]]
// CHECK: kernel.launch @conv{{.*}} cost #[[CONV]]
func.func @padded(%x: tensor<?x2x2x2xf32, #vae.layout<channels_last>>) -> tensor<?x3x2x2xf32, #vae.layout<channels_last>> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<3x2x3x3xf32>
  %0 = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x2x2x2xf32, #vae.layout<channels_last>>, tensor<3x2x3x3xf32>) -> tensor<?x3x2x2xf32, #vae.layout<channels_last>>
  return %0 : tensor<?x3x2x2xf32, #vae.layout<channels_last>>
}

// -----

// Every phase of a transposed convolution counts its own taps (4, 2, 2, 1 of 9)
// and the part of the result that it writes: 6x6, 6x5, 5x6 and 5x5 of 11x11
// pixels with 4 channels.
// CHECK-DAG: #[[P0:.+]] = affine_map<()[s0] -> (s0 * 3456, (s0 * 219 + 192) * 4)>
// CHECK-DAG: #[[P1:.+]] = affine_map<()[s0] -> (s0 * 1440, (s0 * 195 + 96) * 4)>
// CHECK-DAG: #[[P3:.+]] = affine_map<()[s0] -> (s0 * 600, (s0 * 175 + 48) * 4)>
// CHECK-DAG: #[[TOTAL:.+]] = affine_map<()[s0] -> (s0 * 6936)>
// CHECK-LABEL: func.func @transposed
// CHECK-SAME: kernel.flops = #[[TOTAL]]
// CHECK: kernel.launch @conv{{.*}} cost #[[P0]]
// CHECK: kernel.launch @conv{{.*}} cost #[[P1]]
// CHECK: kernel.launch @conv{{.*}} cost #[[P1]]
// CHECK: kernel.launch @conv{{.*}} cost #[[P3]]
func.func @transposed(%x: tensor<?x3x5x5xf32, #vae.layout<channels_last>>) -> tensor<?x4x11x11xf32, #vae.layout<channels_last>> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<3x4x3x3xf32>
  %0 = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : (tensor<?x3x5x5xf32, #vae.layout<channels_last>>, tensor<3x4x3x3xf32>) -> tensor<?x4x11x11xf32, #vae.layout<channels_last>>
  return %0 : tensor<?x4x11x11xf32, #vae.layout<channels_last>>
}

// -----

// A stride larger than the kernel: what no tap reaches is filled first, and
// neither input nor weight is read for it.
// CHECK-DAG: #[[FILL:.+]] = affine_map<()[s0] -> (0, s0 * 64)>
// CHECK-DAG: #[[TAP:.+]] = affine_map<()[s0] -> (s0 * 8, (s0 * 8 + 16) * 4)>
// CHECK-LABEL: func.func @gaps
// CHECK: kernel.launch @{{.*}} cost #[[FILL]]
// CHECK: kernel.launch @conv{{.*}} cost #[[TAP]]
func.func @gaps(%x: tensor<?x1x2x2xf32, #vae.layout<channels_last>>) -> tensor<?x1x4x4xf32, #vae.layout<channels_last>> attributes {vae.entry} {
  %w = vae.constant dense<1.0> : tensor<1x1x1x1xf32>
  %0 = vae.conv_transpose2d %x, %w {strides = array<i64: 2, 2>, output_padding = array<i64: 1, 1>} : (tensor<?x1x2x2xf32, #vae.layout<channels_last>>, tensor<1x1x1x1xf32>) -> tensor<?x1x4x4xf32, #vae.layout<channels_last>>
  return %0 : tensor<?x1x4x4xf32, #vae.layout<channels_last>>
}

// -----

// A slice reads what it takes, and each part of a concatenation writes its own.
// CHECK-DAG: #[[TWO:.+]] = affine_map<()[s0] -> (0, s0 * 16)>
// CHECK-DAG: #[[FIVE:.+]] = affine_map<()[s0] -> (0, s0 * 40)>
// CHECK-LABEL: func.func @moved
// CHECK: kernel.launch @copy{{.*}} cost #[[TWO]]
// CHECK: kernel.launch @copy{{.*}} cost #[[TWO]]
// CHECK: kernel.launch @copy{{.*}} init({{.*}} cost #[[FIVE]]
func.func @moved(%x: tensor<?x5xf32>) -> tensor<?x7xf32> attributes {vae.entry} {
  %0 = vae.slice %x {axis = 1 : i64, begin = 1 : i64, size = 2 : i64} : (tensor<?x5xf32>) -> tensor<?x2xf32>
  %1 = vae.concat %0, %x {axis = 1 : i64} : (tensor<?x2xf32>, tensor<?x5xf32>) -> tensor<?x7xf32>
  return %1 : tensor<?x7xf32>
}

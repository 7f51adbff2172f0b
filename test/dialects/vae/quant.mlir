// Quantized tensors: what may have them.
// RUN: vae-opt %s --canonicalize | vae-opt | FileCheck %s

!u8 = !quant.uniform<u8:f32, 0.5:10>
!v8 = !quant.uniform<u8:f32, 0.25:0>

// CHECK-LABEL: func.func @layers(
// CHECK: vae.convert_layout %arg0 : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8x!quant.uniform<u8:f32, 5.000000e-01:10>, #vae.layout<channels_last>>
// CHECK: vae.conv2d {{.*}} {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {5.000000e-01,2.500000e-01}>} : ({{.*}}) -> tensor<?x2x8x8x!quant.uniform<u8:f32, 2.500000e-01>>
// CHECK: vae.conv2d {{.*}} -> tensor<?x2x8x8xf32>
func.func @layers(%x: tensor<?x4x8x8xf32>, %w: tensor<2x4x1x1xf32>, %v: tensor<2x2x1x1xf32>) -> tensor<?x2x8x8xf32> {
  %q = vae.convert_layout %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8x!u8, #vae.layout<channels_last>>
  %0 = vae.conv2d %q, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>}
    : (tensor<?x4x8x8x!u8, #vae.layout<channels_last>>, tensor<2x4x1x1xf32>) -> tensor<?x2x8x8x!v8>
  %1 = vae.conv2d %0, %v residual(%0) {vae.weight_type = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>}
    : (tensor<?x2x8x8x!v8>, tensor<2x2x1x1xf32>, tensor<?x2x8x8x!v8>) -> tensor<?x2x8x8xf32>
  return %1 : tensor<?x2x8x8xf32>
}

// A step in f32 is no step in integers: nothing is folded.
// CHECK-LABEL: func.func @movement(
// CHECK-COUNT-8: !quant.uniform<u8:f32, 5.000000e-01:10>>{{$}}
// CHECK: vae.convert_layout {{.*}} -> tensor<?x32xf32>
func.func @movement(%x: tensor<?x4x8x8xf32>) -> tensor<?x32xf32> {
  %0 = vae.convert_layout %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8x!u8>
  %1 = vae.pool2d %0 {kind = #vae.pool<max>, kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8x!u8>) -> tensor<?x4x4x4x!u8>
  %2 = vae.pad %1 {padding = array<i64: 0, 0, 1, 1>} : (tensor<?x4x4x4x!u8>) -> tensor<?x4x5x5x!u8>
  %3 = vae.crop %2 {border = array<i64: 1, 1, 2, 2>} : (tensor<?x4x5x5x!u8>) -> tensor<?x4x2x2x!u8>
  %4 = vae.upsample %3 {scale = array<i64: 2, 1>} : (tensor<?x4x2x2x!u8>) -> tensor<?x4x4x2x!u8>
  %5 = vae.transpose %4 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x4x2x!u8>) -> tensor<?x4x2x4x!u8>
  %6 = vae.reshape %5 {shape = array<i64: -1>} : (tensor<?x4x2x4x!u8>) -> tensor<?x32x!u8>
  %7 = vae.slice %6 {axis = 1, begin = 0, size = 16} : (tensor<?x32x!u8>) -> tensor<?x16x!u8>
  %8 = vae.concat %7, %7 {axis = 1} : (tensor<?x16x!u8>, tensor<?x16x!u8>) -> tensor<?x32x!u8>
  %9 = vae.convert_layout %8 : (tensor<?x32x!u8>) -> tensor<?x32xf32>
  return %9 : tensor<?x32xf32>
}

// Rounding is kept.
// CHECK-LABEL: func.func @there_and_back(
// CHECK-COUNT-2: vae.convert_layout
func.func @there_and_back(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = vae.convert_layout %x : (tensor<?x4xf32>) -> tensor<?x4x!u8>
  %1 = vae.convert_layout %0 : (tensor<?x4x!u8>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

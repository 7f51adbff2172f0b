// Every operation is printed as it is written, and survives the generic form
// and bytecode.
// RUN: vae-opt %s | vae-opt | FileCheck %s
// RUN: vae-opt %s --mlir-print-op-generic | vae-opt | FileCheck %s
// RUN: vae-opt %s --emit-bytecode | vae-opt | FileCheck %s

// CHECK-LABEL: func.func @constant(
// CHECK: vae.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
func.func @constant() -> tensor<2xf32> {
  %0 = vae.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @constant_resource(
// CHECK: vae.constant dense_resource<w__0123456789abcdef> : tensor<2xf32>
func.func @constant_resource() -> tensor<2xf32> {
  %0 = vae.constant dense_resource<w__0123456789abcdef> : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @dense(
// CHECK: vae.dense %arg0, %arg1 : (tensor<?x4xf32>, tensor<3x4xf32>) -> tensor<?x3xf32>
// CHECK: vae.dense %arg0, %arg1 bias(%arg2) : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<?x3xf32>
// CHECK: vae.dense %arg0, %arg1 residual(%arg3) : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
// CHECK: vae.dense %arg0, %arg1 bias(%arg2) residual(%arg3) {activation = #vae.act<relu>} : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
func.func @dense(%x: tensor<?x4xf32>, %w: tensor<3x4xf32>, %b: tensor<3xf32>, %r: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = vae.dense %x, %w : (tensor<?x4xf32>, tensor<3x4xf32>) -> tensor<?x3xf32>
  %1 = vae.dense %x, %w bias(%b) : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  %2 = vae.dense %x, %w residual(%r) : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  %3 = vae.dense %x, %w bias(%b) residual(%r) {activation = #vae.act<relu>} : (tensor<?x4xf32>, tensor<3x4xf32>, tensor<3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return %3 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @dense_rank_3(
// CHECK: vae.dense %arg0, %arg1 : (tensor<?x5x4xf32>, tensor<3x4xf32>) -> tensor<?x5x3xf32>
func.func @dense_rank_3(%x: tensor<?x5x4xf32>, %w: tensor<3x4xf32>) -> tensor<?x5x3xf32> {
  %0 = vae.dense %x, %w : (tensor<?x5x4xf32>, tensor<3x4xf32>) -> tensor<?x5x3xf32>
  return %0 : tensor<?x5x3xf32>
}

// CHECK-LABEL: func.func @conv2d(
// CHECK: vae.conv2d %arg0, %arg1 {groups = 2 : i64} : (tensor<?x4x?x8xf32>, tensor<6x2x3x3xf32>) -> tensor<?x6x?x6xf32>
// CHECK: vae.conv2d %arg0, %arg1 bias(%arg2) residual(%arg3) {activation = #vae.act<leaky_relu, alpha = 1.000000e-01 : f64>, dilations = array<i64: 2, 2>, groups = 2 : i64, padding = array<i64: 0, 1, 2, 3>, strides = array<i64: 2, 2>} : (tensor<?x4x?x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>, tensor<?x6x?x4xf32>) -> tensor<?x6x?x4xf32>
func.func @conv2d(%x: tensor<?x4x?x8xf32>, %w: tensor<6x2x3x3xf32>, %b: tensor<6xf32>, %r: tensor<?x6x?x4xf32>) -> tensor<?x6x?x4xf32> {
  %0 = vae.conv2d %x, %w {groups = 2 : i64} : (tensor<?x4x?x8xf32>, tensor<6x2x3x3xf32>) -> tensor<?x6x?x6xf32>
  %1 = vae.conv2d %x, %w bias(%b) residual(%r) {activation = #vae.act<leaky_relu, alpha = 1.000000e-01 : f64>, dilations = array<i64: 2, 2>, groups = 2 : i64, padding = array<i64: 0, 1, 2, 3>, strides = array<i64: 2, 2>} : (tensor<?x4x?x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>, tensor<?x6x?x4xf32>) -> tensor<?x6x?x4xf32>
  return %1 : tensor<?x6x?x4xf32>
}

// CHECK-LABEL: func.func @conv3d(
// CHECK: vae.conv3d %arg0, %arg1 bias(%arg2) {dilations = array<i64: 1, 2, 1>, groups = 2 : i64, padding = array<i64: 2, 1, 0, 0, 1, 3>, strides = array<i64: 1, 1, 2>} : (tensor<?x4x?x8x8xf32>, tensor<6x2x3x3x3xf32>, tensor<6xf32>) -> tensor<?x6x?x6x5xf32>
func.func @conv3d(%x: tensor<?x4x?x8x8xf32>, %w: tensor<6x2x3x3x3xf32>, %b: tensor<6xf32>) -> tensor<?x6x?x6x5xf32> {
  %0 = vae.conv3d %x, %w bias(%b) {dilations = array<i64: 1, 2, 1>, groups = 2 : i64, padding = array<i64: 2, 1, 0, 0, 1, 3>, strides = array<i64: 1, 1, 2>} : (tensor<?x4x?x8x8xf32>, tensor<6x2x3x3x3xf32>, tensor<6xf32>) -> tensor<?x6x?x6x5xf32>
  return %0 : tensor<?x6x?x6x5xf32>
}

// CHECK-LABEL: func.func @frames(
// CHECK: vae.frames_to_batch %arg0 : (tensor<?x4x5x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.batch_to_frames %{{.*}} like(%arg0) : (tensor<?x4x8x8xf32>, tensor<?x4x5x8x8xf32>) -> tensor<?x4x5x8x8xf32>
// CHECK: vae.batch_to_frames %{{.*}} {frames = 5 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x5x8x8xf32>
// CHECK: vae.batch_to_frames %{{.*}} : (tensor<?x4x8x8xf32>) -> tensor<1x4x?x8x8xf32>
func.func @frames(%x: tensor<?x4x5x8x8xf32>) -> tensor<1x4x?x8x8xf32> {
  %0 = vae.frames_to_batch %x : (tensor<?x4x5x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.batch_to_frames %0 like(%x) : (tensor<?x4x8x8xf32>, tensor<?x4x5x8x8xf32>) -> tensor<?x4x5x8x8xf32>
  %2 = vae.batch_to_frames %0 {frames = 5 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x5x8x8xf32>
  %3 = vae.batch_to_frames %0 : (tensor<?x4x8x8xf32>) -> tensor<1x4x?x8x8xf32>
  return %3 : tensor<1x4x?x8x8xf32>
}

// CHECK-LABEL: func.func @frames_as_channels(
// CHECK: vae.frames_to_channels %arg0 {factor = 2 : i64} : (tensor<?x4x6x8x8xf32>) -> tensor<?x8x3x8x8xf32>
// CHECK: vae.channels_to_frames %{{.*}} {channel_major = true, factor = 2 : i64} : (tensor<?x8x3x8x8xf32>) -> tensor<?x4x6x8x8xf32>
func.func @frames_as_channels(%x: tensor<?x4x6x8x8xf32>) -> tensor<?x4x6x8x8xf32> {
  %0 = vae.frames_to_channels %x {factor = 2 : i64} : (tensor<?x4x6x8x8xf32>) -> tensor<?x8x3x8x8xf32>
  %1 = vae.channels_to_frames %0 {channel_major = true, factor = 2 : i64} : (tensor<?x8x3x8x8xf32>) -> tensor<?x4x6x8x8xf32>
  return %1 : tensor<?x4x6x8x8xf32>
}

// CHECK-LABEL: func.func @conv_transpose2d(
// CHECK: vae.conv_transpose2d %arg0, %arg1 bias(%arg2) {dilations = array<i64: 1, 2>, groups = 2 : i64, output_padding = array<i64: 1, 0>, padding = array<i64: 1, 0, 1, 0>, strides = array<i64: 2, 1>} : (tensor<?x4x5x6xf32>, tensor<4x3x3x3xf32>, tensor<6xf32>) -> tensor<?x6x10x10xf32>
func.func @conv_transpose2d(%x: tensor<?x4x5x6xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<6xf32>) -> tensor<?x6x10x10xf32> {
  %0 = vae.conv_transpose2d %x, %w bias(%b) {dilations = array<i64: 1, 2>, groups = 2 : i64, output_padding = array<i64: 1, 0>, padding = array<i64: 1, 0, 1, 0>, strides = array<i64: 2, 1>} : (tensor<?x4x5x6xf32>, tensor<4x3x3x3xf32>, tensor<6xf32>) -> tensor<?x6x10x10xf32>
  return %0 : tensor<?x6x10x10xf32>
}

// CHECK-LABEL: func.func @batch_norm(
// CHECK: vae.batch_norm %arg0, %arg1, %arg1 {epsilon = 1.000000e-03 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.batch_norm %{{.*}}, %arg1, %arg1 weight(%arg1) bias(%arg1) {epsilon = 1.000000e-03 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
func.func @batch_norm(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.batch_norm %x, %c, %c {epsilon = 1.000000e-03 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.batch_norm %0, %c, %c weight(%c) bias(%c) {epsilon = 1.000000e-03 : f64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @group_norm(
// CHECK: vae.group_norm %arg0 weight(%arg1) bias(%arg1) {epsilon = 1.000000e-03 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
func.func @group_norm(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.group_norm %x weight(%c) bias(%c) {epsilon = 1.000000e-03 : f64, groups = 2 : i64} : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return %0 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @layer_norm(
// CHECK: vae.layer_norm %arg0 weight(%arg1) bias(%arg1) {axes = 2 : i64, epsilon = 1.000000e-03 : f64} : (tensor<?x3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<?x3x4xf32>
func.func @layer_norm(%x: tensor<?x3x4xf32>, %c: tensor<3x4xf32>) -> tensor<?x3x4xf32> {
  %0 = vae.layer_norm %x weight(%c) bias(%c) {axes = 2 : i64, epsilon = 1.000000e-03 : f64} : (tensor<?x3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<?x3x4xf32>
  return %0 : tensor<?x3x4xf32>
}

// CHECK-LABEL: func.func @channel_affine(
// CHECK: vae.channel_affine %arg0, %arg1, %arg1 : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
func.func @channel_affine(%x: tensor<?x4x8x8xf32>, %c: tensor<4xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.channel_affine %x, %c, %c : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  return %0 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @activation(
// CHECK: vae.activation %arg0 <relu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <leaky_relu, alpha = 1.000000e-01 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <sigmoid> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <tanh> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <silu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <gelu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <gelu_tanh> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <mish> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <softplus> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <selu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <elu, alpha = 1.000000e+00 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <hard_sigmoid, alpha = 2.000000e-01 : f64, beta = 5.000000e-01 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <hard_swish> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <relu6> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <exp> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <clamp, alpha = -1.000000e+00 : f64, beta = 1.000000e+00 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.activation %{{.*}} <affine, alpha = 2.000000e+00 : f64, beta = 1.000000e+00 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
func.func @activation(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.activation %x <relu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.activation %0 <leaky_relu, alpha = 1.000000e-01 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %2 = vae.activation %1 <sigmoid> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %3 = vae.activation %2 <tanh> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %4 = vae.activation %3 <silu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %5 = vae.activation %4 <gelu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %6 = vae.activation %5 <gelu_tanh> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %7 = vae.activation %6 <mish> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %8 = vae.activation %7 <softplus> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %9 = vae.activation %8 <selu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %10 = vae.activation %9 <elu, alpha = 1.000000e+00 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %11 = vae.activation %10 <hard_sigmoid, alpha = 2.000000e-01 : f64, beta = 5.000000e-01 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %12 = vae.activation %11 <hard_swish> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %13 = vae.activation %12 <relu6> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %14 = vae.activation %13 <exp> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %15 = vae.activation %14 <clamp, alpha = -1.000000e+00 : f64, beta = 1.000000e+00 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %16 = vae.activation %15 <affine, alpha = 2.000000e+00 : f64, beta = 1.000000e+00 : f64> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %16 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @prelu(
// CHECK: vae.prelu %arg0, %arg1 : (tensor<?x4x8x8xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.prelu %{{.*}}, %arg2 : (tensor<?x4x8x8xf32>, tensor<1xf32>) -> tensor<?x4x8x8xf32>
func.func @prelu(%x: tensor<?x4x8x8xf32>, %s: tensor<4xf32>, %o: tensor<1xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.prelu %x, %s : (tensor<?x4x8x8xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.prelu %0, %o : (tensor<?x4x8x8xf32>, tensor<1xf32>) -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @binary(
// CHECK: vae.add %arg0, %arg0 : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.sub %{{.*}}, %arg0 : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK: vae.mul %{{.*}}, %arg1 : (tensor<?x4x8x8xf32>, tensor<2x4x8x8xf32>) -> tensor<2x4x8x8xf32>
func.func @binary(%x: tensor<?x4x8x8xf32>, %z: tensor<2x4x8x8xf32>) -> tensor<2x4x8x8xf32> {
  %0 = vae.add %x, %x : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %1 = vae.sub %0, %x : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  %2 = vae.mul %1, %z : (tensor<?x4x8x8xf32>, tensor<2x4x8x8xf32>) -> tensor<2x4x8x8xf32>
  return %2 : tensor<2x4x8x8xf32>
}

// CHECK-LABEL: func.func @softmax(
// CHECK: vae.softmax %arg0 {axis = 1 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
func.func @softmax(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.softmax %x {axis = 1 : i64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %0 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @dropout(
// CHECK: vae.dropout %arg0 {rate = 5.000000e-01 : f64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
func.func @dropout(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %0 = vae.dropout %x {rate = 5.000000e-01 : f64} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %0 : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func.func @upsample(
// CHECK: vae.upsample %arg0 {scale = array<i64: 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x16x24xf32>
// CHECK: vae.upsample %arg0 {align_corners = true, mode = #vae.resize<bilinear>, scale = array<i64: 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x16x24xf32>
func.func @upsample(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x16x24xf32> {
  %0 = vae.upsample %x {scale = array<i64: 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x16x24xf32>
  %1 = vae.upsample %x {align_corners = true, mode = #vae.resize<bilinear>, scale = array<i64: 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x16x24xf32>
  return %1 : tensor<?x4x16x24xf32>
}

// CHECK-LABEL: func.func @pool2d(
// CHECK: vae.pool2d %arg0 {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
// CHECK: vae.pool2d %arg0 {count_include_pad = false, kernel = array<i64: 3, 3>, kind = #vae.pool<avg>, padding = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
func.func @pool2d(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32> {
  %0 = vae.pool2d %x {kernel = array<i64: 2, 2>, kind = #vae.pool<max>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  %1 = vae.pool2d %x {count_include_pad = false, kernel = array<i64: 3, 3>, kind = #vae.pool<avg>, padding = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x4x4xf32>
  return %1 : tensor<?x4x4x4xf32>
}

// CHECK-LABEL: func.func @global_pool(
// CHECK: vae.global_pool %arg0 {kind = #vae.pool<avg>} : (tensor<?x4x8x8xf32>) -> tensor<?x4xf32>
func.func @global_pool(%x: tensor<?x4x8x8xf32>) -> tensor<?x4xf32> {
  %0 = vae.global_pool %x {kind = #vae.pool<avg>} : (tensor<?x4x8x8xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @concat(
// CHECK: vae.concat %arg0, %arg1, %arg0 {axis = 1 : i64} : (tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x4xf32>) -> tensor<?x10xf32>
func.func @concat(%x: tensor<?x4xf32>, %z: tensor<?x2xf32>) -> tensor<?x10xf32> {
  %0 = vae.concat %x, %z, %x {axis = 1 : i64} : (tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x4xf32>) -> tensor<?x10xf32>
  return %0 : tensor<?x10xf32>
}

// CHECK-LABEL: func.func @split(
// CHECK: vae.split %arg0 {axis = 1 : i64, sections = 2 : i64} : (tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
// CHECK: vae.split %arg0 {axis = 1 : i64, interleaved = true, sections = 2 : i64} : (tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
func.func @split(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %0:2 = vae.split %x {axis = 1 : i64, sections = 2 : i64} : (tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
  %1:2 = vae.split %x {axis = 1 : i64, interleaved = true, sections = 2 : i64} : (tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
  return %1#0 : tensor<?x2xf32>
}

// CHECK-LABEL: func.func @slice(
// CHECK: vae.slice %arg0 {axis = 1 : i64, begin = 1 : i64, size = 3 : i64} : (tensor<?x9xf32>) -> tensor<?x3xf32>
// CHECK: vae.slice %arg0 {axis = 1 : i64, begin = 1 : i64, size = 3 : i64, stride = 3 : i64} : (tensor<?x9xf32>) -> tensor<?x3xf32>
// CHECK: vae.slice %arg0 {axis = 1 : i64, begin = 4 : i64} : (tensor<?x9xf32>) -> tensor<?x5xf32>
func.func @slice(%x: tensor<?x9xf32>) -> tensor<?x3xf32> {
  %0 = vae.slice %x {axis = 1 : i64, begin = 1 : i64, size = 3 : i64} : (tensor<?x9xf32>) -> tensor<?x3xf32>
  %1 = vae.slice %x {axis = 1 : i64, begin = 1 : i64, size = 3 : i64, stride = 3 : i64} : (tensor<?x9xf32>) -> tensor<?x3xf32>
  %2 = vae.slice %x {axis = 1 : i64, begin = 4 : i64} : (tensor<?x9xf32>) -> tensor<?x5xf32>
  return %1 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @crop(
// CHECK: vae.crop %arg0 {border = array<i64: 0, 1, 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x6x4xf32>
func.func @crop(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x6x4xf32> {
  %0 = vae.crop %x {border = array<i64: 0, 1, 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x6x4xf32>
  return %0 : tensor<?x4x6x4xf32>
}

// CHECK-LABEL: func.func @pad(
// CHECK: vae.pad %arg0 {padding = array<i64: 0, 1, 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x10x12xf32>
// CHECK: vae.pad %arg0 {padding = array<i64: 0, 1, 2, 3>, value = 1.000000e+00 : f32} : (tensor<?x4x8x8xf32>) -> tensor<?x4x10x12xf32>
func.func @pad(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x10x12xf32> {
  %0 = vae.pad %x {padding = array<i64: 0, 1, 2, 3>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x10x12xf32>
  %1 = vae.pad %x {padding = array<i64: 0, 1, 2, 3>, value = 1.000000e+00 : f32} : (tensor<?x4x8x8xf32>) -> tensor<?x4x10x12xf32>
  return %1 : tensor<?x4x10x12xf32>
}

// CHECK-LABEL: func.func @reshape(
// CHECK: vae.reshape %arg0 {shape = array<i64: -1>} : (tensor<?x4x8x8xf32>) -> tensor<?x256xf32>
// CHECK: vae.reshape %{{.*}} {shape = array<i64: 16, -1>} : (tensor<?x256xf32>) -> tensor<?x16x16xf32>
func.func @reshape(%x: tensor<?x4x8x8xf32>) -> tensor<?x16x16xf32> {
  %0 = vae.reshape %x {shape = array<i64: -1>} : (tensor<?x4x8x8xf32>) -> tensor<?x256xf32>
  %1 = vae.reshape %0 {shape = array<i64: 16, -1>} : (tensor<?x256xf32>) -> tensor<?x16x16xf32>
  return %1 : tensor<?x16x16xf32>
}

// CHECK-LABEL: func.func @transpose(
// CHECK: vae.transpose %arg0 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x9xf32>) -> tensor<?x8x9x4xf32>
func.func @transpose(%x: tensor<?x4x8x9xf32>) -> tensor<?x8x9x4xf32> {
  %0 = vae.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x9xf32>) -> tensor<?x8x9x4xf32>
  return %0 : tensor<?x8x9x4xf32>
}

// CHECK-LABEL: func.func @convert_layout(
// CHECK: vae.convert_layout %arg0 : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32, #vae.layout<channels_last>>
func.func @convert_layout(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32, #vae.layout<channels_last>> {
  %0 = vae.convert_layout %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32, #vae.layout<channels_last>>
  return %0 : tensor<?x4x8x8xf32, #vae.layout<channels_last>>
}

// CHECK-LABEL: func.func @reparameterize(
// CHECK: vae.reparameterize %arg0, %arg0, %arg0 : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @reparameterize(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = vae.reparameterize %x, %x, %x : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @kl(
// CHECK: vae.kl %arg0, %arg0 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
// CHECK: vae.kl %arg0, %arg0 prior(%arg1, %arg1) : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
func.func @kl(%x: tensor<?x4xf32>, %c: tensor<4xf32>) -> tensor<?xf32> {
  %0 = vae.kl %x, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  %1 = vae.kl %x, %x prior(%c, %c) : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// CHECK-LABEL: func.func @log_likelihood(
// CHECK: vae.log_likelihood %arg0, %arg0 {likelihood = #vae.likelihood<bernoulli_logits>} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
// CHECK: vae.log_likelihood %arg0, %arg0 {likelihood = #vae.likelihood<bernoulli>} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
// CHECK: vae.log_likelihood %arg0, %arg0 {likelihood = #vae.likelihood<laplace>, scale = 2.000000e+00 : f64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
// CHECK: vae.log_likelihood %arg0, %arg0 logvar(%arg0) {likelihood = #vae.likelihood<gaussian>} : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
func.func @log_likelihood(%x: tensor<?x4xf32>) -> tensor<?xf32> {
  %0 = vae.log_likelihood %x, %x {likelihood = #vae.likelihood<bernoulli_logits>} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  %1 = vae.log_likelihood %x, %x {likelihood = #vae.likelihood<bernoulli>} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  %2 = vae.log_likelihood %x, %x {likelihood = #vae.likelihood<laplace>, scale = 2.000000e+00 : f64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  %3 = vae.log_likelihood %x, %x logvar(%x) {likelihood = #vae.likelihood<gaussian>} : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?xf32>
  return %3 : tensor<?xf32>
}

{-#
  dialect_resources: {
    builtin: {
      w__0123456789abcdef: "0x040000000000803F00000040"
    }
  }
#-}

// CHECK-LABEL: func.func @group_norm_epilogue(
// CHECK: vae.group_norm %arg0 weight(%arg1) residual(%arg2) {activation = #vae.act<silu>, epsilon = 5.000000e-01 : f64, groups = 2 : i64} : (tensor<?x4x?x?xf32>, tensor<4xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
func.func @group_norm_epilogue(%x: tensor<?x4x?x?xf32>, %w: tensor<4xf32>, %r: tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> {
  %0 = vae.group_norm %x weight(%w) residual(%r) {activation = #vae.act<silu>, epsilon = 5.000000e-01 : f64, groups = 2 : i64} : (tensor<?x4x?x?xf32>, tensor<4xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %0 : tensor<?x4x?x?xf32>
}

// CHECK-LABEL: func.func @rms_norm(
// CHECK: vae.rms_norm %arg0 {epsilon = 1.250000e-01 : f64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
// CHECK: vae.rms_norm %arg0 weight(%arg1) bias(%arg1) residual(%arg0) {activation = #vae.act<relu>, epsilon = 2.500000e-01 : f64, l2 = true} : (tensor<?x4x?x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
func.func @rms_norm(%x: tensor<?x4x?x?xf32>, %c: tensor<4xf32>) -> tensor<?x4x?x?xf32> {
  %0 = vae.rms_norm %x {epsilon = 1.250000e-01 : f64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %1 = vae.rms_norm %x weight(%c) bias(%c) residual(%x) {activation = #vae.act<relu>, epsilon = 2.500000e-01 : f64, l2 = true} : (tensor<?x4x?x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %1 : tensor<?x4x?x?xf32>
}

// CHECK-LABEL: func.func @attention(
// CHECK: vae.attention %arg0, %arg1, %arg2 {heads = 2 : i64, scale = 5.000000e-01 : f64} : (tensor<?x?x4xf32>, tensor<?x7x4xf32>, tensor<?x7x6xf32>) -> tensor<?x?x6xf32>
// CHECK: vae.attention %arg3, %arg3, %arg3 {scale = 1.000000e+00 : f64} : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
func.func @attention(%q: tensor<?x?x4xf32>, %k: tensor<?x7x4xf32>, %v: tensor<?x7x6xf32>, %x: tensor<?x4x?x?xf32>) -> tensor<?x?x6xf32> {
  %0 = vae.attention %q, %k, %v {heads = 2 : i64, scale = 5.000000e-01 : f64} : (tensor<?x?x4xf32>, tensor<?x7x4xf32>, tensor<?x7x6xf32>) -> tensor<?x?x6xf32>
  %1 = vae.attention %x, %x, %x {scale = 1.000000e+00 : f64} : (tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>, tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %0 : tensor<?x?x6xf32>
}

// CHECK-LABEL: func.func @linear_attention(
// CHECK: vae.linear_attention %arg0 {epsilon = 1.000000e+00 : f64, head_dim = 2 : i64} : (tensor<?x12x?x5xf32>) -> tensor<?x4x?x5xf32>
func.func @linear_attention(%x: tensor<?x12x?x5xf32>) -> tensor<?x4x?x5xf32> {
  %0 = vae.linear_attention %x {epsilon = 1.000000e+00 : f64, head_dim = 2 : i64} : (tensor<?x12x?x5xf32>) -> tensor<?x4x?x5xf32>
  return %0 : tensor<?x4x?x5xf32>
}

// CHECK-LABEL: func.func @codebook(
// CHECK: vae.nearest_codebook %arg0, %arg1 : (tensor<?x4x?x5xf32>, tensor<9x4xf32>) -> tensor<?x?x5xf32>
// CHECK: vae.embedding %{{.*}}, %arg1 : (tensor<?x?x5xf32>, tensor<9x4xf32>) -> tensor<?x4x?x5xf32>
func.func @codebook(%x: tensor<?x4x?x5xf32>, %c: tensor<9x4xf32>) -> tensor<?x4x?x5xf32> {
  %0 = vae.nearest_codebook %x, %c : (tensor<?x4x?x5xf32>, tensor<9x4xf32>) -> tensor<?x?x5xf32>
  %1 = vae.embedding %0, %c : (tensor<?x?x5xf32>, tensor<9x4xf32>) -> tensor<?x4x?x5xf32>
  return %1 : tensor<?x4x?x5xf32>
}

// CHECK-LABEL: func.func @glu(
// CHECK: vae.glu %arg0 <silu> : (tensor<?x6x?xf32>) -> tensor<?x3x?xf32>
func.func @glu(%x: tensor<?x6x?xf32>) -> tensor<?x3x?xf32> {
  %0 = vae.glu %x <silu> : (tensor<?x6x?xf32>) -> tensor<?x3x?xf32>
  return %0 : tensor<?x3x?xf32>
}

// CHECK-LABEL: func.func @resize(
// CHECK: vae.resize %arg0 like(%arg1) {mode = #vae.resize<nearest_exact>} : (tensor<?x4x?x5xf32>, tensor<?x2x?x7xf32>) -> tensor<?x4x?x7xf32>
// CHECK: vae.resize %arg0 {align_corners = true, mode = #vae.resize<bilinear>, size = array<i64: 6, 7>} : (tensor<?x4x?x5xf32>) -> tensor<?x4x6x7xf32>
func.func @resize(%x: tensor<?x4x?x5xf32>, %y: tensor<?x2x?x7xf32>) -> tensor<?x4x6x7xf32> {
  %0 = vae.resize %x like(%y) {mode = #vae.resize<nearest_exact>} : (tensor<?x4x?x5xf32>, tensor<?x2x?x7xf32>) -> tensor<?x4x?x7xf32>
  %1 = vae.resize %x {align_corners = true, mode = #vae.resize<bilinear>, size = array<i64: 6, 7>} : (tensor<?x4x?x5xf32>) -> tensor<?x4x6x7xf32>
  return %1 : tensor<?x4x6x7xf32>
}

// CHECK-LABEL: func.func @channels_and_pixels(
// CHECK: vae.pixel_unshuffle %arg0 {factor = 2 : i64} : (tensor<?x3x?x6xf32>) -> tensor<?x12x?x3xf32>
// CHECK: vae.mean_channels %{{.*}} {group = 3 : i64} : (tensor<?x12x?x3xf32>) -> tensor<?x4x?x3xf32>
// CHECK: vae.repeat_channels %{{.*}} {repeats = 3 : i64} : (tensor<?x4x?x3xf32>) -> tensor<?x12x?x3xf32>
// CHECK: vae.pixel_shuffle %{{.*}} {factor = 2 : i64} : (tensor<?x12x?x3xf32>) -> tensor<?x3x?x6xf32>
func.func @channels_and_pixels(%x: tensor<?x3x?x6xf32>) -> tensor<?x3x?x6xf32> {
  %0 = vae.pixel_unshuffle %x {factor = 2 : i64} : (tensor<?x3x?x6xf32>) -> tensor<?x12x?x3xf32>
  %1 = vae.mean_channels %0 {group = 3 : i64} : (tensor<?x12x?x3xf32>) -> tensor<?x4x?x3xf32>
  %2 = vae.repeat_channels %1 {repeats = 3 : i64} : (tensor<?x4x?x3xf32>) -> tensor<?x12x?x3xf32>
  %3 = vae.pixel_shuffle %2 {factor = 2 : i64} : (tensor<?x12x?x3xf32>) -> tensor<?x3x?x6xf32>
  return %3 : tensor<?x3x?x6xf32>
}

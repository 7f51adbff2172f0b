// Every folder and canonicalization, and where each must not fire.
// RUN: vae-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @dropout
// CHECK-NEXT: return %arg0
func.func @dropout(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = vae.dropout %x {rate = 0.5 : f64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// The types differ: the value cannot take its place.
// CHECK-LABEL: func @dropout_of_another_type
// CHECK: vae.dropout
func.func @dropout_of_another_type(%x: tensor<?x4xf32>) -> tensor<2x4xf32> {
  %y = vae.dropout %x {rate = 0.5 : f64} : (tensor<?x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func @affine_identity
// CHECK-NEXT: return %arg0
func.func @affine_identity(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = vae.activation %x <affine, alpha = 1.0> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @affine_no_identity
// CHECK: vae.activation
// CHECK: vae.activation
func.func @affine_no_identity(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = vae.activation %x <affine, alpha = 1.0, beta = 1.0> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.activation %0 <affine, alpha = 2.0> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// CHECK-LABEL: func @relu_of_relu
// CHECK-NEXT: %[[Y:.*]] = vae.activation %arg0 <relu>
// CHECK-NEXT: return %[[Y]]
func.func @relu_of_relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = vae.activation %x <relu> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.activation %0 <relu> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// CHECK-LABEL: func @other_functions_twice
// CHECK: vae.activation %arg0 <sigmoid>
// CHECK-NEXT: vae.activation %{{.*}} <sigmoid>
// CHECK-NEXT: vae.activation %{{.*}} <relu>
// CHECK-NEXT: vae.activation %{{.*}} <relu6>
func.func @other_functions_twice(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = vae.activation %x <sigmoid> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = vae.activation %0 <sigmoid> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = vae.activation %1 <relu> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = vae.activation %2 <relu6> : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %3 : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @concat_of_one
// CHECK-NEXT: return %arg0
func.func @concat_of_one(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = vae.concat %x {axis = 1} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @concat_of_two
// CHECK: vae.concat
func.func @concat_of_two(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
  %y = vae.concat %x, %x {axis = 1} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func @whole_slice
// CHECK-NEXT: return %arg0
func.func @whole_slice(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = vae.slice %x {axis = 1, begin = 0, size = 4} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @part_slice
// CHECK: vae.slice
func.func @part_slice(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %y = vae.slice %x {axis = 1, begin = 0, size = 2} : (tensor<?x4xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @split
// CHECK-DAG: %[[A:.*]] = vae.slice %arg0 {axis = 1 : i64, begin = 0 : i64, size = 2 : i64}
// CHECK-DAG: %[[B:.*]] = vae.slice %arg0 {axis = 1 : i64, begin = 2 : i64, size = 2 : i64}
// CHECK: return %[[A]], %[[B]]
func.func @split(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %y:2 = vae.split %x {axis = 1, sections = 2} : (tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
  return %y#0, %y#1 : tensor<?x2xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: func @interleaved_split
// CHECK-DAG: %[[A:.*]] = vae.slice %arg0 {axis = 1 : i64, begin = 0 : i64, size = 2 : i64, stride = 2 : i64}
// CHECK-DAG: %[[B:.*]] = vae.slice %arg0 {axis = 1 : i64, begin = 1 : i64, size = 2 : i64, stride = 2 : i64}
// CHECK: return %[[A]], %[[B]]
func.func @interleaved_split(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %y:2 = vae.split %x {axis = 1, sections = 2, interleaved = true} : (tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
  return %y#0, %y#1 : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @no_pad
// CHECK-NEXT: return %arg0
func.func @no_pad(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %y = vae.pad %x {padding = array<i64: 0, 0, 0, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %y : tensor<?x4x8x8xf32>
}

// CHECK-LABEL: func @pad_into_conv
// CHECK-NEXT: vae.conv2d %arg0, %arg1 {padding = array<i64: 1, 1, 2, 1>}
// CHECK-NEXT: return
func.func @pad_into_conv(%x: tensor<?x4x8x8xf32>, %w: tensor<4x4x3x3xf32>) -> tensor<?x4x9x8xf32> {
  %p = vae.pad %x {padding = array<i64: 0, 0, 1, 0>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x9x8xf32>
  %y = vae.conv2d %p, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x9x8xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x9x8xf32>
  return %y : tensor<?x4x9x8xf32>
}

// A transposed convolution has no padding of this kind, a convolution pads with
// zeros only.
// CHECK-LABEL: func @pad_not_into_conv
// CHECK: vae.pad
// CHECK-NEXT: vae.conv_transpose2d
// CHECK-NEXT: vae.pad
// CHECK-NEXT: vae.conv2d
func.func @pad_not_into_conv(%x: tensor<?x4x8x8xf32>, %w: tensor<4x4x1x1xf32>) -> tensor<?x4x12x12xf32> {
  %0 = vae.pad %x {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x10x10xf32>
  %1 = vae.conv_transpose2d %0, %w : (tensor<?x4x10x10xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x10x10xf32>
  %2 = vae.pad %1 {padding = array<i64: 1, 1, 1, 1>, value = 1.0 : f32} : (tensor<?x4x10x10xf32>) -> tensor<?x4x12x12xf32>
  %3 = vae.conv2d %2, %w : (tensor<?x4x12x12xf32>, tensor<4x4x1x1xf32>) -> tensor<?x4x12x12xf32>
  return %3 : tensor<?x4x12x12xf32>
}

// -----

// CHECK-LABEL: func @no_upsample
// CHECK-NEXT: return %arg0
func.func @no_upsample(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %y = vae.upsample %x {scale = array<i64: 1, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %y : tensor<?x4x8x8xf32>
}

// The sizes are not known, and one of them changes.
// CHECK-LABEL: func @upsample
// CHECK: vae.upsample
func.func @upsample(%x: tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32> {
  %y = vae.upsample %x {scale = array<i64: 1, 2>} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %y : tensor<?x4x?x?xf32>
}

// -----

// CHECK-LABEL: func @same_shape
// CHECK-NEXT: return %arg0
func.func @same_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = vae.reshape %x {shape = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @chain
// CHECK-NEXT: vae.reshape %arg0 {shape = array<i64: 2, 8>} : (tensor<?x16xf32>) -> tensor<?x2x8xf32>
// CHECK-NEXT: return
func.func @chain(%x: tensor<?x16xf32>) -> tensor<?x2x8xf32> {
  %0 = vae.reshape %x {shape = array<i64: 4, 4>} : (tensor<?x16xf32>) -> tensor<?x4x4xf32>
  %1 = vae.reshape %0 {shape = array<i64: -1>} : (tensor<?x4x4xf32>) -> tensor<?x16xf32>
  %2 = vae.reshape %1 {shape = array<i64: 2, 8>} : (tensor<?x16xf32>) -> tensor<?x2x8xf32>
  return %2 : tensor<?x2x8xf32>
}

// CHECK-LABEL: func @there_and_back
// CHECK-NEXT: return %arg0
func.func @there_and_back(%x: tensor<?x4x2x2xf32>) -> tensor<?x4x2x2xf32> {
  %0 = vae.reshape %x {shape = array<i64: -1>} : (tensor<?x4x2x2xf32>) -> tensor<?x16xf32>
  %1 = vae.reshape %0 {shape = array<i64: 4, 2, 2>} : (tensor<?x16xf32>) -> tensor<?x4x2x2xf32>
  return %1 : tensor<?x4x2x2xf32>
}

// Height and width may have changed places.
// CHECK-LABEL: func @unknown_shape
// CHECK: vae.reshape
func.func @unknown_shape(%x: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %y = vae.reshape %x {shape = array<i64: 6, 4>} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// -----

// CHECK-LABEL: func @transpose_pair
// CHECK-NEXT: return %arg0
func.func @transpose_pair(%x: tensor<?x4x8x9xf32>) -> tensor<?x4x8x9xf32> {
  %0 = vae.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x9xf32>) -> tensor<?x8x9x4xf32>
  %1 = vae.transpose %0 {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x8x9x4xf32>) -> tensor<?x4x8x9xf32>
  return %1 : tensor<?x4x8x9xf32>
}

// CHECK-LABEL: func @two_transposes
// CHECK-NEXT: vae.transpose %arg0 {permutation = array<i64: 0, 3, 1, 2>}
// CHECK-NEXT: return
func.func @two_transposes(%x: tensor<?x4x8x9xf32>) -> tensor<?x9x4x8xf32> {
  %0 = vae.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x8x9xf32>) -> tensor<?x8x9x4xf32>
  %1 = vae.transpose %0 {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x8x9x4xf32>) -> tensor<?x9x4x8xf32>
  return %1 : tensor<?x9x4x8xf32>
}

// Only a dimension of size 1 moves; height is not known.
// CHECK-LABEL: func @transpose_of_one_channel
// CHECK-NEXT: vae.reshape %arg0 {shape = array<i64: 1, -1, 9>} : (tensor<?x?x9x1xf32>) -> tensor<?x1x?x9xf32>
// CHECK-NEXT: return
func.func @transpose_of_one_channel(%x: tensor<?x?x9x1xf32>) -> tensor<?x1x?x9xf32> {
  %y = vae.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x?x9x1xf32>) -> tensor<?x1x?x9xf32>
  return %y : tensor<?x1x?x9xf32>
}

// A digit as Keras has it: two movements become none.
// CHECK-LABEL: func @keras_digit
// CHECK-NEXT: %[[Y:.*]] = vae.reshape %arg0 {shape = array<i64: 1, 28, 28>} : (tensor<?x784xf32>) -> tensor<?x1x28x28xf32>
// CHECK-NEXT: return %[[Y]]
func.func @keras_digit(%x: tensor<?x784xf32>) -> tensor<?x1x28x28xf32> {
  %0 = vae.reshape %x {shape = array<i64: 28, 28, 1>} : (tensor<?x784xf32>) -> tensor<?x28x28x1xf32>
  %1 = vae.transpose %0 {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x28x28x1xf32>) -> tensor<?x1x28x28xf32>
  return %1 : tensor<?x1x28x28xf32>
}

// Dimensions of other sizes change places; a reshape has one unknown at most.
// CHECK-LABEL: func @true_transposes
// CHECK: vae.transpose
// CHECK: vae.transpose
func.func @true_transposes(%x: tensor<?x2x8x1xf32>, %z: tensor<?x?x?x1xf32>) -> (tensor<?x8x2x1xf32>, tensor<?x1x?x?xf32>) {
  %0 = vae.transpose %x {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x2x8x1xf32>) -> tensor<?x8x2x1xf32>
  %1 = vae.transpose %z {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x?x?x1xf32>) -> tensor<?x1x?x?xf32>
  return %0, %1 : tensor<?x8x2x1xf32>, tensor<?x1x?x?xf32>
}

// -----

// The activation meets its layer, the reshapes meet each other.
// CHECK-LABEL: func @activation_between_reshapes
// CHECK-NEXT: %[[H:.*]] = vae.dense
// CHECK-NEXT: %[[Y:.*]] = vae.activation %[[H]] <relu> : (tensor<?x16xf32>) -> tensor<?x16xf32>
// CHECK-NEXT: return %[[Y]]
func.func @activation_between_reshapes(%x: tensor<?x4xf32>, %w: tensor<16x4xf32>) -> tensor<?x16xf32> {
  %0 = vae.dense %x, %w : (tensor<?x4xf32>, tensor<16x4xf32>) -> tensor<?x16xf32>
  %1 = vae.reshape %0 {shape = array<i64: 4, 2, 2>} : (tensor<?x16xf32>) -> tensor<?x4x2x2xf32>
  %2 = vae.activation %1 <relu> : (tensor<?x4x2x2xf32>) -> tensor<?x4x2x2xf32>
  %3 = vae.reshape %2 {shape = array<i64: -1>} : (tensor<?x4x2x2xf32>) -> tensor<?x16xf32>
  return %3 : tensor<?x16xf32>
}

// CHECK-LABEL: func @activation_after_transpose
// CHECK-NEXT: %[[H:.*]] = vae.activation %arg0 <sigmoid>
// CHECK-NEXT: vae.transpose %[[H]] {permutation = array<i64: 0, 2, 3, 1>}
func.func @activation_after_transpose(%x: tensor<?x4x?x?xf32>) -> tensor<?x?x?x4xf32> {
  %0 = vae.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x4x?x?xf32>) -> tensor<?x?x?x4xf32>
  %1 = vae.activation %0 <sigmoid> : (tensor<?x?x?x4xf32>) -> tensor<?x?x?x4xf32>
  return %1 : tensor<?x?x?x4xf32>
}

// CHECK-LABEL: func @activation_after_upsample
// CHECK-NEXT: %[[H:.*]] = vae.activation %arg0 <silu> : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
// CHECK-NEXT: vae.upsample %[[H]]
func.func @activation_after_upsample(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x16x16xf32> {
  %0 = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x4x8x8xf32>) -> tensor<?x4x16x16xf32>
  %1 = vae.activation %0 <silu> : (tensor<?x4x16x16xf32>) -> tensor<?x4x16x16xf32>
  return %1 : tensor<?x4x16x16xf32>
}

// CHECK-LABEL: func @sum_of_moved
// CHECK-NEXT: %[[A:.*]] = vae.add %arg0, %arg1
// CHECK-NEXT: %[[M:.*]] = vae.mul %[[A]], %arg1
// CHECK-NEXT: %[[S:.*]] = vae.sub %[[M]], %arg0
// CHECK-NEXT: vae.reshape %[[S]] {shape = array<i64: 2, 2>}
// CHECK-NEXT: return
func.func @sum_of_moved(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x2x2xf32> {
  %0 = vae.reshape %x {shape = array<i64: 2, 2>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %1 = vae.reshape %z {shape = array<i64: 2, -1>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %2 = vae.add %0, %1 : (tensor<?x2x2xf32>, tensor<?x2x2xf32>) -> tensor<?x2x2xf32>
  %3 = vae.reshape %z {shape = array<i64: 2, 2>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %4 = vae.mul %2, %3 : (tensor<?x2x2xf32>, tensor<?x2x2xf32>) -> tensor<?x2x2xf32>
  %5 = vae.reshape %x {shape = array<i64: 2, 2>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %6 = vae.sub %4, %5 : (tensor<?x2x2xf32>, tensor<?x2x2xf32>) -> tensor<?x2x2xf32>
  return %6 : tensor<?x2x2xf32>
}

// Other uses, other movements, and movements that make new values.
// CHECK-LABEL: func @stay_below
// CHECK: vae.reshape
// CHECK-NEXT: vae.activation
// CHECK-NEXT: vae.transpose
// CHECK-NEXT: vae.transpose
// CHECK-NEXT: vae.add
// CHECK-NEXT: vae.upsample
// CHECK-NEXT: vae.activation
// CHECK-NEXT: return
func.func @stay_below(%x: tensor<?x4xf32>, %z: tensor<?x2x2x2xf32>)
    -> (tensor<?x2x2xf32>, tensor<?x2x2xf32>, tensor<?x2x2x2xf32>, tensor<?x2x4x4xf32>) {
  %0 = vae.reshape %x {shape = array<i64: 2, 2>} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %1 = vae.activation %0 <relu> : (tensor<?x2x2xf32>) -> tensor<?x2x2xf32>
  %2 = vae.transpose %z {permutation = array<i64: 0, 2, 3, 1>} : (tensor<?x2x2x2xf32>) -> tensor<?x2x2x2xf32>
  %3 = vae.transpose %z {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x2x2x2xf32>) -> tensor<?x2x2x2xf32>
  %4 = vae.add %2, %3 : (tensor<?x2x2x2xf32>, tensor<?x2x2x2xf32>) -> tensor<?x2x2x2xf32>
  %5 = vae.upsample %z {scale = array<i64: 2, 2>, mode = #vae.resize<bilinear>} : (tensor<?x2x2x2xf32>) -> tensor<?x2x4x4xf32>
  %6 = vae.activation %5 <relu> : (tensor<?x2x4x4xf32>) -> tensor<?x2x4x4xf32>
  return %0, %1, %4, %6 : tensor<?x2x2xf32>, tensor<?x2x2xf32>, tensor<?x2x2x2xf32>, tensor<?x2x4x4xf32>
}

// -----

#last = #vae.layout<channels_last>
// CHECK-LABEL: func @layout_there_and_back
// CHECK-NEXT: return %arg0, %arg1
func.func @layout_there_and_back(%x: tensor<?x4x8x8xf32>, %z: tensor<?x4x8x8xf32, #last>)
    -> (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32, #last>) {
  %0 = vae.convert_layout %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32, #last>
  %1 = vae.convert_layout %0 : (tensor<?x4x8x8xf32, #last>) -> tensor<?x4x8x8xf32>
  %2 = vae.convert_layout %z : (tensor<?x4x8x8xf32, #last>) -> tensor<?x4x8x8xf32, #last>
  return %1, %2 : tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32, #last>
}

// CHECK-LABEL: func @layout
// CHECK: vae.convert_layout
func.func @layout(%x: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32, #last> {
  %0 = vae.convert_layout %x : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32, #last>
  return %0 : tensor<?x4x8x8xf32, #last>
}

// -----

// Equal constants become one, unused ones none.
// CHECK-LABEL: func @constants
// CHECK-NEXT: %[[C:.*]] = vae.constant dense<1.000000e+00> : tensor<4xf32>
// CHECK-NEXT: vae.channel_affine %arg0, %[[C]], %[[C]]
func.func @constants(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = vae.constant dense<1.0> : tensor<4xf32>
  %b = vae.constant dense<1.0> : tensor<4xf32>
  %c = vae.constant dense<2.0> : tensor<4xf32>
  %y = vae.channel_affine %x, %a, %b : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @resize_to_the_same
// CHECK-NEXT: return %arg0
func.func @resize_to_the_same(%x: tensor<?x4x5x6xf32>) -> tensor<?x4x5x6xf32> {
  %y = vae.resize %x {size = array<i64: 5, 6>} : (tensor<?x4x5x6xf32>) -> tensor<?x4x5x6xf32>
  return %y : tensor<?x4x5x6xf32>
}

// Heights that are not known may differ.
// CHECK-LABEL: func @resize_to_the_unknown
// CHECK: vae.resize
func.func @resize_to_the_unknown(%x: tensor<?x4x?x6xf32>, %l: tensor<?x1x?x6xf32>) -> tensor<?x4x?x6xf32> {
  %y = vae.resize %x like(%l) : (tensor<?x4x?x6xf32>, tensor<?x1x?x6xf32>) -> tensor<?x4x?x6xf32>
  return %y : tensor<?x4x?x6xf32>
}

// RUN: vae-opt %s --vae-assign-layout --convert-vae-to-kernel --split-input-file | FileCheck %s

// Between NCHW and NHWC, pixels and channels change places in squares: along
// the pixels, which are rows of one copy and columns of the other.
// CHECK-LABEL: func.func @many
// CHECK: kernel.launch @copy_transposed_r4_rows(
// CHECK: kernel.launch @tanh
// CHECK: kernel.launch @copy_transposed_r4(
func.func @many(%x: tensor<?x33x?x?xf32>) -> tensor<?x33x?x?xf32> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x33x?x?xf32>) -> tensor<?x33x?x?xf32>
  return %0 : tensor<?x33x?x?xf32>
}

// -----

// Fewer channels than lanes: stores of a known size.
// CHECK-LABEL: func.func @fewer_than_lanes
// CHECK: kernel.launch @copy_transposed_r4_rows_7(
// CHECK: kernel.launch @copy_transposed_r4(
func.func @fewer_than_lanes(%x: tensor<?x7x?x?xf32>) -> tensor<?x7x?x?xf32> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x7x?x?xf32>) -> tensor<?x7x?x?xf32>
  return %0 : tensor<?x7x?x?xf32>
}

// -----

// Three channels are copied one by one; the rows of an image are items then.
// CHECK-LABEL: func.func @few
// CHECK: kernel.launch @copy_strided_3(
// CHECK: kernel.launch @copy_strided(
func.func @few(%x: tensor<?x3x?x?xf32>) -> tensor<?x3x?x?xf32> attributes {vae.entry} {
  %0 = vae.activation %x <tanh> : (tensor<?x3x?x?xf32>) -> tensor<?x3x?x?xf32>
  return %0 : tensor<?x3x?x?xf32>
}

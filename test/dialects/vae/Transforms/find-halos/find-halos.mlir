// RUN: vae-opt %s --vae-find-halos | FileCheck %s

// Dilated windows, and padding on one side: columns take i .. i + 4, rows i - 2
// .. i + 2.
// CHECK-LABEL: func.func @dilated
// CHECK-SAME: halos = [array<i64: 0, 0, 0>, array<i64: 2, 2, 1>, array<i64: 0, 4, 1>]
func.func @dilated(%x: tensor<?x1x?x?xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %y = vae.conv2d %x, %w {dilations = array<i64: 2, 2>, padding = array<i64: 2, 0, 2, 0>} : (tensor<?x1x?x?xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// Strides down and up again: tiles begin at multiples of 4. Row i of the middle
// takes 4i - 1 .. 4i + 2 of x, so that the first one of a tile is wrong. Row i of
// y takes (i - 4) / 4 .. (i + 1) / 4 of the middle: 5 rows are wrong at the
// begin, and the last one.
// CHECK-LABEL: func.func @strides
// CHECK-SAME: array<i64: 8, 4, 4>, array<i64: 8, 4, 4>
func.func @strides(%x: tensor<?x1x?x?xf32>, %w: tensor<1x1x4x4xf32>, %t: tensor<1x1x6x6xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %h = vae.conv2d %x, %w {strides = array<i64: 4, 4>, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x1x?x?xf32>, tensor<1x1x4x4xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.conv_transpose2d %h, %t {strides = array<i64: 4, 4>, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x1x?x?xf32>, tensor<1x1x6x6xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// A transposed convolution without overlap, and nearest upsampling: no halo.
// CHECK-LABEL: func.func @apart
// CHECK-SAME: array<i64: 0, 0, 1>, array<i64: 0, 0, 1>
func.func @apart(%x: tensor<?x1x?x?xf32>, %t: tensor<1x1x2x2xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %h = vae.conv_transpose2d %x, %t {strides = array<i64: 2, 2>} : (tensor<?x1x?x?xf32>, tensor<1x1x2x2xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.upsample %h {scale = array<i64: 2, 3>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// Bilinear: one pixel on either side.
// CHECK-LABEL: func.func @bilinear
// CHECK-SAME: array<i64: 1, 1, 1>, array<i64: 1, 1, 1>
func.func @bilinear(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %y = vae.upsample %x {scale = array<i64: 2, 3>, mode = #vae.resize<bilinear>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// What padding adds, cropping takes away again; but not the other way round.
// CHECK-LABEL: func.func @pad_crop
// CHECK-SAME: array<i64: 0, 0, 1>, array<i64: 0, 0, 1>
func.func @pad_crop(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %p = vae.pad %x {padding = array<i64: 2, 2, 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.crop %p {border = array<i64: 2, 2, 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}
// CHECK-LABEL: func.func @crop_pad
// CHECK-SAME: array<i64: 2, 2, 1>, array<i64: 2, 2, 1>
func.func @crop_pad(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %c = vae.crop %x {border = array<i64: 2, 2, 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  %y = vae.pad %c {padding = array<i64: 2, 2, 2, 2>} : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// Pixels of 2 x 2 become channels, are pooled and become pixels again.
// CHECK-LABEL: func.func @shuffle
// CHECK-SAME: array<i64: 2, 2, 2>, array<i64: 2, 2, 2>
func.func @shuffle(%x: tensor<?x1x?x?xf32>) -> tensor<?x1x?x?xf32> attributes {vae.entry} {
  %u = vae.pixel_unshuffle %x {factor = 2 : i64} : (tensor<?x1x?x?xf32>) -> tensor<?x4x?x?xf32>
  %p = vae.pool2d %u {kernel = array<i64: 3, 3>, kind = #vae.pool<max>, strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %y = vae.pixel_shuffle %p {factor = 2 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x1x?x?xf32>
  return %y : tensor<?x1x?x?xf32>
}

// Through a transpose, channels apart and together again, and a residual of
// the whole.
// CHECK-LABEL: func.func @residual
// CHECK-SAME: array<i64: 0, 0, 0>, array<i64: 1, 1, 1>, array<i64: 1, 1, 1>
func.func @residual(%x: tensor<?x?x?x4xf32>, %w: tensor<2x2x3x3xf32>) -> tensor<?x4x?x?xf32> attributes {vae.entry} {
  %t = vae.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x?x?x4xf32>) -> tensor<?x4x?x?xf32>
  %a, %b = vae.split %t {axis = 1 : i64, sections = 2 : i64} : (tensor<?x4x?x?xf32>) -> (tensor<?x2x?x?xf32>, tensor<?x2x?x?xf32>)
  %c = vae.conv2d %a, %w residual(%b) {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x2x?x?xf32>, tensor<2x2x3x3xf32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = vae.concat %c, %a {axis = 1 : i64} : (tensor<?x2x?x?xf32>, tensor<?x2x?x?xf32>) -> tensor<?x4x?x?xf32>
  return %y : tensor<?x4x?x?xf32>
}

// The widest of several results.
// CHECK-LABEL: func.func @results
// CHECK-SAME: array<i64: 1, 1, 1>, array<i64: 1, 1, 1>
func.func @results(%x: tensor<?x1x?x?xf32>, %w: tensor<1x1x3x3xf32>) -> (tensor<?x1x?x?xf32>, tensor<?x1x?x?xf32>) attributes {vae.entry} {
  %y = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x1x?x?xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x?x?xf32>
  return %x, %y : tensor<?x1x?x?xf32>, tensor<?x1x?x?xf32>
}

// A condition has no axis that follows a symbol.
// CHECK-LABEL: func.func @condition
// CHECK-SAME: halos = [array<i64: 0, 0, 0>, array<i64: 0, 0, 1>, array<i64: 0, 0, 1>]
func.func @condition(%x: tensor<?x1x?x?xf32>, %c: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> (tensor<?x1x?x?xf32>, tensor<?x2xf32>) attributes {vae.entry} {
  %d = vae.dense %c, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %x, %d : tensor<?x1x?x?xf32>, tensor<?x2xf32>
}

// RUN: vae-opt %s --vae-fold-batch-norm --split-input-file | FileCheck %s

// Weight and bias of the norm, bias of the layer:
// scale = [3 * 2, 1 * 0.5], offset = [10 - 1*6, 20 + 1*0.5].
// CHECK-LABEL: func @dense
// CHECK-DAG: %[[W:.*]] = vae.constant dense<{{\[}}[6.000000e+00, 1.200000e+01], [1.500000e+00, 2.000000e+00]]>
// CHECK-DAG: %[[B:.*]] = vae.constant dense<[1.000000e+01, 2.150000e+01]>
// CHECK: %[[Y:.*]] = vae.dense %{{.*}}, %[[W]] bias(%[[B]])
// CHECK-NEXT: return %[[Y]]
func.func @dense(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = vae.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %mean = vae.constant dense<[1.0, -1.0]> : tensor<2xf32>
  %variance = vae.constant dense<[0.25, 4.0]> : tensor<2xf32>
  %gamma = vae.constant dense<[3.0, 1.0]> : tensor<2xf32>
  %beta = vae.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %h = vae.dense %x, %w bias(%b) : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = vae.batch_norm %h, %mean, %variance weight(%gamma) bias(%beta) {epsilon = 0.0 : f64}
      : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The axis of output units is 0; padding does not matter.
// CHECK-LABEL: func @conv
// CHECK-DAG: vae.constant dense<{{\[}}{{\[\[}}[2.000000e+00, 4.000000e+00]]], {{\[\[}}[9.000000e+00, 1.200000e+01]]]]> : tensor<2x1x1x2xf32>
// CHECK-DAG: vae.constant dense<[5.000000e-01, -5.000000e-01]>
// CHECK: vae.conv2d %{{.*}}, %{{.*}} bias(%{{.*}}) {padding = array<i64: 1, 1, 1, 1>}
// CHECK-NEXT: return
func.func @conv(%x: tensor<?x1x?x?xf32>) -> tensor<?x2x?x?xf32> {
  %w = vae.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]]]> : tensor<2x1x1x2xf32>
  %scale = vae.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = vae.constant dense<[0.5, -0.5]> : tensor<2xf32>
  %h = vae.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>}
      : (tensor<?x1x?x?xf32>, tensor<2x1x1x2xf32>) -> tensor<?x2x?x?xf32>
  %y = vae.channel_affine %h, %scale, %offset
      : (tensor<?x2x?x?xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x?x?xf32>
  return %y : tensor<?x2x?x?xf32>
}

// -----

// The axis of output units is 1 and runs over one group: unit 2g + o.
// CHECK-LABEL: func @grouped_transpose
// CHECK: vae.constant dense<{{\[}}{{\[\[}}[1.000000e+00]], {{\[\[}}4.000000e+00]]], {{\[\[}}[9.000000e+00]], {{\[\[}}1.600000e+01]]]]> : tensor<2x2x1x1xf32>
// CHECK: vae.conv_transpose2d %{{.*}}, %{{.*}} {groups = 2 : i64}
// CHECK-NEXT: return
func.func @grouped_transpose(%x: tensor<?x2x3x3xf32>) -> tensor<?x4x3x3xf32> {
  %w = vae.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %scale = vae.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %offset = vae.constant dense<0.0> : tensor<4xf32>
  %h = vae.conv_transpose2d %x, %w {groups = 2}
      : (tensor<?x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<?x4x3x3xf32>
  %y = vae.channel_affine %h, %scale, %offset
      : (tensor<?x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x3x3xf32>
  return %y : tensor<?x4x3x3xf32>
}

// -----

// Units 0 and 1 become channel 0, units 2 and 3 channel 1.
// CHECK-LABEL: func @through_reshape
// CHECK: vae.constant dense<{{\[}}[2.000000e+00], [4.000000e+00], [9.000000e+00], [1.200000e+01]]>
// CHECK: %[[H:.*]] = vae.dense
// CHECK-NEXT: %[[Y:.*]] = vae.reshape %[[H]]
// CHECK-NEXT: return %[[Y]]
func.func @through_reshape(%x: tensor<?x1xf32>) -> tensor<?x2x1x2xf32> {
  %w = vae.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %scale = vae.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = vae.constant dense<0.0> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<4x1xf32>) -> tensor<?x4xf32>
  %r = vae.reshape %h {shape = array<i64: 2, 1, 2>} : (tensor<?x4xf32>) -> tensor<?x2x1x2xf32>
  %y = vae.channel_affine %r, %scale, %offset
      : (tensor<?x2x1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x1x2xf32>
  return %y : tensor<?x2x1x2xf32>
}

// -----

// No layer before; the convolution after is not padded:
// bias = 5 + 1*10 + 2*20, weight = [1*2, 2*3].
// CHECK-LABEL: func @into_next
// CHECK-DAG: vae.constant dense<{{\[\[\[}}[2.000000e+00]], {{\[\[}}6.000000e+00]]]]> : tensor<1x2x1x1xf32>
// CHECK-DAG: vae.constant dense<5.500000e+01> : tensor<1xf32>
// CHECK: vae.conv2d %arg0, %{{.*}} bias(%{{.*}}) {activation = #vae.act<relu>}
// CHECK-NEXT: return
func.func @into_next(%x: tensor<?x2x4x4xf32>) -> tensor<?x1x4x4xf32> {
  %scale = vae.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = vae.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %w = vae.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
  %b = vae.constant dense<5.0> : tensor<1xf32>
  %h = vae.channel_affine %x, %scale, %offset
      : (tensor<?x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  %y = vae.conv2d %h, %w bias(%b) {activation = #vae.act<relu>}
      : (tensor<?x2x4x4xf32>, tensor<1x2x1x1xf32>, tensor<1xf32>) -> tensor<?x1x4x4xf32>
  return %y : tensor<?x1x4x4xf32>
}

// -----

// Inputs 0 and 1 of the dense layer are channel 0, inputs 2 and 3 channel 1.
// CHECK-LABEL: func @into_next_through_flatten
// CHECK-DAG: vae.constant dense<{{\[}}[2.000000e+00, 2.000000e+00, 3.000000e+00, 3.000000e+00]]>
// CHECK-DAG: vae.constant dense<6.000000e+01> : tensor<1xf32>
// CHECK-DAG: %[[R:.*]] = vae.reshape %arg0
// CHECK: vae.dense %[[R]]
// CHECK-NEXT: return
func.func @into_next_through_flatten(%x: tensor<?x2x1x2xf32>) -> tensor<?x1xf32> {
  %scale = vae.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = vae.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %w = vae.constant dense<1.0> : tensor<1x4xf32>
  %h = vae.channel_affine %x, %scale, %offset
      : (tensor<?x2x1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x1x2xf32>
  %r = vae.reshape %h {shape = array<i64: -1>} : (tensor<?x2x1x2xf32>) -> tensor<?x4xf32>
  %y = vae.dense %r, %w : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Zeros stay zeros when they are only scaled.
// CHECK-LABEL: func @into_padded_next_without_shift
// CHECK: vae.constant dense<{{\[\[\[}}[2.000000e+00, 2.000000e+00]], {{\[\[}}3.000000e+00, 3.000000e+00]]]]>
// CHECK: vae.conv2d %arg0, %{{.*}} {padding = array<i64: 0, 1, 0, 1>}
// CHECK-NEXT: return
func.func @into_padded_next_without_shift(%x: tensor<?x2x4x4xf32>) -> tensor<?x1x4x5xf32> {
  %scale = vae.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = vae.constant dense<0.0> : tensor<2xf32>
  %w = vae.constant dense<1.0> : tensor<1x2x1x2xf32>
  %h = vae.channel_affine %x, %scale, %offset
      : (tensor<?x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  %y = vae.conv2d %h, %w {padding = array<i64: 0, 1, 0, 1>}
      : (tensor<?x2x4x4xf32>, tensor<1x2x1x2xf32>) -> tensor<?x1x4x5xf32>
  return %y : tensor<?x1x4x5xf32>
}

// -----

// The axis of input units runs over one group: unit g + c.
// CHECK-LABEL: func @into_grouped_next
// CHECK: vae.constant dense<{{\[\[\[}}[2.000000e+00]]], {{\[\[}}[2.000000e+00]]], {{\[\[}}[3.000000e+00]]], {{\[\[}}[3.000000e+00]]]]>
// CHECK: vae.constant dense<[1.000000e+01, 1.000000e+01, 2.000000e+01, 2.000000e+01]>
// CHECK: vae.conv2d %arg0
func.func @into_grouped_next(%x: tensor<?x2x4x4xf32>) -> tensor<?x4x4x4xf32> {
  %scale = vae.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %offset = vae.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %w = vae.constant dense<1.0> : tensor<4x1x1x1xf32>
  %h = vae.channel_affine %x, %scale, %offset
      : (tensor<?x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x4x4xf32>
  %y = vae.conv2d %h, %w {groups = 2}
      : (tensor<?x2x4x4xf32>, tensor<4x1x1x1xf32>) -> tensor<?x4x4x4xf32>
  return %y : tensor<?x4x4x4xf32>
}

// -----

// Rescaling before a layer is the same function.
// CHECK-LABEL: func @affine_activation
// CHECK: vae.constant dense<2.500000e-01> : tensor<1x2xf32>
// CHECK: vae.constant dense<-2.000000e+00> : tensor<1xf32>
// CHECK: vae.dense %arg0
// CHECK-NEXT: return
func.func @affine_activation(%x: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<1.0> : tensor<1x2xf32>
  %h = vae.activation %x <affine, alpha = 0.25, beta = -1.0> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.dense %h, %w : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Neither before nor after.
// CHECK-LABEL: func @to_affine
// CHECK-DAG: %[[SCALE:.*]] = vae.constant dense<[2.000000e+00, 5.000000e-01]>
// CHECK-DAG: %[[OFFSET:.*]] = vae.constant dense<[-2.000000e+00, 5.000000e-01]>
// CHECK: %[[Y:.*]] = vae.channel_affine %arg0, %[[SCALE]], %[[OFFSET]]
// CHECK-NEXT: return %[[Y]]
func.func @to_affine(%x: tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32> {
  %mean = vae.constant dense<[1.0, -1.0]> : tensor<2xf32>
  %variance = vae.constant dense<[0.25, 4.0]> : tensor<2xf32>
  %y = vae.batch_norm %x, %mean, %variance {epsilon = 0.0 : f64}
      : (tensor<?x2x?x?xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x?x?xf32>
  return %y : tensor<?x2x?x?xf32>
}

// -----

// Both layers keep their names.
// RUN: vae-opt %s --vae-fold-batch-norm --split-input-file --mlir-print-debuginfo | FileCheck %s --check-prefix=LOC
// LOC-LABEL: func @names
// LOC: vae.dense {{.*}} loc(#[[FUSED:.*]])
// LOC: #[[LAYER:.*]] = loc("fc"(
// LOC: #[[NORM:.*]] = loc("bn"(
// LOC: #[[FUSED]] = loc(fused[#[[LAYER]], #[[NORM]]])
func.func @names(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<1.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %h = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("fc"("m.json":1:1))
  %y = vae.channel_affine %h, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32> loc("bn"("m.json":2:1))
  return %y : tensor<?x1xf32>
}

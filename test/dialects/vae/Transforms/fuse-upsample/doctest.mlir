// RUN: vae-opt %s --vae-fuse-upsample | FileCheck %s

func.func @enlarge(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32> {
  %w = vae.constant dense<[[[[1.0, 2.0, 3.0]]]]> : tensor<1x1x1x3xf32>
  %u = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %y = vae.conv2d %u, %w {padding = array<i64: 0, 1, 0, 1>}
      : (tensor<?x1x8x8xf32>, tensor<1x1x1x3xf32>) -> tensor<?x1x8x8xf32>
  return %y : tensor<?x1x8x8xf32>
}

// Along the width: w[2], w[1] + w[2], w[0] + w[1], w[0].
// CHECK: %[[W:.*]] = vae.constant dense<{{\[\[\[}}[3.000000e+00, 5.000000e+00, 3.000000e+00, 1.000000e+00], [3.000000e+00, 5.000000e+00, 3.000000e+00, 1.000000e+00]]]]>
// CHECK: %[[Y:.*]] = vae.conv_transpose2d %{{.*}}, %[[W]] {padding = array<i64: 0, 1, 0, 1>, strides = array<i64: 2, 2>}
// CHECK: return %[[Y]]

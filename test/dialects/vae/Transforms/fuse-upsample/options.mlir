// RUN: vae-opt %s --vae-fuse-upsample=max-factor=1 | FileCheck %s --check-prefix=NONE
// RUN: vae-opt %s --vae-fuse-upsample=max-factor=2 | FileCheck %s --check-prefix=TWO
// RUN: vae-opt %s --vae-fuse-upsample --remark-format=emitRemark --remarks-filter=.* --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=COUNT --implicit-check-not=remark:

// NONE-COUNT-3: vae.conv2d
// TWO: vae.conv_transpose2d
// TWO: vae.conv2d

// COUNT: remark: [Passed] fused | Category:vae-fuse-upsample | Function=f | {{.*}}layer=up1
// COUNT: remark: [Passed] fused | Category:vae-fuse-upsample | Function=f | {{.*}}layer=up2
// COUNT: remark: [Passed] moved | Category:vae-fuse-upsample | Function=f | {{.*}}layer=up3
func.func @f(%x: tensor<?x1x4x4xf32>) -> tensor<?x1x18x18xf32> {
  %v = vae.constant dense<1.0> : tensor<1x1x3x3xf32>
  %w = vae.constant dense<1.0> : tensor<1x1x1x1xf32>
  %0 = vae.upsample %x {scale = array<i64: 2, 2>} : (tensor<?x1x4x4xf32>) -> tensor<?x1x8x8xf32>
  %1 = vae.conv2d %0, %v : (tensor<?x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x6x6xf32> loc("up1"("m.json":1:1))
  %2 = vae.upsample %1 {scale = array<i64: 3, 3>} : (tensor<?x1x6x6xf32>) -> tensor<?x1x18x18xf32>
  %3 = vae.conv2d %2, %v {padding = array<i64: 1, 1, 1, 1>} : (tensor<?x1x18x18xf32>, tensor<1x1x3x3xf32>) -> tensor<?x1x18x18xf32> loc("up2"("m.json":1:1))
  %4 = vae.upsample %3 {scale = array<i64: 1, 1>} : (tensor<?x1x18x18xf32>) -> tensor<?x1x18x18xf32>
  %5 = vae.activation %4 <relu> : (tensor<?x1x18x18xf32>) -> tensor<?x1x18x18xf32>
  %6 = vae.slice %5 {axis = 2, begin = 0, size = 9} : (tensor<?x1x18x18xf32>) -> tensor<?x1x9x18xf32>
  %7 = vae.upsample %6 {scale = array<i64: 2, 1>} : (tensor<?x1x9x18xf32>) -> tensor<?x1x18x18xf32>
  %8 = vae.conv2d %7, %w : (tensor<?x1x18x18xf32>, tensor<1x1x1x1xf32>) -> tensor<?x1x18x18xf32> loc("up3"("m.json":1:1))
  return %8 : tensor<?x1x18x18xf32>
}

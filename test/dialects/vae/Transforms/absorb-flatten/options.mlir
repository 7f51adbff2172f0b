// RUN: vae-opt %s --vae-absorb-flatten=absorb=false | FileCheck %s --implicit-check-not=vae.transpose
// RUN: vae-opt %s --vae-absorb-flatten --remark-format=emitRemark --remarks-filter=.* --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=COUNT --implicit-check-not=remark:

// CHECK: vae.dense
// COUNT: remark: [Passed] flattened | Category:vae-absorb-flatten | Function=f | {{.*}}layer=in
// COUNT: remark: [Passed] unflattened | Category:vae-absorb-flatten | Function=f | {{.*}}layer=out
func.func @f(%x: tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32> {
  %w = vae.constant dense<1.0> : tensor<4x4xf32>
  %0 = vae.activation %x <relu> : (tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  %1 = vae.reshape %0 {shape = array<i64: -1>} : (tensor<?x2x2x1xf32>) -> tensor<?x4xf32>
  %2 = vae.dense %1, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("in"("m.json":1:1))
  %3 = vae.dense %2, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("out"("m.json":1:1))
  %4 = vae.reshape %3 {shape = array<i64: 2, 2, 1>} : (tensor<?x4xf32>) -> tensor<?x2x2x1xf32>
  %5 = vae.activation %4 <relu> : (tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  return %5 : tensor<?x2x2x1xf32>
}

// RUN: vae-opt %s --vae-fold-batch-norm=into-previous=false | FileCheck %s --check-prefix=NEXT
// RUN: vae-opt %s --vae-fold-batch-norm="into-previous=false into-next=false" | FileCheck %s --check-prefix=AFFINE
// RUN: vae-opt %s --vae-fold-batch-norm="into-previous=false into-next=false to-affine=false" | FileCheck %s --check-prefix=NONE
// RUN: vae-opt %s --vae-fold-batch-norm --remark-format=emitRemark --remarks-filter=.* --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=COUNT --implicit-check-not=remark:

// NEXT: vae.dense
// NEXT: vae.dense
// NEXT: vae.channel_affine
// AFFINE-COUNT-2: vae.channel_affine
// NONE-COUNT-2: vae.batch_norm

// COUNT: remark: [Passed] folded-into-previous | Category:vae-fold-batch-norm | Function=f | {{.*}}layer=fc1
// COUNT: remark: [Passed] turned-into-affine | Category:vae-fold-batch-norm | Function=f | {{.*}}layer=bn2
// COUNT: remark: [Passed] folded-into-next | Category:vae-fold-batch-norm | Function=g
func.func @f(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %0 = vae.dense %x, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("fc1"("m.json":1:1))
  %1 = vae.batch_norm %0, %c, %c {epsilon = 0.0 : f64} : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  %2 = vae.dense %1, %w {activation = #vae.act<relu>} : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("fc2"("m.json":1:1))
  %3 = vae.batch_norm %2, %c, %c {epsilon = 0.0 : f64} : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32> loc("bn2"("m.json":1:1))
  return %3 : tensor<?x1xf32>
}
func.func @g(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w = vae.constant dense<3.0> : tensor<1x1xf32>
  %c = vae.constant dense<2.0> : tensor<1xf32>
  %0 = vae.channel_affine %x, %c, %c : (tensor<?x1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  %1 = vae.dense %0, %w : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
  return %1 : tensor<?x1xf32>
}

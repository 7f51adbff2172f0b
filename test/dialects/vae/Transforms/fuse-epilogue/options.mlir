// RUN: vae-opt %s --vae-fuse-epilogue=biases=false | FileCheck %s --check-prefix=NO-BIAS
// RUN: vae-opt %s --vae-fuse-epilogue=residuals=false | FileCheck %s --check-prefix=NO-RESIDUAL
// RUN: vae-opt %s --vae-fuse-epilogue=activations=false | FileCheck %s --check-prefix=NO-ACTIVATION
// RUN: vae-opt %s --vae-fuse-epilogue --remark-format=emitRemark --remarks-filter=.* --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=COUNT --implicit-check-not=remark:

// NO-BIAS: vae.channel_affine
// NO-BIAS-NEXT: vae.add
// NO-BIAS-NEXT: vae.activation
// NO-RESIDUAL: vae.dense %arg0, %arg1 bias(
// NO-RESIDUAL-NEXT: vae.add
// NO-RESIDUAL-NEXT: vae.activation
// NO-ACTIVATION: vae.dense %arg0, %arg1 bias(%{{.*}}) residual(%arg0) :
// NO-ACTIVATION-NEXT: vae.activation

// COUNT: remark: [Passed] biases | Category:vae-fuse-epilogue | Function=f | {{.*}}layer=fc
// COUNT: remark: [Passed] residuals | Category:vae-fuse-epilogue | Function=f | {{.*}}layer=fc
// COUNT: remark: [Passed] activations | Category:vae-fuse-epilogue | Function=f | {{.*}}layer=fc
func.func @f(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %one = vae.constant dense<1.0> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("fc"("m.json":1:1))
  %b = vae.channel_affine %h, %one, %one : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %s = vae.add %b, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.activation %s <relu> : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

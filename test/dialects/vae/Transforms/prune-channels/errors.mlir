// RUN: not vae-opt %s --vae-prune-channels="channels=1" 2>&1 | FileCheck %s --check-prefix=FRACTION
// RUN: not vae-opt %s --vae-prune-channels="channels=0.5 scope=model" 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not vae-opt %s --vae-prune-channels="layers=fc9=0.5" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not vae-opt %s --vae-prune-channels="layers=mu=0.5" 2>&1 | FileCheck %s --check-prefix=FIXED
// RUN: not vae-opt %s --vae-prune-channels="layers=a=0.5,b=0.25" 2>&1 | FileCheck %s --check-prefix=TOGETHER
// RUN: not vae-opt %s --vae-prune-channels="removed=a=0:1,b=0:1" 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not vae-opt %s --vae-prune-channels="removed=a=0" 2>&1 | FileCheck %s --check-prefix=PARTLY
// RUN: not vae-opt %s --vae-prune-channels="removed=a=2" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not vae-opt %s --vae-prune-channels="removed=mu=0" 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: not vae-opt %s --vae-prune-channels="channels=0.5 scores=a=1:2 absolute=true" 2>&1 | FileCheck %s --check-prefix=SCORES
// RUN: not vae-opt %s --vae-prune-channels="removed=a=x" 2>&1 | FileCheck %s --check-prefix=NUMBER

// FRACTION: error: expected a fraction from 0 to less than 1, found 1
// SCOPE: error: expected the scope layer or global, found 'model'
// UNKNOWN: error: no layer 'fc9' has weights; those that do are a, b, mu
// FIXED: error: loc("{{.*}}"): no unit of layer 'mu' can be removed: all of them reach an output, the latent, or an operation that needs them
// TOGETHER: error: loc("{{.*}}"): layers 'a' and 'b' can only lose units together; choose one fraction for both
// EMPTY: error: loc("{{.*}}"): all 2 units of layer 'a' would be removed; remove a smaller part of it
// PARTLY: error: loc("{{.*}}"): unit 0 of layer 'b' goes with others that are listed, and is not listed
// RANGE: error: loc("{{.*}}"): unit 2 of layer 'a' does not exist
// OUTPUT: error: loc("{{.*}}"): unit 0 of layer 'mu' cannot be removed: it reaches an output
// SCORES: error: loc("{{.*}}"): the 2 units of layer 'b' have no scores to be compared with those of other layers
// NUMBER: error: expected LAYER=A:B:.. with numbers, found 'a=x'
func.func @f(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %w1 = vae.constant dense<1.0> : tensor<2x1xf32>
  %w2 = vae.constant dense<2.0> : tensor<2x2xf32>
  %w3 = vae.constant dense<3.0> : tensor<1x2xf32>
  %a = vae.dense %x, %w1 : (tensor<?x1xf32>, tensor<2x1xf32>) -> tensor<?x2xf32> loc("a")
  %b = vae.dense %a, %w2 : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("b")
  %s = vae.add %a, %b : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = vae.dense %s, %w3 : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32> loc("mu")
  return %y : tensor<?x1xf32>
}

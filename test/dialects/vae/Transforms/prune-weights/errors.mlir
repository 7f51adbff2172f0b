// RUN: not vae-opt %s --vae-prune-weights="pattern=weights:1" 2>&1 | FileCheck %s --check-prefix=PATTERN
// RUN: not vae-opt %s --vae-prune-weights="layers=a=4:2" 2>&1 | FileCheck %s --check-prefix=NAMED
// RUN: not vae-opt %s --vae-prune-weights="pattern=2:4 scope=model" 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not vae-opt %s --vae-prune-weights="pattern=2:4 scope=global" 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: not vae-opt %s --vae-prune-weights="layers=fc9=2:4" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not vae-opt %s --vae-prune-weights="pattern=2:4" 2>&1 | FileCheck %s --check-prefix=LEFT
// RUN: not vae-opt %s --vae-prune-weights="pattern=2:4 norms=a=x" 2>&1 | FileCheck %s --check-prefix=NUMBER

// PATTERN: error: expected weights:F or blocks:F, with a fraction F from 0 to less than 1, or N:M with 1 <= N < M <= 64, found 'weights:1'
// NAMED: error: expected weights:F or blocks:F, {{.*}}, found '4:2'
// SCOPE: error: expected the scope layer or global, found 'model'
// GLOBAL: error: the scope global compares the weights of all layers, and 2:4 those of a few inputs; use the scope layer
// UNKNOWN: error: no layer 'fc9' has weights; those that do are a
// LEFT: error: no layer of this model is pruned unless it is named; 'a' has fewer than 1024 weights
// NUMBER: error: expected LAYER=A:B:.. with numbers, found 'a=x'
func.func @f(%x: tensor<?x1xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<1.0> : tensor<2x1xf32>
  %a = vae.dense %x, %w : (tensor<?x1xf32>, tensor<2x1xf32>) -> tensor<?x2xf32> loc("a")
  return %a : tensor<?x2xf32>
}

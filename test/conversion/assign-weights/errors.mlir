// RUN: echo 'module {}' | not vae-opt --vae-assign-weights=weights=int2 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: unknown weights 'int2'; choose one of f32, int8, int4
// RUN: echo 'module {}' | not vae-opt --vae-assign-weights="weights=int4 group=0" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: a group has at least 1 input, found 0
// RUN: vae-opt %s --split-input-file --verify-diagnostics

func.func @eight(%x: tensor<?x6xf32>, %w: tensor<2x6xf32>) -> tensor<?x2xf32> {
  // expected-error @below {{'vae.weight_type' of blocks must be of i4 and f32}}
  %0 = vae.dense %x, %w {vae.weight_type = !quant.uniform<i8<-127:127>:f32:{0:1, 1:3}, {{1.0, 1.0}, {1.0, 1.0}}>} : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @outputs(%x: tensor<?x6xf32>, %w: tensor<2x6xf32>) -> tensor<?x2xf32> {
  // expected-error @below {{'vae.weight_type' must have blocks of any size on axis 1 and of 1 on all others}}
  %0 = vae.dense %x, %w {vae.weight_type = !quant.uniform<i4<-7:7>:f32:{0:2, 1:3}, {{1.0, 1.0}}>} : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @shape(%x: tensor<?x6xf32>, %w: tensor<2x6xf32>) -> tensor<?x2xf32> {
  // expected-error @below {{'vae.weight_type' must have scales of shape [2, 2]}}
  %0 = vae.dense %x, %w {vae.weight_type = !quant.uniform<i4<-7:7>:f32:{0:1, 1:4}, {{1.0, 1.0, 1.0}, {1.0, 1.0, 1.0}}>} : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @zero_point(%x: tensor<?x6xf32>, %w: tensor<1x6xf32>) -> tensor<?x1xf32> {
  // expected-error @below {{'vae.weight_type' must have zero points of 0}}
  %0 = vae.dense %x, %w {vae.weight_type = !quant.uniform<i4<-7:7>:f32:{0:1, 1:3}, {{1.0, 1.0:2}}>} : (tensor<?x6xf32>, tensor<1x6xf32>) -> tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}

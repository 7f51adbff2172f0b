// RUN: vae-opt %s --vae-fold-batch-norm | FileCheck %s

func.func @block(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = vae.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %mean = vae.constant dense<[1.0, -1.0]> : tensor<2xf32>
  %variance = vae.constant dense<[0.25, 4.0]> : tensor<2xf32>
  %h = vae.dense %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = vae.batch_norm %h, %mean, %variance {epsilon = 0.0 : f64}
      : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// scale = [2, 0.5], offset = -mean * scale
// CHECK: %[[W:.*]] = vae.constant dense<{{\[}}[2.000000e+00, 4.000000e+00], [1.500000e+00, 2.000000e+00]]>
// CHECK: %[[B:.*]] = vae.constant dense<[-2.000000e+00, 5.000000e-01]>
// CHECK: %[[Y:.*]] = vae.dense %{{.*}}, %[[W]] bias(%[[B]])
// CHECK: return %[[Y]]

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"

using namespace vae::reference;

static const float kLog4 = 1.3862943611198906f;
static const double kLog2 = 0.6931471805599453;

TEST(reference, Reparameterize) {
  Tensor mu = {{2, 1}, {1, 1}};
  Tensor logvar = {{2, 1}, {kLog4, 0}};
  Tensor noise = {{2, 1}, {0.5, -3}};
  // 1 + 2 * 0.5, 1 + 1 * -3
  expectOp("vae.reparameterize %0, %1, %2", {mu, logvar, noise}, {2, 1},
           {2, -2});
}

TEST(reference, Kl) {
  Tensor mu = {{2, 2}, {1, 0, 0, 0}};
  Tensor logvar = {{2, 2}, {0, kLog4, 0, 0}};
  // (1 + 1)/2 - 1/2 - 0 = 1/2; (4 + 0)/2 - 1/2 - log(4)/2 = 3/2 - log 2;
  // example 1 is the prior.
  expectOp("vae.kl %0, %1", {mu, logvar}, {2}, {2 - kLog2, 0});
}

TEST(reference, KlWithPrior) {
  Tensor mu = {{1, 2, 1, 2}, {3, 1, 0, 0}};
  Tensor logvar = {{1, 2, 1, 2}, {0, 0, 0, 0}};
  Tensor mean = {{2}, {1, 0}};
  Tensor deviation = {{2}, {2, 1}};
  // Channel 0, m = 1, s = 2: (1 + 4)/8 - 1/2 + log 2 and (1 + 0)/8 - 1/2 +
  // log 2; channel 1 is the prior: 1/8 - 3/8 + 2 log 2.
  expectOp("vae.kl %0, %1 prior(%2, %3)", {mu, logvar, mean, deviation}, {1},
           {-0.25 + 2 * kLog2});
}

TEST(reference, BernoulliLogits) {
  Tensor x = {{2, 2}, {1, 0, 0.5, 1}};
  Tensor y = {{2, 2}, {0, 0, 2, 1000}};
  // -log 2 - log 2; 0.5 * 2 - log(1 + e^2) = 1 - 2.126928, 1000 - 1000
  expectOp("vae.log_likelihood %0, %1 "
           "{likelihood = #vae.likelihood<bernoulli_logits>}",
           {x, y}, {2}, {-2 * kLog2, 1 - 2.126928011042973});
}

TEST(reference, Bernoulli) {
  // x = 1/4, p = 1/2: log(1/2). x = 1, p = 0: log 0 is cut off at -100.
  // x = 0, p = 1 likewise; x = 1, p = 1 costs nothing.
  Tensor x = {{4, 1}, {0.25, 1, 0, 1}};
  Tensor y = {{4, 1}, {0.5, 0, 1, 1}};
  expectOp("vae.log_likelihood %0, %1 "
           "{likelihood = #vae.likelihood<bernoulli>}",
           {x, y}, {4}, {-kLog2, -100, -100, 0});
}

TEST(reference, BernoulliPropagatesNaN) {
  Tensor x = {{1, 1}, {1}};
  Tensor y = {{1, 1}, {std::nanf("")}};
  expectOp("vae.log_likelihood %0, %1 "
           "{likelihood = #vae.likelihood<bernoulli>}",
           {x, y}, {1}, {NAN});
}

TEST(reference, GaussianWithFixedScale) {
  Tensor x = {{1, 1, 1, 2}, {1, 3}};
  Tensor y = {{1, 1, 1, 2}, {1, 2}};
  // -0 - log(2 pi 4)/2 and -1/8 - log(2 pi 4)/2, log(2 pi) = 1.837877066409345
  expectOp("vae.log_likelihood %0, %1 {likelihood = "
           "#vae.likelihood<gaussian>, scale = 2.0}",
           {x, y}, {1}, {-0.125 - 1.837877066409345 - 2 * kLog2});
}

TEST(reference, GaussianWithLearnedVariance) {
  Tensor x = {{2, 1}, {3, 3}};
  Tensor y = {{2, 1}, {1, 1}};
  Tensor logvar = {{2, 1}, {kLog4, 0}};
  // -4/8 - log(2 pi)/2 - log 2; -4/2 - log(2 pi)/2
  expectOp("vae.log_likelihood %0, %1 logvar(%2) "
           "{likelihood = #vae.likelihood<gaussian>}",
           {x, y, logvar}, {2},
           {-0.5 - 0.9189385332046727 - kLog2, -2 - 0.9189385332046727});
}

TEST(reference, Laplace) {
  Tensor x = {{1, 2}, {1, 5}};
  Tensor y = {{1, 2}, {2, 5}};
  // -1/0.5 - log 1; 0 - log 1
  expectOp("vae.log_likelihood %0, %1 {likelihood = "
           "#vae.likelihood<laplace>, scale = 0.5}",
           {x, y}, {1}, {-2});
  // Scale 1: -1 - log 2; -log 2
  expectOp("vae.log_likelihood %0, %1 {likelihood = "
           "#vae.likelihood<laplace>}",
           {x, y}, {1}, {-1 - 2 * kLog2});
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scaled latents. The toy model's channels have scale 2 and 4, shift 0.5 and
// -1.
#include "test/runtime/Support.h"

#include <cmath>

using namespace vae::test;

namespace {

using Floats = std::vector<float>;

class LatentTest : public testing::Test {
protected:
  /// A tensor as an entry point could have it.
  static vae_abi_tensor describe(int32_t role, const char *layout) {
    vae_abi_tensor tensor = {};
    tensor.name = "t";
    tensor.role = role;
    tensor.dtype = VAE_DTYPE_F32;
    tensor.layout = layout;
    tensor.rank = static_cast<uint32_t>(std::char_traits<char>::length(layout));
    return tensor;
  }
  vae_status_t scale(const vae_abi_tensor &tensor, std::vector<int64_t> dims,
                     Floats &data) {
    return vae_model_scale_latent(model, &tensor, dims.data(), data.data(),
                                  data.data());
  }
  vae_status_t unscale(const vae_abi_tensor &tensor, std::vector<int64_t> dims,
                       Floats &data) {
    return vae_model_unscale_latent(model, &tensor, dims.data(), data.data(),
                                    data.data());
  }

  Model model{getModelPath("toy")};
};

TEST_F(LatentTest, ChannelsOfEveryLayout) {
  vae_abi_tensor z = describe(VAE_ROLE_LATENT, "NC");
  Floats data = {1, 2, -3, 0};
  ASSERT_EQ(scale(z, {2, 2}, data), VAE_OK);
  EXPECT_EQ(data, (Floats{1, 12, -7, 4}));
  ASSERT_EQ(unscale(z, {2, 2}, data), VAE_OK);
  EXPECT_EQ(data, (Floats{1, 2, -3, 0}));

  Floats image = {1, 2, 3, 4, 5, 6};
  ASSERT_EQ(scale(describe(VAE_ROLE_MU, "NCHW"), {1, 2, 1, 3}, image), VAE_OK);
  EXPECT_EQ(image, (Floats{1, 3, 5, 20, 24, 28}));
  image = {1, 2, 3, 4, 5, 6};
  ASSERT_EQ(scale(describe(VAE_ROLE_MU, "NHWC"), {1, 3, 1, 2}, image), VAE_OK);
  EXPECT_EQ(image, (Floats{1, 12, 5, 20, 9, 28}));
}

TEST_F(LatentTest, LogVarianceIsThatOfTheOtherForm) {
  vae_abi_tensor logvar = describe(VAE_ROLE_LOGVAR, "NC");
  Floats data = {0, 1};
  ASSERT_EQ(scale(logvar, {1, 2}, data), VAE_OK);
  EXPECT_FLOAT_EQ(data[0], 2 * std::log(2.0f));
  EXPECT_FLOAT_EQ(data[1], 1 + 2 * std::log(4.0f));
  ASSERT_EQ(unscale(logvar, {1, 2}, data), VAE_OK);
  EXPECT_NEAR(data[0], 0, 1e-6);
  EXPECT_NEAR(data[1], 1, 1e-6);
}

TEST_F(LatentTest, WhatDoesNotFitIsRefused) {
  Floats data = {1, 2, 3};
  vae_abi_tensor z = describe(VAE_ROLE_LATENT, "NC");
  EXPECT_EQ(scale(z, {1, 3}, data), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(scale(z, {-1, 2}, data), VAE_INVALID_ARGUMENT);
  EXPECT_EQ(scale(describe(VAE_ROLE_INPUT, "NC"), {1, 2}, data),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(unscale(describe(VAE_ROLE_OUTPUT, "NC"), {1, 2}, data),
            VAE_INVALID_ARGUMENT);
  z.dtype = VAE_DTYPE_F16;
  EXPECT_EQ(scale(z, {1, 2}, data), VAE_INVALID_ARGUMENT);
  z.dtype = VAE_DTYPE_F32;
  int64_t dims[] = {1, 2};
  float *x = data.data();
  EXPECT_EQ(vae_model_scale_latent(nullptr, &z, dims, x, x),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_scale_latent(model, nullptr, dims, x, x),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_scale_latent(model, &z, nullptr, x, x),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_unscale_latent(model, &z, dims, nullptr, x),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(vae_model_unscale_latent(model, &z, dims, x, nullptr),
            VAE_INVALID_ARGUMENT);
  EXPECT_EQ(data, (Floats{1, 2, 3}));
}

TEST_F(LatentTest, AModelWithoutScalingSaysSo) {
  Model code(getModelPath("code"));
  vae_abi_tensor z = describe(VAE_ROLE_LATENT, "NC");
  int64_t dims[] = {1, 2};
  float x[] = {1, 2};
  EXPECT_EQ(code.table().latent_scaling, nullptr);
  EXPECT_EQ(vae_model_scale_latent(code, &z, dims, x, x), VAE_NOT_FOUND);
  EXPECT_EQ(vae_model_unscale_latent(code, &z, dims, x, x), VAE_NOT_FOUND);
}

} // namespace

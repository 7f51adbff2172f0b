// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/Reference.h"
#include "llvm/Support/FormatVariadic.h"

using namespace vae::reference;

TEST(reference, AttentionOfThreePositions) {
  // One channel. Scores of query 0 are 0 for both keys: the mean of 1 and 3. Of
  // query ln 3 they are 0 and ln 3: weights 1/4 and 3/4.
  Tensor query = {{1, 2, 1}, {0, std::log(3.0f)}};
  Tensor key = {{1, 2, 1}, {0, 1}};
  Tensor value = {{1, 2, 2}, {1, 10, 3, 30}};
  expectOp("vae.attention %0, %1, %2 {scale = 1.0 : f64}", {query, key, value},
           {1, 2, 2}, {2, 20, 2.5, 25});
  // Half of the query at twice the scale is the same.
  Tensor half = {{1, 2, 1}, {0, std::log(3.0f) / 2}};
  expectOp("vae.attention %0, %1, %2 {scale = 2.0 : f64}", {half, key, value},
           {1, 2, 2}, {2, 20, 2.5, 25});
}

TEST(reference, AttentionOfAnImageInTwoHeads) {
  // Channels lie in planes: [head][2 pixels]. Head 0 as above; in head 1 all
  // scores are 0.
  Tensor query = {{1, 2, 1, 2}, {0, std::log(3.0f), 0, 0}};
  Tensor key = {{1, 2, 1, 2}, {0, 1, 5, 7}};
  Tensor value = {{1, 2, 1, 2}, {1, 3, 10, 20}};
  expectOp("vae.attention %0, %1, %2 {heads = 2 : i64, scale = 1.0 : f64}",
           {query, key, value}, {1, 2, 1, 2}, {2, 2.5, 15, 15});
}

TEST(reference, AttentionOfIntegers) {
  // With a scale of ln 2, a difference of d between scores is a weight of 2^-d.
  // Zero points are 10. Scores of query 1 are 0, 1 and 3: integer weights
  // 31.875, 63.75 and 255, rounded. Values are 1, 2 and 4 halves.
  constexpr const char *kText = R"(
    !q = !quant.uniform<u8:f32, 1.0:10>
    !v = !quant.uniform<u8:f32, 0.5:10>
    func.func @f(%q: tensor<1x1x1x!q>, %k: tensor<1x{0}x1x!q>,
                 %v: tensor<1x{0}x1x!v>) -> tensor<1x1x1x{1}> {{
      %y = vae.attention %q, %k, %v {{scale = 0.69314718055994531 : f64} :
        (tensor<1x1x1x!q>, tensor<1x{0}x1x!q>, tensor<1x{0}x1x!v>)
        -> tensor<1x1x1x{1}>
      return %y : tensor<1x1x1x{1}>
    })";
  auto attend = [&](std::vector<float> keys, std::vector<float> values,
                    const char *type) {
    auto count = static_cast<int64_t>(keys.size());
    return run(llvm::formatv(kText, count, type).str(),
               {{{1, 1, 1}, {11}},
                {{1, count, 1}, std::move(keys)},
                {{1, count, 1}, std::move(values)}})[0];
  };
  expectTensor(attend({10, 11, 13}, {11, 12, 14}, "f32"), {1, 1, 1},
               {0.5 * (32 + 128 + 1020) / (32 + 64 + 255)});
  // The same, 1.68, as an integer of a quarter, with 7 for zero.
  expectTensor(
      attend({10, 11, 13}, {11, 12, 14}, "!quant.uniform<u8:f32, 0.25:7>"),
      {1, 1, 1}, {14});
  // A second block, of one key with the score 3: what the first has added up of
  // scores of 0 is an eighth of that.
  std::vector<float> keys(65, 10), values(65, 11);
  keys[64] = 13;
  values[64] = 12;
  expectTensor(attend(keys, values, "f32"), {1, 1, 1},
               {0.5 * (64 * 255 / 8 + 2 * 255) / (64 * 255 / 8 + 255)});
  // Of a second block with smaller scores, it is the block's eighth.
  std::vector<float> others(65, 13);
  others[64] = 10;
  expectTensor(attend(others, values, "f32"), {1, 1, 1},
               {0.5 * (64 * 255 + 2 * 255 / 8.0) / (64 * 255 + 255 / 8.0)});
}

TEST(reference, LinearAttention) {
  // One head of one channel, two pixels: query 1 2, key 3 1, value 10 20. The
  // weights of pixel s are q[s] * 3 and q[s] * 1, their sums 4 and 8.
  Tensor x = {{1, 3, 1, 2}, {1, 2, 3, 1, 10, 20}};
  expectOp("vae.linear_attention %0 {epsilon = 0.0 : f64, head_dim = 1 : i64}",
           {x}, {1, 1, 1, 2}, {12.5, 12.5});
  // With epsilon 4: 50 / 8 and 100 / 12; a negative query gives 0.
  expectOp("vae.linear_attention %0 {epsilon = 4.0 : f64, head_dim = 1 : i64}",
           {x}, {1, 1, 1, 2}, {6.25, 100.0f / 12});
  Tensor negative = {{1, 3, 1, 2}, {-1, 2, 3, -1, 10, 20}};
  // The second key is 0, so that all of pixel 1 comes from value 10: 60 / 10.
  expectOp("vae.linear_attention %0 {epsilon = 4.0 : f64, head_dim = 1 : i64}",
           {negative}, {1, 1, 1, 2}, {0, 6});
}

TEST(reference, NearestCodebook) {
  // Rows (0, 0), (3, 4), (1, 0) of an image of 1x3 pixels.
  Tensor x = {{1, 2, 1, 3}, {0, 3, 1, 0, 4, 0}};
  // The last two entries are equal: the lower index counts. (1, 0) is as far
  // from entry 0 as from entry 1.
  Tensor codebook = {{4, 2}, {0, 0, 2, 0, 3, 3, 3, 3}};
  expectOp("vae.nearest_codebook %0, %1", {x, codebook}, {1, 1, 3}, {0, 2, 0});
}

TEST(reference, Embedding) {
  Tensor table = {{3, 2}, {1, 2, 3, 4, 5, 6}};
  Tensor x = {{1, 5}, {2, 0.9f, -7, 99, NAN}};
  expectOp("vae.embedding %0, %1", {x, table}, {1, 2, 5},
           {5, 1, 1, 5, 1, 6, 2, 2, 6, 2});
}

TEST(reference, Glu) {
  // a = 1 2, b = -1 3: relu(b) = 0 3.
  Tensor x = {{1, 4}, {1, 2, -1, 3}};
  expectOp("vae.glu %0 <relu>", {x}, {1, 2}, {0, 6});
  // Halves of axis 1, not of memory.
  Tensor image = {{1, 2, 1, 2}, {1, 2, 3, 4}};
  expectOp("vae.glu %0 <relu>", {image}, {1, 1, 1, 2}, {3, 8});
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Table.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

#include <functional>
#include <memory>

using namespace vae::runtime;

namespace {

/// A table that keeps all promises, to be broken one by one.
struct Library {
  vae_abi_symbol symbols[2] = {{"batch", 1, 1, 0, 0}, {"height", 16, 8, 0, 0}};
  vae_abi_dim x[3] = {{0, 0, 1, 0}, {-1, 0, 0, 3}, {1, 0, 8, 0}};
  vae_abi_dim z[3] = {{0, 0, 1, 0}, {1, 0, 3, 1}, {1, 0, 16, -2}};
  vae_abi_tensor inputs[2] = {makeTensor("x", VAE_ROLE_INPUT, x),
                              makeTensor("noise", VAE_ROLE_NOISE, z)};
  vae_abi_tensor outputs[1] = {makeTensor("z", VAE_ROLE_LATENT, z)};
  vae_abi_step steps[2] = {{"", "copy", 0, 0}, {"h", "dense", 0, 0}};
  vae_abi_entry entries[2] = {makeEntry("encode"), makeEntry("decode")};
  vae_abi_halo halos[2] = {{}, {16, 8, 8, 0}};
  // One point between: two segments, and the whole.
  vae_abi_tensor between[1] = {makeTensor("part", VAE_ROLE_LAYER, x)};
  vae_abi_tiling parts = {halos, nullptr, nullptr, nullptr, 0, 0};
  vae_abi_entry segments[3] = {makeSegment("encode.0.1", inputs, 2, between),
                               makeSegment("encode", inputs, 2, outputs),
                               makeSegment("encode.1.2", between, 1, outputs)};
  vae_abi_tiling tiling = {halos, nullptr, nullptr, segments, 3, 0};
  float weights[1] = {1};
  double scale[2] = {2, 0.5}, shift[2] = {0, -1};
  vae_abi_scaling scaling = {1, 0, scale, shift, {}};
  vae_abi_version versions[2] = {{"plain", &table, {}}, {"best", &best, {}}};
  vae_abi_model table = {VAE_ABI_VERSION,
                         sizeof(vae_abi_model),
                         "m",
                         "by hand",
                         "",
                         "",
                         "f32",
                         "",
                         "",
                         2,
                         2,
                         symbols,
                         entries,
                         weights,
                         sizeof(weights),
                         1,
                         &scaling,
                         versions,
                         2,
                         0,
                         "f32",
                         {}};
  vae_abi_model best = table;

  static vae_abi_tensor makeTensor(const char *name, int32_t role,
                                   const vae_abi_dim *dims) {
    vae_abi_tensor tensor = {};
    tensor.name = name;
    tensor.role = role;
    tensor.dtype = VAE_DTYPE_F32;
    tensor.rank = 3;
    tensor.dims = dims;
    tensor.layout = "NCL";
    return tensor;
  }
  vae_abi_entry makeSegment(const char *name, const vae_abi_tensor *in,
                            uint32_t count, const vae_abi_tensor *out) {
    vae_abi_entry entry = makeEntry(name);
    entry.inputs = in;
    entry.num_inputs = count;
    entry.outputs = out;
    entry.tiling = &parts;
    return entry;
  }
  vae_abi_entry makeEntry(const char *name) {
    auto size = [](const int64_t *) { return int64_t(0); };
    auto run = [](const vae_abi_call *) { return int32_t(0); };
    auto costs = [](const int64_t *, int64_t *, int64_t *) {};
    return {name, 2, 1, inputs, outputs, size,   size,
            run,  2, 0, steps,  costs,   &tiling};
  }
};

TEST(Table, AGoodOneIsAccepted) {
  Library library;
  char message[256];
  Text text(message, sizeof(message));
  EXPECT_EQ(checkTable(&library.table, text), VAE_OK);
  EXPECT_STREQ(message, "");
}

TEST(Table, StepsMayBeUnknown) {
  Library library;
  library.entries[0].num_steps = 0;
  library.entries[0].steps = nullptr;
  library.entries[0].step_costs = nullptr;
  char message[256];
  Text text(message, sizeof(message));
  EXPECT_EQ(checkTable(&library.table, text), VAE_OK) << message;
}

TEST(Table, ThereMayBeOneVersionOnly) {
  Library library;
  library.table.num_versions = 0;
  library.table.versions = nullptr;
  char message[256];
  Text text(message, sizeof(message));
  EXPECT_EQ(checkTable(&library.table, text), VAE_OK) << message;
}

TEST(Table, ALatentMayHaveNoScalingOrOneForEachChannel) {
  Library library;
  char message[256];
  Text text(message, sizeof(message));
  library.table.latent_scaling = nullptr;
  EXPECT_EQ(checkTable(&library.table, text), VAE_OK) << message;
  library.z[1] = {-1, 0, 0, 2};
  library.table.latent_scaling = &library.scaling;
  library.scaling.count = 2;
  EXPECT_EQ(checkTable(&library.table, text), VAE_OK) << message;
}

struct Lie {
  const char *part; // of the message
  std::function<void(Library &)> tell;
};

const Lie kLies[] = {
    {"number of versions", [](Library &l) { l.table.num_versions = 1; }},
    {"number of versions", [](Library &l) { l.table.num_versions = 65; }},
    {"number of versions", [](Library &l) { l.table.versions = nullptr; }},
    {"version 1: it has no name",
     [](Library &l) { l.versions[1].name = nullptr; }},
    {"version 0: it has no name", [](Library &l) { l.versions[0].name = ""; }},
    {"version 1: its table is NULL",
     [](Library &l) { l.versions[1].table = nullptr; }},
    {"has no CPU features", [](Library &l) { l.best.cpu_features = nullptr; }},
    {"of another version of the ABI", [](Library &l) { ++l.best.abi_version; }},
    {"of another version of the ABI",
     [](Library &l) { l.best.struct_size = 8; }},
    {"its table lists other versions",
     [](Library &l) { l.best.versions = nullptr; }},
    {"its table lists other versions",
     [](Library &l) { l.best.num_versions = 3; }},
    {"it is shorter", [](Library &l) { l.table.struct_size = 175; }},
    {"a text of the model is NULL", [](Library &l) { l.table.name = nullptr; }},
    {"a text of the model is NULL",
     [](Library &l) { l.table.cpu_features = nullptr; }},
    {"a text of the model is NULL",
     [](Library &l) { l.table.prior = nullptr; }},
    {"number of symbols", [](Library &l) { l.table.num_symbols = 0; }},
    {"number of symbols", [](Library &l) { l.table.num_symbols = 65; }},
    {"number of symbols", [](Library &l) { l.table.symbols = nullptr; }},
    {"number of entries", [](Library &l) { l.table.num_entries = 0; }},
    {"number of entries", [](Library &l) { l.table.num_entries = 1025; }},
    {"number of entries", [](Library &l) { l.table.entries = nullptr; }},
    {"weights are NULL", [](Library &l) { l.table.weights = nullptr; }},
    {"weights are NULL", [](Library &l) { l.table.weights_size = -1; }},
    {"weights are NULL", [](Library &l) { l.table.num_parameters = -1; }},
    {"scaling of the latent", [](Library &l) { l.scaling.count = 0; }},
    {"scaling of the latent", [](Library &l) { l.scaling.scale = nullptr; }},
    {"scaling of the latent", [](Library &l) { l.scaling.shift = nullptr; }},
    {"scaling of the latent", [](Library &l) { l.scale[0] = 0; }},
    {"scaling of the latent", [](Library &l) { l.scale[0] = INFINITY; }},
    {"scaling of the latent", [](Library &l) { l.shift[0] = NAN; }},
    {"entry 0: output 0: the latent is scaled by channels",
     [](Library &l) { l.scaling.count = 2; }},
    {"entry 0: output 0: the latent is scaled by channels",
     [](Library &l) {
       l.scaling.count = 2;
       l.z[1] = {-1, 0, 0, 3};
     }},
    {"symbol 1: it has no name", [](Library &l) { l.symbols[1].name = ""; }},
    {"symbol 0: its minimum", [](Library &l) { l.symbols[0].minimum = 0; }},
    {"symbol 1: its minimum", [](Library &l) { l.symbols[1].multiple = 0; }},
    {"symbol 1: its minimum is absurd",
     [](Library &l) { l.symbols[1].minimum = INT64_MAX; }},
    {"symbol 0: it is not the batch",
     [](Library &l) { l.symbols[0].name = "n"; }},
    {"entry 0: it has no name",
     [](Library &l) { l.entries[0].name = nullptr; }},
    {"entry 1: an earlier one has the same name",
     [](Library &l) { l.entries[1].name = "encode"; }},
    {"entry 1: a function is NULL",
     [](Library &l) { l.entries[1].run = nullptr; }},
    {"entry 1: a function is NULL",
     [](Library &l) { l.entries[1].arena_size = nullptr; }},
    {"entry 1: a function is NULL",
     [](Library &l) { l.entries[1].flops = nullptr; }},
    {"number of inputs", [](Library &l) { l.entries[0].num_inputs = 0; }},
    {"number of inputs", [](Library &l) { l.entries[0].num_outputs = 1025; }},
    {"number of inputs", [](Library &l) { l.entries[0].inputs = nullptr; }},
    {"entry 0: input 1: it has no name",
     [](Library &l) { l.inputs[1].name = nullptr; }},
    {"entry 0: output 0: its element type",
     [](Library &l) { l.outputs[0].dtype = 8; }},
    {"its element type", [](Library &l) { l.outputs[0].dtype = 0; }},
    {"its role", [](Library &l) { l.outputs[0].role = -1; }},
    {"its rank", [](Library &l) { l.outputs[0].rank = 17; }},
    {"its rank", [](Library &l) { l.outputs[0].rank = 0; }},
    {"its rank", [](Library &l) { l.outputs[0].dims = nullptr; }},
    {"its layout", [](Library &l) { l.outputs[0].layout = nullptr; }},
    {"it is noise", [](Library &l) { l.inputs[1].dtype = VAE_DTYPE_F16; }},
    {"unknown symbol", [](Library &l) { l.x[2].symbol = 2; }},
    {"unknown symbol", [](Library &l) { l.x[2].scale = 0; }},
    {"a fixed dimension is below 1", [](Library &l) { l.x[1].offset = 0; }},
    {"not the batch", [](Library &l) { l.x[0].symbol = 1; }},
    {"not the batch", [](Library &l) { l.x[0].scale = 2; }},
    {"not the batch", [](Library &l) { l.x[0].offset = 1; }},
    {"a dynamic dimension that no input has",
     [](Library &l) {
       l.entries[0].num_inputs = 1;
       l.x[2].symbol = -1;
       l.x[2].offset = 5;
     }},
    {"entry 1: the number of steps",
     [](Library &l) { l.entries[1].num_steps = 0xffffffffu; }},
    {"entry 1: the number of steps",
     [](Library &l) { l.entries[1].steps = nullptr; }},
    {"entry 1: the number of steps",
     [](Library &l) { l.entries[1].step_costs = nullptr; }},
    {"entry 0: it has steps, but their number is 0",
     [](Library &l) { l.entries[0].num_steps = 0; }},
    {"entry 0: step 1: its layer is NULL",
     [](Library &l) { l.steps[1].layer = nullptr; }},
    {"entry 0: step 1: its layer is NULL, or its kernel has no name",
     [](Library &l) { l.steps[1].kernel = nullptr; }},
    {"entry 0: step 0: its layer is NULL, or its kernel has no name",
     [](Library &l) { l.steps[0].kernel = ""; }},
    {"entry 0: it does not say what keeps it",
     [](Library &l) { l.tiling.halos = nullptr; }},
    {"it does not say what keeps it",
     [](Library &l) { l.tiling = {nullptr, "norm", "", nullptr, 0, 0}; }},
    {"it has halos, but also", [](Library &l) { l.tiling.layer = "norm"; }},
    {"a halo is negative", [](Library &l) { l.halos[1].before = -8; }},
    {"a halo is negative or absurd",
     [](Library &l) { l.halos[1].after = INT64_MAX / 8 * 8; }},
    {"a halo is negative or absurd",
     [](Library &l) { l.halos[1].multiple = -8; }},
    {"a halo is no multiple", [](Library &l) { l.halos[1].before = 12; }},
    {"a halo is no multiple", [](Library &l) { l.halos[1].multiple = 4; }},
    {"a halo is no multiple", [](Library &l) { l.halos[1].multiple = 0; }},
    {"its batch is not of single examples",
     [](Library &l) { l.halos[0].multiple = 1; }},
    {"its batch is not of single examples",
     [](Library &l) { l.symbols[0].minimum = 2; }},
    {"a halo is narrower than what an output lacks",
     [](Library &l) { l.halos[1].after = 0; }},
    {"a halo is narrower than what an output lacks",
     [](Library &l) { l.z[2].offset = -17; }},
    {"entry 0: the number of points",
     [](Library &l) { l.tiling.num_points = 2; }},
    {"the number of points", [](Library &l) { l.tiling.num_points = 17; }},
    {"the number of points", [](Library &l) { l.tiling.segments = nullptr; }},
    {"the number of points",
     [](Library &l) {
       l.tiling = {nullptr, "norm", "group_norm", l.segments, 3, 0};
     }},
    {"entry 0: segment 0: it has no name",
     [](Library &l) { l.segments[0].name = ""; }},
    {"entry 0: segment 2: a function is NULL",
     [](Library &l) { l.segments[2].run = nullptr; }},
    {"segment 1: it has no halos, or segments of its own",
     [](Library &l) { l.segments[1].tiling = &l.tiling; }},
    {"segment 0: it has no halos, or segments of its own",
     [](Library &l) { l.segments[0].tiling = nullptr; }},
    {"segment 0: its inputs or outputs do not fit",
     [](Library &l) { l.segments[0].num_inputs = 1; }},
    {"segment 2: its inputs or outputs do not fit",
     [](Library &l) { l.segments[2].inputs = l.outputs; }},
    {"segment 2: its inputs or outputs do not fit",
     [](Library &l) { l.segments[2].outputs = l.between; }},
    {"segment 1: its inputs or outputs do not fit",
     [](Library &l) { l.segments[1].outputs = l.between; }},
    {"has the batch on a second axis", [](Library &l) { l.x[2].symbol = 0; }},
};

TEST(Table, EveryLieIsFound) {
  for (const Lie &lie : kLies) {
    Library library;
    lie.tell(library);
    char message[512];
    Text text(message, sizeof(message));
    EXPECT_EQ(checkTable(&library.table, text), VAE_INVALID_MODEL) << lie.part;
    EXPECT_NE(std::strstr(message, lie.part), nullptr) << message;
  }
}

TEST(Table, OtherVersionsAreRefused) {
  Library library;
  for (uint32_t version : {0u, VAE_ABI_VERSION + 1, ~0u}) {
    library.table.abi_version = version;
    char message[256];
    Text text(message, sizeof(message));
    EXPECT_EQ(checkTable(&library.table, text), VAE_UNSUPPORTED_ABI);
    EXPECT_NE(std::strstr(message, "use a newer runtime"), nullptr) << message;
  }
  char message[256];
  Text text(message, sizeof(message));
  EXPECT_EQ(checkTable(nullptr, text), VAE_UNSUPPORTED_ABI);
}

TEST(Table, ALaterStructIsAcceptedAsFarAsItIsKnown) {
  Library library;
  library.table.struct_size += 64;
  char message[256];
  Text text(message, sizeof(message));
  EXPECT_EQ(checkTable(&library.table, text), VAE_OK) << message;
}

TEST(Table, ShapesFollowFromSymbols) {
  Library library;
  int64_t symbols[] = {5, 24};
  EXPECT_EQ(getDim(library.table, library.x[0], symbols), 5);
  EXPECT_EQ(getDim(library.table, library.x[1], symbols), 3);
  EXPECT_EQ(getDim(library.table, library.x[2], symbols), 24);
  EXPECT_EQ(getDim(library.table, library.z[1], symbols), 10);
  EXPECT_EQ(getDim(library.table, library.z[2], symbols), 46);
  EXPECT_EQ(getNumElements(library.table, library.inputs[0], symbols),
            5 * 3 * 24);
  EXPECT_EQ(getNumBytes(library.table, library.inputs[0], symbols),
            5 * 3 * 24 * 4);
  char message[128];
  Text text(message, sizeof(message));
  addShape(text, library.table, library.inputs[0]);
  addShape(text, library.table, library.outputs[0]);
  addShape(text, library.table, library.outputs[0], symbols);
  EXPECT_STREQ(
      message,
      "[batch, 3, height][batch, 3*height/8+1, 2*height-2][5, 10, 46]");
}

TEST(Table, SizesThatOverflowAreNone) {
  Library library;
  int64_t large[] = {INT64_MAX / 2, 16};
  EXPECT_EQ(getNumElements(library.table, library.inputs[0], large), -1);
  int64_t bytes[] = {INT64_MAX / (3 * 16) / 2, 16};
  EXPECT_GT(getNumElements(library.table, library.inputs[0], bytes), 0);
  EXPECT_EQ(getNumBytes(library.table, library.inputs[0], bytes), -1);
  int64_t dim[] = {1, INT64_MAX / 8 * 8};
  EXPECT_EQ(getDim(library.table, library.z[1], dim), 3 * (INT64_MAX / 8) + 1);
  EXPECT_EQ(getDim(library.table, library.z[2], dim), -1);
  library.z[2].offset = -32; // nothing left
  int64_t small[] = {1, 16};
  EXPECT_EQ(getDim(library.table, library.z[2], small), -1);
}

TEST(Table, EveryElementTypeHasNameAndSize) {
  const char *names[] = {"f32", "f16", "bf16", "i8", "u8", "i32", "i64"};
  int64_t sizes[] = {4, 2, 2, 1, 1, 4, 8};
  for (int32_t dtype = VAE_DTYPE_F32; dtype <= VAE_DTYPE_I64; ++dtype) {
    EXPECT_STREQ(getDtypeName(dtype), names[dtype - 1]);
    EXPECT_EQ(getDtypeSize(dtype), sizes[dtype - 1]);
  }
  EXPECT_EQ(getDtypeSize(0), 0);
  EXPECT_EQ(getDtypeSize(8), 0);
}

} // namespace

/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Libraries with a proper note and no proper table. LIE: 0, no function; 1, it
 * knows no version; 2, its table has a newer one; 3, it has no entry points; 4,
 * it needs a CPU that the note does not speak of. */
#include "ModelNote.h"
#include "vae/vae_abi.h"

VAE_TEST_NOTE("{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"features\\\":[]}");

#if LIE != 0
static const vae_abi_symbol symbols[] = {{"batch", 1, 1, 0, 0}};
#if LIE == 4
static int64_t no_arena(const int64_t *values) { return values[0] * 0; }
static int32_t run(const vae_abi_call *call) { return (int32_t)call->flags; }
static const vae_abi_dim dims[] = {{0, 0, 1, 0}};
static const vae_abi_tensor tensor = {"x", 0, 1, 1, 0, dims,
                                      "N", 0, 0, 1, 0, {0, 0, 0, 0}};
static const vae_abi_entry entries[] = {
    {"encode", 1, 1, &tensor, &tensor, no_arena, no_arena, run, 0, 0, 0, 0, 0}};
#endif
static const vae_abi_model model = {LIE == 2 ? 99 : VAE_ABI_VERSION,
                                    sizeof(vae_abi_model),
                                    "liar",
                                    "by hand",
                                    "",
                                    LIE == 4 ? "mmx2000" : "",
                                    "f32",
                                    "",
                                    "",
                                    1,
                                    LIE == 4,
                                    symbols,
#if LIE == 4
                                    entries,
#else
                                    0,
#endif
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0,
                                    "f32",
                                    {0, 0, 0, 0}};

__attribute__((visibility("default"))) const vae_abi_model *
vae_model_query(uint32_t max_abi_version) {
  (void)max_abi_version;
  return LIE == 1 ? 0 : &model;
}
#endif

/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A shared library that is no model; UNLINKED: one that looks like a model but
 * needs a function that nobody has. */
#ifdef UNLINKED
#include "ModelNote.h"
VAE_TEST_NOTE("{\\\"schema\\\":1,\\\"abi_version\\\":1,\\\"features\\\":[]}");
int vae_no_such_function(void);
int vae_model_query(void);
int vae_model_query(void) { return vae_no_such_function(); }
#else
int plain(void);
int plain(void) { return 1; }
#endif

/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The runtime as a stranger meets it: installed, found, used from C.
 * usage: stranger MODEL.so    reconstructs one example of zeros */
#include <stdio.h>
#include <stdlib.h>
#include <vae/vae_runtime.h>

int main(int argc, char **argv) {
  char message[512];
  vae_model_t *model = NULL;
  vae_session_t *session = NULL;
  const vae_abi_entry *entry;
  int64_t batch = 1, dims[16], elements = 1;
  if (argc != 2)
    return 2;
  if (vae_model_load(argv[1], &model, message, sizeof(message))) {
    fprintf(stderr, "%s\n", message);
    return 1;
  }
  if (vae_model_find_entry(model, "reconstruct", &entry) ||
      vae_model_tensor_dims(model, &entry->inputs[0], &batch, dims) ||
      vae_session_create(model, NULL, &session))
    return 1;
  for (uint32_t d = 0; d < entry->inputs[0].rank; ++d)
    elements *= dims[d];
  float *x = calloc(elements, sizeof(float)),
        *y = malloc(elements * sizeof(float));
  vae_status_t status =
      vae_session_prepare_batch(session, "reconstruct", batch);
  if (!status)
    status = vae_session_reconstruct(session, x, batch, y);
  printf("%s %s: %s %s\n", vae_model_table(model)->name, entry->name,
         vae_status_name(status), vae_session_message(session));
  for (int64_t i = 0; !status && i < elements; ++i)
    printf("%g%c", y[i], i + 1 < elements ? ' ' : '\n');
  free(x);
  free(y);
  vae_session_release(session);
  vae_model_release(model);
  return status != VAE_OK;
}
